// A layer-4 load balancer: each TCP or UDP flow goes to one of eight servers, inside an outer IP
// header. The same rules, hash and bytes as examples/l4lb.ts, which says what is passed and why.
//
//   in    eth [vlan [vlan]]          ip  tcp|udp  data
//   out   eth [vlan [vlan]] outer-ip ip  tcp|udp  data      4in4 or 6in6, RFC 2003 and RFC 2473
//
// Shows parsing with variable offsets, bpf_xdp_adjust_head, header rewriting and XDP_TX.
#include "packet.h"

#define SERVERS 8 // 10.0.1.1 to .8, fd00:1::1 to ::8, MACs 02:00:00:00:01:01 to :08
#define SERVER_IP4 0x0a000101u
#define LB_IP4 0x0a000001u
#define LB_NET6 0xfd000000u // fd00::1
#define SERVER_NET6 0xfd000001u
#define OUTER_TTL 64
#define MAX_EXT_HEADERS 8
#define MAX_EXT_LEN 2048 // of one: 256 units of 8 bytes
#define MAX_L2_LEN (ETH_HLEN + MAX_TAGS * VLAN_HLEN)
#define IP6_OFFSET 0xfff8
#define IP6_MF 1

struct flow {
	__u32 hash;
	__u32 l2_len;
	__u32 total; // bytes of the inner packet from its IP header on
	__u32 tos;   // IPv4: type of service; IPv6: traffic class at its place in the first word
};

struct ext_hdr {
	__u8 next;
	__u8 len;
	__be16 fragment;
	__u32 more;
};

static __always_inline __u32 rotl(__u32 word, int bits)
{
	return word << bits | word >> (32 - bits);
}

// One round of a multiply-and-rotate hash over 32 bits.
static __always_inline __u32 mix(__u32 hash, __u32 word)
{
	hash ^= rotl(word * 0xcc9e2d51u, 15) * 0x1b873593u;
	return rotl(hash, 13) * 5 + 0x64b54ab5u;
}

// Spread a hash over the servers: finish mixing, then scale its upper half.
static __always_inline __u32 server_of(__u32 hash)
{
	hash = (hash ^ hash >> 16) * 0x7feb352du;
	hash = (hash ^ hash >> 15) * 0x846ca68bu;
	return (hash >> 16) * SERVERS >> 16;
}

// Is the transport header all there, with lengths that fit the packet's `room` bytes? The first of
// several fragments holds less than its UDP length says.
static __always_inline int l4_is_sound(void *l4, void *data_end, __u32 room, __u8 proto, int more)
{
	if (proto == IPPROTO_UDP) {
		struct udphdr *udp = header(struct udphdr, l4, data_end);
		if (!udp || room < sizeof(*udp))
			return 0;
		__u32 len = bpf_ntohs(udp->len);
		return len >= sizeof(*udp) && (more || len <= room);
	}
	struct tcphdr *tcp = header(struct tcphdr, l4, data_end);
	if (!tcp || room < sizeof(*tcp))
		return 0;
	__u32 hlen = tcp->doff * 4;
	return hlen >= sizeof(*tcp) && hlen <= room;
}

// Move the Ethernet header and its tags to the new front: from the address it came to, to the server.
static __always_inline void *write_l2(struct xdp_md *ctx, __u32 l2_len, __u32 moved, __u32 server)
{
	__u8 *data = (void *)(long)ctx->data;
	__u8 *data_end = (void *)(long)ctx->data_end;
	if (data + MAX_L2_LEN + sizeof(struct ipv6hdr) > data_end)
		return 0;
	// The frame grew by `moved` bytes, and it held at least l2_len behind them.
	if (l2_len > MAX_L2_LEN || data + MAX_L2_LEN + moved > data_end)
		return 0;
	__u8 own[ETH_ALEN];
	__builtin_memcpy(own, data + moved, ETH_ALEN);
	struct ethhdr *eth = (void *)data;
	__builtin_memcpy(eth->h_dest, (__u8[]){ 2, 0, 0, 0, 1, 1 + server }, ETH_ALEN);
	__builtin_memcpy(eth->h_source, own, ETH_ALEN);
#pragma unroll
	for (__u32 at = 2 * ETH_ALEN; at < MAX_L2_LEN; at += 2)
		if (at < l2_len)
			*(__u16 *)(data + at) = *(__u16 *)(data + at + moved);
	return data + l2_len;
}

