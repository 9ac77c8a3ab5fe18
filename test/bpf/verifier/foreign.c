// Maps that no packet program of this machine can fill: the verifier still knows who may call what on
// them. And the ring that user space writes, whose samples a callback reads.
#include "common.h"

struct value {
	__u64 words[4];
};
// newer than some headers
#ifndef BPF_MAP_TYPE_CGRP_STORAGE
#define BPF_MAP_TYPE_CGRP_STORAGE 32
#endif
#define STORAGE(name, kind)                                                                      \
	struct {                                                                                     \
		__uint(type, BPF_MAP_TYPE_##kind);                                                       \
		__uint(map_flags, BPF_F_NO_PREALLOC);                                                    \
		__type(key, int);                                                                        \
		__type(value, struct value);                                                             \
	} name SEC(".maps")

MAP(groups, REUSEPORT_SOCKARRAY, __u32, __u64, 1);
STORAGE(of_sockets, SK_STORAGE);
STORAGE(of_tasks, TASK_STORAGE);
STORAGE(of_cgroups, CGRP_STORAGE);
STORAGE(of_inodes, INODE_STORAGE);
struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_STORAGE);
	__type(key, struct bpf_cgroup_storage_key);
	__type(value, struct value);
} of_cgroup SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} orders SEC(".maps");
MAP(plain, HASH, __u32, struct value, 4);

// The others of the object do not stand in the way.
SEC("xdp")
int beside_them(struct xdp_md *ctx)
{
	__u32 key = 1;
	struct value *value = bpf_map_lookup_elem(&plain, &key);

	return value ? (int)value->words[0] & 1 : XDP_PASS;
}

#define LOOKS_UP(map)                                                                            \
	SEC("xdp") int bad_lookup_##map(struct xdp_md *ctx)                                          \
	{                                                                                            \
		__u64 key[2] = {};                                                                       \
                                                                                                 \
		return bpf_map_lookup_elem(&map, key) ? XDP_PASS : XDP_DROP;                             \
	}                                                                                            \
	SEC("xdp") int read_##map(struct xdp_md *ctx)                                                \
	{                                                                                            \
		return *(volatile __u32 *)((char *)&map + 64) & 1;                                       \
	}
LOOKS_UP(groups)
LOOKS_UP(of_sockets)
LOOKS_UP(of_tasks)
LOOKS_UP(of_cgroups)
LOOKS_UP(of_inodes)
LOOKS_UP(of_cgroup)
LOOKS_UP(orders)

__u32 last;

static long reads(struct bpf_dynptr *sample, void *count)
{
	__u32 value = 0;

	bpf_dynptr_read(&value, sizeof(value), sample, 0, 0);
	last = value;
	*(__u32 *)count += 1;
	return 0;
}
static long slices(struct bpf_dynptr *sample, void *count)
{
	__u32 *value = bpf_dynptr_data(sample, 4, sizeof(*value));

	if (value)
		last = *value;
	return value == NULL;
}
static long stops_badly(struct bpf_dynptr *sample, void *count)
{
	return 2;
}
static long writes_it(struct bpf_dynptr *sample, void *count)
{
	*(volatile __u32 *)sample = 1;
	return 0;
}
static long gives_back(struct bpf_dynptr *sample, void *count)
{
	bpf_ringbuf_discard_dynptr(sample, 0);
	return 0;
}
static long moves(struct bpf_dynptr *sample, void *count)
{
	__u32 value;

	bpf_dynptr_read(&value, sizeof(value), (void *)sample + 16, 0, 0);
	return 0;
}
static long remakes(struct bpf_dynptr *sample, void *count)
{
	bpf_dynptr_from_mem(&last, sizeof(last), 0, sample);
	return 0;
}
#define DRAINS(name, callback)                                                                   \
	SEC("xdp") int name(struct xdp_md *ctx)                                                      \
	{                                                                                            \
		__u32 count = 0;                                                                         \
                                                                                                 \
		bpf_user_ringbuf_drain(&orders, callback, &count, 0);                                    \
		return count ? XDP_DROP : XDP_PASS;                                                      \
	}
DRAINS(drain_reads, reads)
DRAINS(drain_slices, slices)
DRAINS(bad_drain_result, stops_badly)
DRAINS(bad_drain_writes, writes_it)
DRAINS(bad_drain_gives_back, gives_back)
DRAINS(bad_drain_moves, moves)
DRAINS(bad_drain_remakes, remakes)

SEC("xdp")
int bad_drain_other_map(struct xdp_md *ctx)
{
	bpf_user_ringbuf_drain(&plain, reads, &last, 0);
	return XDP_PASS;
}

// What the kernel keeps for itself inside values.
struct bpf_wq {
	__u64 opaque[2];
} __attribute__((aligned(8)));
struct queued {
	struct bpf_wq queue;
	__u64 after;
};
MAP(queues, ARRAY, __u32, struct queued, 1);

#define VALUE_OF(map, type)                                                                      \
	__u32 key = 0;                                                                               \
	type *value = bpf_map_lookup_elem(&map, &key);                                               \
                                                                                                 \
	if (!value)                                                                                  \
	return XDP_PASS
SEC("xdp") int beside_queue(struct xdp_md *ctx)
{
	VALUE_OF(queues, struct queued);
	return value->after & 1;
}
SEC("xdp") int bad_reads_queue(struct xdp_md *ctx)
{
	VALUE_OF(queues, struct queued);
	return ((volatile __u64 *)value)[1] & 1;
}
SEC("xdp") int bad_writes_queue(struct xdp_md *ctx)
{
	VALUE_OF(queues, struct queued);
	*(volatile __u32 *)value = 1;
	return XDP_PASS;
}
