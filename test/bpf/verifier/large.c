#include "common.h"

struct flow {
	__be32 from[4], to[4];
	__be16 sport, dport;
	__u8 proto, v6, pad[2];
};
struct vip {
	__be32 addr[4];
	__be16 port;
	__u16 proto;
};
struct service {
	__u32 flags, number;
};
struct real {
	__be32 addr[4];
	__u32 v6;
};
struct connection {
	__u64 last;
	__u32 real, packets;
};
struct counters {
	__u64 packets, bytes;
};
struct rule {
	__be32 from, from_mask, to, to_mask;
	__u16 low, high;
	__u8 proto, verdict, used, pad;
};
#define RING 65537
#define RULES 64

MAP(services, HASH, struct vip, struct service, 512);
MAP(ring, ARRAY, __u32, __u32, RING * 8);
MAP(reals, ARRAY, __u32, struct real, 4096);
MAP(connections, LRU_HASH, struct flow, struct connection, 65536);
MAP(service_counters, PERCPU_ARRAY, __u32, struct counters, 512);
MAP(real_counters, PERCPU_ARRAY, __u32, struct counters, 4096);
struct ruleset {
	struct rule rules[RULES];
};
MAP(firewall, ARRAY, __u32, struct ruleset, 1);
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u32);
} stages SEC(".maps");

static __always_inline __u32 rotated(__u32 word, int by)
{
	return word << by | word >> (32 - by);
}

static __always_inline __u32 hashed(const __u32 *words, int count, __u32 seed)
{
	__u32 a = 0xdeadbeef + seed, b = a, c = a;
#pragma clang loop unroll(full)
	for (int i = 0; i + 2 < count; i += 3) {
		a += words[i], b += words[i + 1], c += words[i + 2];
		a -= c, a ^= rotated(c, 4), c += b;
		b -= a, b ^= rotated(a, 6), a += c;
		c -= b, c ^= rotated(b, 8), b += a;
		a -= c, a ^= rotated(c, 16), c += b;
		b -= a, b ^= rotated(a, 19), a += c;
		c -= b, c ^= rotated(b, 4), b += a;
	}
	return c;
}

static __always_inline void counted(void *map, __u32 number, __u32 bytes)
{
	struct counters *at = bpf_map_lookup_elem(map, &number);
	if (!at)
		return;
	at->packets++;
	at->bytes += bytes;
}

static __always_inline int parsed(struct xdp_md *ctx, struct flow *flow, __u32 *bytes)
{
	struct ethhdr *eth = (void *)DATA(ctx);
	void *next;
	NEED(eth, struct ethhdr, ctx, -1);
	if (eth->h_proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = (void *)(eth + 1);
		NEED(ip, struct iphdr, ctx, -1);
		if (ip->ihl != 5 || ip->frag_off & bpf_htons(0x3fff))
			return 1;
		flow->from[0] = ip->saddr;
		flow->to[0] = ip->daddr;
		flow->proto = ip->protocol;
		*bytes = bpf_ntohs(ip->tot_len);
		next = ip + 1;
	} else if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip = (void *)(eth + 1);
		NEED(ip, struct ipv6hdr, ctx, -1);
		__builtin_memcpy(flow->from, &ip->saddr, 16);
		__builtin_memcpy(flow->to, &ip->daddr, 16);
		flow->proto = ip->nexthdr;
		flow->v6 = 1;
		*bytes = bpf_ntohs(ip->payload_len) + sizeof(*ip);
		next = ip + 1;
	} else {
		return 1;
	}
	if (flow->proto != IPPROTO_TCP && flow->proto != IPPROTO_UDP)
		return 1;
	struct udphdr *ports = next;
	NEED(ports, struct udphdr, ctx, -1);
	flow->sport = ports->source;
	flow->dport = ports->dest;
	return 0;
}

