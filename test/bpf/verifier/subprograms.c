#include "common.h"

struct key {
	__u32 a, b;
	__u64 c;
};
MAP(hash, HASH, struct key, __u64, 64);
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u32);
} chain SEC(".maps");

static __attribute__((noinline)) int mixed(struct key *key, __u32 salt)
{
	key->c = key->a * 31ull + key->b + salt;
	return key->c & 7;
}

static __attribute__((noinline)) int checked(struct xdp_md *ctx, __u32 at)
{
	__u8 *data = DATA(ctx);
	if (at > 100 || data + at + 4 > END(ctx))
		return -1;
	return *(__u32 *)(data + at) & 0xffff;
}

static __attribute__((noinline)) __u8 *advanced(__u8 *at, __u8 *end, __u32 by)
{
	if (by > 64 || at + by + 8 > end)
		return 0;
	return at + by;
}

__attribute__((noinline)) int global_number(int a, int b)
{
	return a * b + 3;
}

__attribute__((noinline)) int global_context(struct xdp_md *ctx)
{
	return ctx->data_end - ctx->data > 100;
}

__attribute__((noinline)) int global_struct(struct key *key)
{
	if (!key)
		return -1;
	key->c++;
	return key->a;
}

__attribute__((noinline)) int global_nonnull(struct key *key __attribute__((btf_decl_tag("arg:nonnull"))))
{
	return key->a + key->b;
}

__attribute__((noinline)) int global_unchecked(struct key *key)
{
	return key->a;
}

SEC("xdp") int static_struct(struct xdp_md *ctx)
{
	struct key key = { ctx->rx_queue_index, 2 };
	return mixed(&key, 5) + key.c;
}

SEC("xdp") int static_packet(struct xdp_md *ctx)
{
	int a = checked(ctx, 12), b = checked(ctx, 40);
	return a == b ? XDP_DROP : XDP_PASS;
}

SEC("xdp") int static_pointer(struct xdp_md *ctx)
{
	__u8 *at = advanced(DATA(ctx), END(ctx), ctx->rx_queue_index);
	return at ? at[7] & 3 : XDP_DROP;
}

SEC("xdp") int global_numbers(struct xdp_md *ctx)
{
	return global_number(ctx->rx_queue_index, 4) & 3;
}

SEC("xdp") int global_contexts(struct xdp_md *ctx)
{
	return global_context(ctx) ? XDP_PASS : XDP_DROP;
}

SEC("xdp") int global_structs(struct xdp_md *ctx)
{
	struct key key = { 1, 2, 3 };
	return (global_struct(&key) + global_nonnull(&key)) & 3;
}

SEC("xdp") int global_with_null(struct xdp_md *ctx)
{
	return global_struct(0) & 3;
}

SEC("xdp") int tail_static(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &chain, 3);
	return XDP_PASS;
}

SEC("xdp") int tail_variable(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &chain, ctx->rx_queue_index);
	return XDP_PASS;
}

static __attribute__((noinline)) int jumps_away(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &chain, 1);
	return XDP_DROP;
}

SEC("xdp") int tail_from_subprogram(struct xdp_md *ctx)
{
	__u8 *data = DATA(ctx);
	if (data + 14 > END(ctx))
		return XDP_DROP;
	return jumps_away(ctx);
}

static __attribute__((noinline)) int deep3(__u64 *at)
{
	volatile __u64 room[20] = {};
	room[at[0] & 15] = 1;
	return room[3];
}
static __attribute__((noinline)) int deep2(__u64 *at)
{
	volatile __u64 room[16] = {};
	room[at[0] & 15] = 1;
	return deep3(at) + room[2];
}

SEC("xdp") int stack_shared(struct xdp_md *ctx)
{
	__u64 value[4] = { ctx->rx_queue_index };
	return deep2(value) & 3;
}

SEC("xdp") int bad_unchecked_argument(struct xdp_md *ctx)
{
	struct key key = { 1, 2, 3 };
	return global_unchecked(&key);
}

SEC("xdp") int null_argument(struct xdp_md *ctx)
{
	return global_nonnull(0);
}

SEC("xdp") int bad_short_argument(struct xdp_md *ctx)
{
	__u64 small = 0;
	return global_struct((void *)&small);
}

SEC("xdp") int bad_packet_after_tail_call(struct xdp_md *ctx)
{
	__u8 *data = DATA(ctx);
	if (data + 14 > END(ctx))
		return XDP_DROP;
	jumps_away(ctx);
	return data[3];
}

static __attribute__((noinline)) int large2(__u64 *at)
{
	volatile __u64 room[40] = {};
	room[at[0] & 31] = 1;
	return room[3];
}
static __attribute__((noinline)) int large1(__u64 *at)
{
	volatile __u64 room[40] = {};
	room[at[0] & 31] = 1;
	return large2(at) + room[2];
}

SEC("xdp") int bad_stack_too_large(struct xdp_md *ctx)
{
	__u64 value[4] = { ctx->rx_queue_index };
	return large1(value) & 3;
}
