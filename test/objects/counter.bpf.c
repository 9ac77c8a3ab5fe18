/* Global data of every kind, a per-CPU array, static and global subprograms, a callback. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

struct counts {
	__u64 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct counts);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u32);
} seen SEC(".maps");

const volatile __u32 limit = 1500;
const volatile __u16 port = 443;
static volatile const char label[] SEC(".rodata.label") = "counter";
__u64 total = 0x1122334455667788;
static volatile __u32 offset_in_data = 7;
__u32 errors;
static volatile __u64 last[3];

static __noinline int account(struct xdp_md *ctx, __u32 index)
{
	struct counts *counts = bpf_map_lookup_elem(&counters, &index);

	if (!counts)
		return -1;
	counts->packets++;
	counts->bytes += ctx->data_end - ctx->data;
	return 0;
}

__noinline int verdict_of(struct xdp_md *ctx, int action)
{
	if (account(ctx, action & 3) < 0)
		errors++;
	return action;
}

static long visit(__u32 index, void *data)
{
	last[index & 1] += index;
	return 0;
}

SEC("xdp")
int count(struct xdp_md *ctx)
{
	__u32 length = ctx->data_end - ctx->data;
	__u64 key = port;

	total += length;
	last[2] = offset_in_data + label[1];
	bpf_map_update_elem(&seen, &key, &length, BPF_ANY);
	bpf_loop(4, visit, (void *)0, 0);
	return verdict_of(ctx, length > limit ? XDP_DROP : XDP_PASS);
}

SEC("xdp")
int count_twice(struct xdp_md *ctx)
{
	account(ctx, 0);
	verdict_of(ctx, XDP_TX);
	return verdict_of(ctx, XDP_DROP);
}

char _license[] SEC("license") = "GPL";