static __always_inline struct real *chosen(struct flow *flow, __u32 service)
{
	__u64 now = bpf_ktime_get_ns();
	__u32 number;
	struct connection *known = bpf_map_lookup_elem(&connections, flow);
	if (known && now - known->last < 30000000000ull) {
		known->last = now;
		known->packets++;
		number = known->real;
	} else {
		__u32 key = hashed((void *)flow, sizeof(*flow) / 4, service) % RING + (service & 7) * RING;
		__u32 *entry = bpf_map_lookup_elem(&ring, &key);
		if (!entry)
			return 0;
		struct connection fresh = { now, *entry, 1 };
		bpf_map_update_elem(&connections, flow, &fresh, BPF_ANY);
		number = *entry;
	}
	counted(&real_counters, number, 1);
	return bpf_map_lookup_elem(&reals, &number);
}

static __always_inline int sent4(struct xdp_md *ctx, struct flow *flow, struct real *real, __u32 bytes)
{
	struct ethhdr mac;
	struct ethhdr *eth = (void *)DATA(ctx);
	NEED(eth, struct ethhdr, ctx, XDP_DROP);
	mac = *eth;
	if (bpf_xdp_adjust_head(ctx, -(int)sizeof(struct iphdr)))
		return XDP_DROP;
	eth = (void *)DATA(ctx);
	struct iphdr *ip = (void *)(eth + 1);
	NEED(ip, struct iphdr, ctx, XDP_DROP);
	__builtin_memcpy(eth->h_dest, mac.h_source, 6);
	__builtin_memcpy(eth->h_source, mac.h_dest, 6);
	eth->h_proto = bpf_htons(ETH_P_IP);
	__u16 *word = (void *)ip;
	*ip = (struct iphdr){ .version = 4, .ihl = 5, .ttl = 64, .tot_len = bpf_htons(bytes + sizeof(*ip)) };
	ip->protocol = flow->v6 ? IPPROTO_IPV6 : IPPROTO_IPIP;
	ip->saddr = hashed((void *)flow, 3, 7) | bpf_htonl(0xac100000);
	ip->daddr = real->addr[0];
	__u32 sum = 0;
#pragma clang loop unroll(full)
	for (int i = 0; i < 10; i++)
		sum += word[i];
	sum = (sum & 0xffff) + (sum >> 16);
	ip->check = ~(sum + (sum >> 16));
	return XDP_TX;
}

static __always_inline int sent6(struct xdp_md *ctx, struct flow *flow, struct real *real, __u32 bytes)
{
	struct ethhdr mac;
	struct ethhdr *eth = (void *)DATA(ctx);
	NEED(eth, struct ethhdr, ctx, XDP_DROP);
	mac = *eth;
	if (bpf_xdp_adjust_head(ctx, -(int)sizeof(struct ipv6hdr)))
		return XDP_DROP;
	eth = (void *)DATA(ctx);
	struct ipv6hdr *ip = (void *)(eth + 1);
	NEED(ip, struct ipv6hdr, ctx, XDP_DROP);
	__builtin_memcpy(eth->h_dest, mac.h_source, 6);
	__builtin_memcpy(eth->h_source, mac.h_dest, 6);
	eth->h_proto = bpf_htons(ETH_P_IPV6);
	__builtin_memset(ip, 0, sizeof(*ip));
	ip->version = 6;
	ip->hop_limit = 64;
	ip->payload_len = bpf_htons(bytes);
	ip->nexthdr = flow->v6 ? IPPROTO_IPV6 : IPPROTO_IPIP;
	__builtin_memcpy(&ip->daddr, real->addr, 16);
	ip->saddr.in6_u.u6_addr32[3] = hashed((void *)flow, 3, 7);
	return XDP_TX;
}

SEC("xdp") int balancer(struct xdp_md *ctx)
{
	struct flow flow = {};
	__u32 bytes = 0;
	int err = parsed(ctx, &flow, &bytes);
	if (err)
		return err < 0 ? XDP_DROP : XDP_PASS;
	struct vip vip = { .port = flow.dport, .proto = flow.proto };
	__builtin_memcpy(vip.addr, flow.to, 16);
	struct service *service = bpf_map_lookup_elem(&services, &vip);
	if (!service) {
		vip.port = 0;
		service = bpf_map_lookup_elem(&services, &vip);
		if (!service)
			return XDP_PASS;
	}
	if (service->flags & 1)
		flow.sport = 0;
	counted(&service_counters, service->number, bytes);
	struct real *real = chosen(&flow, service->number);
	if (!real)
		return XDP_DROP;
	return real->v6 ? sent6(ctx, &flow, real, bytes) : sent4(ctx, &flow, real, bytes);
}

