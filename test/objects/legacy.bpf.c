/* A `maps` section as before BTF: 20 bytes a map, or 28 with LEGACY=28, or iproute2's 36 with LEGACY=36. */
#include <linux/bpf.h>
#define SEC(name) __attribute__((section(name), used))
static void *(*bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*bpf_tail_call)(void *ctx, void *map, __u32 index) = (void *)12;

#if LEGACY == 36
struct bpf_elf_map {
	__u32 type, size_key, size_value, max_elem, flags, id, pinning, inner_id, inner_idx;
};

struct bpf_elf_map SEC("maps") jumps = {
	.type = BPF_MAP_TYPE_PROG_ARRAY, .size_key = 4, .size_value = 4, .max_elem = 2, .id = 5,
};
struct bpf_elf_map SEC("maps") inner = {
	.type = BPF_MAP_TYPE_ARRAY, .size_key = 4, .size_value = 8, .max_elem = 1, .id = 9,
	.inner_idx = 1,
};
struct bpf_elf_map SEC("maps") outer = {
	.type = BPF_MAP_TYPE_ARRAY_OF_MAPS, .size_key = 4, .size_value = 4, .max_elem = 3, .inner_id = 9,
};

SEC("5/1")
int tail(struct xdp_md *ctx)
{
	__u32 key = 1;

	return bpf_map_lookup_elem(&outer, &key) ? XDP_TX : XDP_PASS;
}

SEC("prog")
int entry(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &jumps, 1);
	return XDP_DROP;
}
#else
struct bpf_map_def {
	unsigned int type, key_size, value_size, max_entries, map_flags;
#if LEGACY == 28
	unsigned int inner_map_idx, numa_node;
#endif
};

struct bpf_map_def SEC("maps") hits = {
	.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 16,
};
struct bpf_map_def SEC("maps") paths = {
#if LEGACY == 28
	.type = BPF_MAP_TYPE_HASH_OF_MAPS, .key_size = 8, .value_size = 4, .max_entries = 32,
	.inner_map_idx = 0,
#else
	.type = BPF_MAP_TYPE_HASH, .key_size = 8, .value_size = 8, .max_entries = 32,
	.map_flags = BPF_F_NO_PREALLOC,
#endif
};

SEC("xdp_count")
int count(struct xdp_md *ctx)
{
	__u32 key = 3;
	__u64 path = 1;
	__u64 *value = bpf_map_lookup_elem(&hits, &key);

	if (value)
		*value += 1;
	return bpf_map_lookup_elem(&paths, &path) ? XDP_TX : XDP_PASS;
}
#endif

char _license[] SEC("license") = "GPL";