static __always_inline __u16 fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static __always_inline int send4(struct xdp_md *ctx, const struct flow *flow)
{
	__u32 server = server_of(flow->hash);
	if (bpf_xdp_adjust_head(ctx, -(int)sizeof(struct iphdr)))
		return XDP_ABORTED;
	struct iphdr *outer = write_l2(ctx, flow->l2_len, sizeof(struct iphdr), server);
	if (!outer || (void *)(outer + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;

	// DF, so that nobody ever needs the identification to tell fragments apart (RFC 6864 4.1). The
	// checksum is the sum of what is written here, so it never has to be read back.
	__u32 total = flow->total + sizeof(*outer);
	__u32 first = 0x4500 | flow->tos;
	__u32 ttl_proto = OUTER_TTL << 8 | IPPROTO_IPIP;
	__u32 daddr = SERVER_IP4 + server;
	__u32 sum = first + total + IP_DF + ttl_proto + (LB_IP4 >> 16) + (LB_IP4 & 0xffff) +
		    (daddr >> 16) + (daddr & 0xffff);
	outer->version = 4;
	outer->ihl = 5;
	outer->tos = flow->tos;
	outer->tot_len = bpf_htons(total);
	outer->id = 0;
	outer->frag_off = bpf_htons(IP_DF);
	outer->ttl = OUTER_TTL;
	outer->protocol = IPPROTO_IPIP;
	outer->check = bpf_htons(fold(sum));
	outer->saddr = bpf_htonl(LB_IP4);
	outer->daddr = bpf_htonl(daddr);
	return XDP_TX;
}

static __always_inline int balance4(struct xdp_md *ctx, void *l3, void *data, void *data_end)
{
	struct iphdr *ip = header(struct iphdr, l3, data_end);
	if (!ip)
		return XDP_DROP;
	__u32 hlen = ip->ihl * 4;
	__u32 total = bpf_ntohs(ip->tot_len);
	if (ip->version != 4 || hlen < sizeof(*ip) || total < hlen)
		return XDP_DROP;
	if (l3 + total > data_end)
		return XDP_DROP;
	__u8 proto = ip->protocol;
	if (proto != IPPROTO_TCP && proto != IPPROTO_UDP)
		return XDP_PASS;
	__u32 fragment = bpf_ntohs(ip->frag_off);
	if (fragment & IP_OFFSET)
		return XDP_PASS;
	void *l4 = l3 + hlen;
	if (!l4_is_sound(l4, data_end, total - hlen, proto, fragment & IP_MF))
		return XDP_DROP;
	__u32 *ports = header(__u32, l4, data_end);
	if (!ports)
		return XDP_DROP;

	__u32 hash = mix(mix(0, bpf_ntohl(ip->saddr)), bpf_ntohl(ip->daddr));
	struct flow flow = {
		.hash = mix(mix(hash, bpf_ntohl(*ports)), proto),
		.l2_len = l3 - data,
		.total = total,
		.tos = ip->tos,
	};
	return send4(ctx, &flow);
}

static __always_inline int send6(struct xdp_md *ctx, const struct flow *flow)
{
	__u32 server = server_of(flow->hash);
	if (bpf_xdp_adjust_head(ctx, -(int)sizeof(struct ipv6hdr)))
		return XDP_ABORTED;
	__be32 *outer = write_l2(ctx, flow->l2_len, sizeof(struct ipv6hdr), server);
	if (!outer || (void *)(outer + 10) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;

	// The flow label carries the inner flow's hash, so that routers spread the tunnel (RFC 6438).
	outer[0] = bpf_htonl(0x60000000 | flow->tos | (flow->hash & 0xfffff));
	outer[1] = bpf_htonl(flow->total << 16 | IPPROTO_IPV6 << 8 | OUTER_TTL);
	outer[2] = bpf_htonl(LB_NET6);
	outer[3] = 0;
	outer[4] = 0;
	outer[5] = bpf_htonl(1);
	outer[6] = bpf_htonl(SERVER_NET6);
	outer[7] = 0;
	outer[8] = 0;
	outer[9] = bpf_htonl(server + 1);
	return XDP_TX;
}

static __always_inline int is_extension(__u8 next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_FRAGMENT ||
	       next == IPPROTO_AH || next == IPPROTO_DSTOPTS;
}

// Bytes of an extension header. A global function: the verifier checks it by itself, once, and takes
// any number for its answer, so the three ways through it do not multiply with every header.
__noinline __u32 extension_len(__u32 type, __u32 units)
{
	if (type == IPPROTO_FRAGMENT)
		return 8;
	return type == IPPROTO_AH ? (units + 2) * 4 : (units + 1) * 8;
}

static __always_inline int balance6(struct xdp_md *ctx, void *l3, void *data, void *data_end)
{
	struct ipv6hdr *ip6 = header(struct ipv6hdr, l3, data_end);
	if (!ip6 || ip6->version != 6)
		return XDP_DROP;
	__u32 total = sizeof(*ip6) + bpf_ntohs(ip6->payload_len);
	if (l3 + total > data_end)
		return XDP_DROP;

	// Extension headers between the IPv6 header and the ports, each at least 8 bytes.
	__u32 at = sizeof(*ip6);
	__u8 next = ip6->nexthdr;
	int more = 0;
	for (int n = 0; n < MAX_EXT_HEADERS && is_extension(next); n++) {
		struct ext_hdr *ext = header(struct ext_hdr, l3 + at, data_end);
		if (!ext || at + sizeof(*ext) > total)
			return XDP_DROP;
		if (next == IPPROTO_FRAGMENT) {
			__u32 fragment = bpf_ntohs(ext->fragment);
			if (fragment & IP6_OFFSET)
				return XDP_PASS;
			more = fragment & IP6_MF;
		}
		__u32 len = extension_len(next, ext->len);
		if (len > MAX_EXT_LEN)
			return XDP_DROP;
		next = ext->next;
		at += len;
	}
	if (next != IPPROTO_TCP && next != IPPROTO_UDP)
		return XDP_PASS;
	if (at > total)
		return XDP_DROP;
	void *l4 = l3 + at;
	if (!l4_is_sound(l4, data_end, total - at, next, more))
		return XDP_DROP;
	__u32 *ports = header(__u32, l4, data_end);
	if (!ports)
		return XDP_DROP;

	__u32 hash = mix(mix(0, bpf_ntohl(*ports)), next);
#pragma unroll
	for (int i = 0; i < 4; i++)
		hash = mix(hash, bpf_ntohl(ip6->saddr.s6_addr32[i]));
#pragma unroll
	for (int i = 0; i < 4; i++)
		hash = mix(hash, bpf_ntohl(ip6->daddr.s6_addr32[i]));
	struct flow flow = {
		.hash = hash,
		.l2_len = l3 - data,
		.total = total,
		.tos = bpf_ntohl(*(__be32 *)ip6) & 0x0ff00000,
	};
	return send6(ctx, &flow);
}

SEC("xdp")
int l4lb(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	__be16 proto = 0;
	void *l3 = skip_l2(data, data_end, &proto);
	if (!l3)
		return XDP_DROP;
	if (proto == bpf_htons(ETH_P_IP))
		return balance4(ctx, l3, data, data_end);
	if (proto == bpf_htons(ETH_P_IPV6))
		return balance6(ctx, l3, data, data_end);
	return XDP_PASS;
}

char _license[] SEC("license") = "MIT";