static __always_inline int matches(const struct rule *rule, const struct flow *flow)
{
	if (!rule->used || (rule->proto && rule->proto != flow->proto))
		return 0;
	if ((flow->from[0] & rule->from_mask) != rule->from || (flow->to[0] & rule->to_mask) != rule->to)
		return 0;
	__u16 port = bpf_ntohs(flow->dport);
	return port >= rule->low && port <= rule->high;
}

SEC("xdp") int rules_unrolled(struct xdp_md *ctx)
{
	struct flow flow = {};
	__u32 bytes, zero = 0;
	if (parsed(ctx, &flow, &bytes))
		return XDP_PASS;
	struct ruleset *set = bpf_map_lookup_elem(&firewall, &zero);
	if (!set)
		return XDP_ABORTED;
#pragma clang loop unroll(full)
	for (int i = 0; i < RULES; i++)
		if (matches(&set->rules[i], &flow))
			return set->rules[i].verdict & 3;
	return XDP_PASS;
}

SEC("xdp") int rules_looped(struct xdp_md *ctx)
{
	struct flow flow = {};
	__u32 bytes, zero = 0;
	if (parsed(ctx, &flow, &bytes))
		return XDP_PASS;
	struct ruleset *set = bpf_map_lookup_elem(&firewall, &zero);
	if (!set)
		return XDP_ABORTED;
#pragma clang loop unroll(disable)
	for (int i = 0; i < RULES; i++)
		if (matches(&set->rules[i], &flow))
			return set->rules[i].verdict & 3;
	return XDP_PASS;
}

SEC("xdp") int bad_rules_beyond(struct xdp_md *ctx)
{
	struct flow flow = {};
	__u32 bytes, zero = 0;
	if (parsed(ctx, &flow, &bytes))
		return XDP_PASS;
	struct ruleset *set = bpf_map_lookup_elem(&firewall, &zero);
	if (!set)
		return XDP_ABORTED;
#pragma clang loop unroll(disable)
	for (int i = 0; i <= RULES; i++)
		if (matches(&set->rules[i], &flow))
			return set->rules[i].verdict & 3;
	return XDP_PASS;
}

SEC("xdp") int whole_packet_summed(struct xdp_md *ctx)
{
	__u8 *at = DATA(ctx);
	__u64 sum = 0;
#pragma clang loop unroll(disable)
	for (int i = 0; i < 375; i++) {
		if (at + 4 > END(ctx))
			break;
		sum += *(__u32 *)at;
		at += 4;
	}
	sum = (sum & 0xffffffff) + (sum >> 32);
	return sum & 1 ? XDP_PASS : XDP_DROP;
}

SEC("xdp") int hashed_often(struct xdp_md *ctx)
{
	__u8 *data = DATA(ctx);
	__u32 sum = 0;
	if (data + 192 > END(ctx))
		return XDP_PASS;
#pragma clang loop unroll(full)
	for (int i = 0; i < 100; i++) {
		__u32 words[3] = { data[i], data[i + 20], data[i + 40] };
		sum ^= hashed(words, 3, sum);
		asm volatile("" : "+r"(sum) : : "memory");
	}
	return sum & 3;
}

SEC("xdp") int staged(struct xdp_md *ctx)
{
	struct flow flow = {};
	__u32 bytes;
	switch (parsed(ctx, &flow, &bytes)) {
	case 0:
		bpf_tail_call(ctx, &stages, flow.proto == IPPROTO_TCP ? 0 : 1);
		break;
	case 1:
		bpf_tail_call(ctx, &stages, 2);
		break;
	default:
		return XDP_DROP;
	}
	return XDP_PASS;
}
