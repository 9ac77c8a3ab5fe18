// What the programs of this folder share. Each is about one kind of map or one family of helpers;
// what it finds goes into `out`, the packet or the return value, so that two machines can be compared.
#pragma once

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define OUTS 16

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, OUTS);
	__type(key, __u32);
	__type(value, __u64);
} out SEC(".maps");

static __always_inline void note(__u32 slot, __u64 value)
{
	__u64 *at = bpf_map_lookup_elem(&out, &slot);
	if (at)
		*at = value;
}

static __always_inline void add(__u32 slot, __u64 value)
{
	__u64 *at = bpf_map_lookup_elem(&out, &slot);
	if (at)
		*at += value;
}

#define DATA(ctx) ((__u8 *)(long)(ctx)->data)
#define DATA_END(ctx) ((__u8 *)(long)(ctx)->data_end)

// Byte `i` of the packet, 0 behind its end.
static __always_inline __u8 byte_at(struct xdp_md *ctx, __u32 i)
{
	__u8 *data = DATA(ctx);
	return data + i + 1 > DATA_END(ctx) ? 0 : data[i];
}

#define MAP(name, kind, entries, key_type, value_type) \
	struct {                                       \
		__uint(type, kind);                    \
		__uint(max_entries, entries);          \
		__type(key, key_type);                 \
		__type(value, value_type);             \
	} name SEC(".maps")

#define PROGRAM(name)   \
	SEC("xdp")      \
	int name(struct xdp_md *ctx)

char _license[] SEC("license") = "GPL";
