/* Map definitions of every form: sizes, types, flags, inner maps, initial values, externs. */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

struct flow {
	__be32 saddr;
	__be32 daddr;
	__u8 proto;
};

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} left SEC(".maps"), right SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 8);
	__uint(key_size, sizeof(__u32));
	__array(values, struct inner);
} outer SEC(".maps") = {
	.values = { [1] = &left, [6] = &right },
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 16);
	__type(key, struct flow);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_LRU_HASH);
		__uint(max_entries, 32);
		__type(key, __u32);
		__type(value, struct flow);
	});
} by_flow SEC(".maps");

int tail_one(struct xdp_md *ctx);
int tail_two(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, sizeof(__u32));
	__array(values, int(void *));
} jumps SEC(".maps") = {
	.values = { [0] = (void *)&tail_one, [3] = (void *)&tail_two },
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 100);
	__uint(map_extra, 3);
	__uint(value_size, 8);
} bloom SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 64);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(key_size, 8);
	__uint(value_size, 4);
	__uint(pinning, LIBBPF_PIN_NONE);
} prefixes SEC(".maps");

extern int LINUX_KERNEL_VERSION __kconfig;
extern unsigned int CONFIG_HZ __kconfig __weak;
extern bool CONFIG_NO_SUCH_THING __kconfig __weak;

SEC("xdp")
int tail_one(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &jumps, 3);
	return XDP_DROP;
}

SEC("xdp")
int tail_two(struct xdp_md *ctx)
{
	__u32 index = ctx->rx_queue_index;
	void *chosen = bpf_map_lookup_elem(&outer, &index);
	__u64 *value;

	if (!chosen)
		return XDP_ABORTED;
	value = bpf_map_lookup_elem(chosen, &index);
	return value && *value ? XDP_TX : XDP_PASS;
}

SEC("xdp")
int externs(struct xdp_md *ctx)
{
	struct flow key = {};
	__u64 item = CONFIG_HZ;

	bpf_map_push_elem(&bloom, &item, 0);
	bpf_ringbuf_output(&events, &item, sizeof(item), 0);
	if (CONFIG_NO_SUCH_THING)
		return XDP_ABORTED;
	if (bpf_map_lookup_elem(&by_flow, &key))
		return XDP_DROP;
	if (bpf_map_lookup_elem(&prefixes, &item))
		return XDP_TX;
	return LINUX_KERNEL_VERSION >= 0x60000 ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "GPL";
