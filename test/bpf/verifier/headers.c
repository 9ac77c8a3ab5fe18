#include "common.h"

#define ICMP_ECHO 8
#define ICMP_ECHOREPLY 0

struct icmphdr {
	__u8 type, code;
	__u16 checksum;
	__be16 id, sequence;
};

struct vlan {
	__be16 tci, proto;
};

static __always_inline __u16 proto_at(struct xdp_md *ctx, __u32 *off, int vlans)
{
	struct ethhdr *eth = (void *)DATA(ctx);
	NEED(eth, struct ethhdr, ctx, 0);
	__u16 proto = eth->h_proto;
	*off = sizeof(*eth);
#pragma unroll
	for (int i = 0; i < vlans; i++) {
		if (proto != bpf_htons(ETH_P_8021Q) && proto != bpf_htons(ETH_P_8021AD))
			break;
		struct vlan *tag = (void *)(DATA(ctx) + *off);
		NEED(tag, struct vlan, ctx, 0);
		proto = tag->proto;
		*off += sizeof(*tag);
	}
	return proto;
}

SEC("xdp") int ethernet(struct xdp_md *ctx)
{
	__u32 off;
	return proto_at(ctx, &off, 0) == bpf_htons(ETH_P_IP) ? XDP_DROP : XDP_PASS;
}

SEC("xdp") int vlans(struct xdp_md *ctx)
{
	__u32 off;
	return proto_at(ctx, &off, 5) == bpf_htons(ETH_P_IP) ? XDP_DROP : XDP_PASS;
}

static __always_inline int ports(struct xdp_md *ctx, int options)
{
	__u32 off;
	if (proto_at(ctx, &off, 2) != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	struct iphdr *ip = (void *)(DATA(ctx) + off);
	NEED(ip, struct iphdr, ctx, XDP_DROP);
	__u32 bytes = options ? ip->ihl * 4 : sizeof(*ip);
	if (bytes < sizeof(*ip) || ip->protocol != IPPROTO_TCP)
		return XDP_PASS;
	struct tcphdr *tcp = (void *)((__u8 *)ip + bytes);
	NEED(tcp, struct tcphdr, ctx, XDP_DROP);
	return tcp->dest == bpf_htons(80) ? XDP_TX : XDP_PASS;
}

SEC("xdp") int tcp_plain(struct xdp_md *ctx)
{
	return ports(ctx, 0);
}

SEC("xdp") int tcp_options(struct xdp_md *ctx)
{
	return ports(ctx, 1);
}

SEC("xdp") int tcp_option_walk(struct xdp_md *ctx)
{
	__u32 off;
	if (proto_at(ctx, &off, 0) != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	struct iphdr *ip = (void *)(DATA(ctx) + off);
	NEED(ip, struct iphdr, ctx, XDP_DROP);
	struct tcphdr *tcp = (void *)(ip + 1);
	NEED(tcp, struct tcphdr, ctx, XDP_DROP);
	__u8 *opt = (void *)(tcp + 1);
	for (int i = 0; i < 7; i++) {
		NEED(opt, __u8, ctx, XDP_PASS);
		if (*opt == 0)
			break;
		if (*opt == 1) {
			opt++;
			continue;
		}
		if (opt + 2 > END(ctx))
			break;
		if (opt[1] < 2 || opt[1] > 40)
			return XDP_DROP;
		opt += opt[1];
	}
	return XDP_PASS;
}

SEC("xdp") int ipv6_extensions(struct xdp_md *ctx)
{
	__u32 off;
	if (proto_at(ctx, &off, 1) != bpf_htons(ETH_P_IPV6))
		return XDP_PASS;
	struct ipv6hdr *ip = (void *)(DATA(ctx) + off);
	NEED(ip, struct ipv6hdr, ctx, XDP_DROP);
	__u8 next = ip->nexthdr;
	__u8 *at = (void *)(ip + 1);
	for (int i = 0; i < 4; i++) {
		if (next != 0 && next != 43 && next != 60)
			break;
		if (at + 8 > END(ctx))
			return XDP_DROP;
		next = at[0];
		at += 8 + at[1] * 8;
	}
	return next == IPPROTO_UDP ? XDP_TX : XDP_PASS;
}

SEC("xdp") int icmp_reply(struct xdp_md *ctx)
{
	__u32 off;
	if (proto_at(ctx, &off, 0) != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	struct ethhdr *eth = (void *)DATA(ctx);
	struct iphdr *ip = (void *)(eth + 1);
	struct icmphdr *icmp = (void *)(ip + 1);
	NEED(icmp, struct icmphdr, ctx, XDP_DROP);
	if (ip->protocol != IPPROTO_ICMP || icmp->type != ICMP_ECHO)
		return XDP_PASS;
	__u8 mac[6];
	__builtin_memcpy(mac, eth->h_source, 6);
	__builtin_memcpy(eth->h_source, eth->h_dest, 6);
	__builtin_memcpy(eth->h_dest, mac, 6);
	__be32 from = ip->saddr;
	ip->saddr = ip->daddr;
	ip->daddr = from;
	icmp->type = ICMP_ECHOREPLY;
	__u32 sum = icmp->checksum + bpf_htons(ICMP_ECHO << 8);
	icmp->checksum = sum + (sum >> 16);
	return XDP_TX;
}

SEC("xdp") int bad_no_check(struct xdp_md *ctx)
{
	struct ethhdr *eth = (void *)DATA(ctx);
	return eth->h_proto ? XDP_PASS : XDP_DROP;
}

SEC("xdp") int bad_check_of_another(struct xdp_md *ctx)
{
	struct ethhdr *eth = (void *)DATA(ctx);
	NEED(eth, struct ethhdr, ctx, XDP_DROP);
	struct iphdr *ip = (void *)(eth + 1);
	return ip->ttl > 3 ? XDP_PASS : XDP_DROP;
}

SEC("xdp") int bad_header_length(struct xdp_md *ctx)
{
	struct iphdr *ip = (void *)(DATA(ctx) + 14);
	NEED(ip, struct iphdr, ctx, XDP_DROP);
	struct tcphdr *tcp = (void *)((__u8 *)ip + ip->ihl * 4);
	return tcp->dest ? XDP_PASS : XDP_DROP;
}

SEC("xdp") int bad_length_of_frame(struct xdp_md *ctx)
{
	__u64 bytes = ctx->data_end - ctx->data;
	if (bytes < 34)
		return XDP_DROP;
	struct iphdr *ip = (void *)(DATA(ctx) + 14);
	return ip->ttl ? XDP_PASS : XDP_DROP;
}

SEC("xdp") int bad_end_by_one(struct xdp_md *ctx)
{
	__u8 *data = DATA(ctx);
	if (data + 14 > END(ctx))
		return XDP_DROP;
	return data[14];
}
