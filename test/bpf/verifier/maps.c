#include "common.h"

struct flow {
	__be32 from, to;
	__be16 sport, dport;
	__u32 proto;
};
struct stats {
	__u64 packets, bytes;
	__u8 name[16];
};
struct prefix {
	__u32 bits;
	__be32 addr;
};

MAP(hash, HASH, struct flow, struct stats, 1024);
MAP(percpu, PERCPU_ARRAY, __u32, struct stats, 16);
MAP(percpu_hash, PERCPU_HASH, struct flow, struct stats, 64);
MAP(array, ARRAY, __u32, struct stats, 64);
MAP(lru, LRU_HASH, struct flow, struct stats, 1024);
MAP(devs, DEVMAP, __u32, __u32, 8);
MAP(cpus, CPUMAP, __u32, __u32, 8);
MAP(sockets, XSKMAP, __u32, __u32, 8);
MAP(bloom_key, HASH, __u64, __u64, 4);
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 16);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix);
	__type(value, __u32);
} routes SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 16);
	__type(value, __u64);
} queue SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, 16);
	__type(value, __u64);
} stack SEC(".maps");
struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct stats);
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner);
} tables SEC(".maps");

const volatile __u32 limit = 32;
__u64 seen[8];
static __u32 hidden;

static __always_inline int flow_of(struct xdp_md *ctx, struct flow *flow)
{
	struct iphdr *ip = (void *)(DATA(ctx) + 14);
	NEED(ip, struct iphdr, ctx, -1);
	struct udphdr *udp = (void *)(ip + 1);
	NEED(udp, struct udphdr, ctx, -1);
	*flow = (struct flow){ ip->saddr, ip->daddr, udp->source, udp->dest, ip->protocol };
	return 0;
}

#define COUNT(name, map)                                                                         \
	SEC("xdp") int name(struct xdp_md *ctx)                                                      \
	{                                                                                            \
		struct flow flow;                                                                        \
		if (flow_of(ctx, &flow))                                                                 \
			return XDP_DROP;                                                                     \
		struct stats *at = bpf_map_lookup_elem(&map, &flow);                                     \
		if (at) {                                                                                \
			at->packets++;                                                                       \
			at->bytes += ctx->data_end - ctx->data;                                              \
			return XDP_PASS;                                                                     \
		}                                                                                        \
		struct stats fresh = { .packets = 1 };                                                   \
		bpf_map_update_elem(&map, &flow, &fresh, BPF_NOEXIST);                                   \
		return XDP_PASS;                                                                         \
	}
COUNT(count_hash, hash)
COUNT(count_lru, lru)
COUNT(count_percpu, percpu_hash)

SEC("xdp") int array_masked(struct xdp_md *ctx)
{
	__u32 key = ctx->rx_queue_index & 63;
	struct stats *at = bpf_map_lookup_elem(&array, &key);
	if (!at)
		return XDP_ABORTED;
	at->name[ctx->ingress_ifindex & 15] = 1;
	return XDP_PASS;
}

SEC("xdp") int array_compared(struct xdp_md *ctx)
{
	__u32 key = 3, i = ctx->ingress_ifindex;
	struct stats *at = bpf_map_lookup_elem(&array, &key);
	if (!at || i >= 16)
		return XDP_ABORTED;
	return at->name[i];
}

SEC("xdp") int globals(struct xdp_md *ctx)
{
	__u32 i = ctx->rx_queue_index;
	if (i < sizeof(seen) / sizeof(seen[0]))
		seen[i]++;
	if (limit > 16)
		hidden++;
	return hidden & 3;
}

SEC("xdp") int longest_prefix(struct xdp_md *ctx)
{
	struct flow flow;
	if (flow_of(ctx, &flow))
		return XDP_DROP;
	struct prefix key = { 32, flow.from };
	__u32 *verdict = bpf_map_lookup_elem(&routes, &key);
	return verdict ? *verdict & 3 : XDP_PASS;
}

SEC("xdp") int queues(struct xdp_md *ctx)
{
	__u64 value = ctx->data_end - ctx->data;
	bpf_map_push_elem(&queue, &value, BPF_EXIST);
	bpf_map_push_elem(&stack, &value, 0);
	if (bpf_map_pop_elem(&queue, &value) || bpf_map_peek_elem(&stack, &value))
		return XDP_PASS;
	return value & 1;
}

SEC("xdp") int map_of_maps(struct xdp_md *ctx)
{
	__u32 key = ctx->rx_queue_index & 3;
	void *table = bpf_map_lookup_elem(&tables, &key);
	if (!table)
		return XDP_PASS;
	struct stats *at = bpf_map_lookup_elem(table, &key);
	if (!at)
		return XDP_PASS;
	__sync_fetch_and_add(&at->packets, 1);
	return XDP_DROP;
}

SEC("xdp") int redirects(struct xdp_md *ctx)
{
	__u32 i = ctx->rx_queue_index;
	if (i & 1)
		return bpf_redirect_map(&devs, i, XDP_PASS);
	if (i & 2)
		return bpf_redirect_map(&cpus, i, XDP_PASS);
	if (bpf_map_lookup_elem(&sockets, &i))
		return bpf_redirect_map(&sockets, i, 0);
	return bpf_redirect(2, 0);
}

SEC("xdp") int percpu_other(struct xdp_md *ctx)
{
	__u32 key = 1;
	struct stats *at = bpf_map_lookup_percpu_elem(&percpu, &key, 0);
	return at ? at->packets & 1 : XDP_PASS;
}

SEC("xdp") int bad_null(struct xdp_md *ctx)
{
	__u32 key = ctx->rx_queue_index;
	struct stats *at = bpf_map_lookup_elem(&array, &key);
	return at->packets;
}

SEC("xdp") int bad_index(struct xdp_md *ctx)
{
	__u32 i = ctx->rx_queue_index;
	if (i <= sizeof(seen) / sizeof(seen[0]))
		seen[i]++;
	return XDP_PASS;
}

SEC("xdp") int bad_constant_written(struct xdp_md *ctx)
{
	*(volatile __u32 *)&limit = 4;
	return XDP_PASS;
}

SEC("xdp") int bad_half_key(struct xdp_md *ctx)
{
	__u32 part = ctx->rx_queue_index;
	return bpf_map_lookup_elem(&hash, &part) ? XDP_PASS : XDP_DROP;
}

SEC("xdp") int bad_inner_null(struct xdp_md *ctx)
{
	__u32 key = 0;
	void *table = bpf_map_lookup_elem(&tables, &key);
	struct stats *at = bpf_map_lookup_elem(table, &key);
	return at ? XDP_PASS : XDP_DROP;
}

SEC("xdp") int bad_redirect(struct xdp_md *ctx)
{
	return bpf_redirect_map(&hash, 0, 0);
}

SEC("xdp") int bad_program_array(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &hash, 0);
	return XDP_PASS;
}
// Another CPU than the first may run it.
SEC("xdp") int bad_trusts_first_cpu(struct xdp_md *ctx)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return cpu == 0 ? XDP_PASS : *(volatile __u8 *)(long)ctx->data;
}
