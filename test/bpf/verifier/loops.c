#include "common.h"

struct bpf_iter_num {
	__u64 __opaque[1];
} __attribute__((aligned(8)));
struct bpf_iter_bits {
	__u64 __opaque[2];
} __attribute__((aligned(8)));

extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;
extern int bpf_iter_bits_new(struct bpf_iter_bits *it, const __u64 *words, __u32 count) __ksym;
extern int *bpf_iter_bits_next(struct bpf_iter_bits *it) __ksym;
extern void bpf_iter_bits_destroy(struct bpf_iter_bits *it) __ksym;

MAP(array, ARRAY, __u32, __u64, 64);
MAP(hash, HASH, __u64, __u64, 64);
__u64 sums[16];

SEC("xdp") int unrolled(struct xdp_md *ctx)
{
	__u8 *data = DATA(ctx);
	__u32 sum = 0;
	if (data + 64 > END(ctx))
		return XDP_DROP;
#pragma clang loop unroll(full)
	for (int i = 0; i < 64; i++)
		sum += data[i] * (i + 1);
	return sum & 3;
}

SEC("xdp") int bounded(struct xdp_md *ctx)
{
	__u8 *data = DATA(ctx);
	__u32 sum = 0;
#pragma clang loop unroll(disable)
	for (int i = 0; i < 200; i++) {
		if (data + i + 1 > END(ctx))
			break;
		sum += data[i];
	}
	return sum & 3;
}

SEC("xdp") int bounded_by_packet(struct xdp_md *ctx)
{
	__u8 *data = DATA(ctx);
	if (data + 1 > END(ctx))
		return XDP_DROP;
	__u32 count = *data & 31, sum = 0;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < count; i++)
		sum += i * i;
	return sum & 3;
}

SEC("xdp") int nested(struct xdp_md *ctx)
{
	__u32 sum = ctx->rx_queue_index;
#pragma clang loop unroll(disable)
	for (int i = 0; i < 12; i++)
#pragma clang loop unroll(disable)
		for (int j = 0; j < 12; j++)
			sum = sum * 31 + i * j;
	return sum & 3;
}

struct walk {
	__u64 sum;
	__u32 wanted;
};

static long add_turn(__u32 turn, void *data)
{
	struct walk *walk = data;
	walk->sum += turn;
	return turn >= walk->wanted;
}

SEC("xdp") int called_back(struct xdp_md *ctx)
{
	struct walk walk = { 0, ctx->rx_queue_index };
	bpf_loop(1000, add_turn, &walk, 0);
	return walk.sum & 3;
}

static long inner_turn(__u32 turn, void *data)
{
	sums[turn & 15]++;
	return 0;
}

static long outer_turn(__u32 turn, void *data)
{
	bpf_loop(turn, inner_turn, 0, 0);
	return 0;
}

SEC("xdp") int called_back_twice(struct xdp_md *ctx)
{
	bpf_loop(ctx->rx_queue_index, outer_turn, 0, 0);
	return XDP_PASS;
}

static long each(void *map, const __u64 *key, __u64 *value, struct walk *walk)
{
	walk->sum += *value;
	*value = 0;
	return walk->sum > 1000;
}

SEC("xdp") int for_each_hash(struct xdp_md *ctx)
{
	struct walk walk = {};
	bpf_for_each_map_elem(&hash, each, &walk, 0);
	return walk.sum & 3;
}

SEC("xdp") int numbers(struct xdp_md *ctx)
{
	struct bpf_iter_num it;
	__u64 sum = 0;
	int *i;
	bpf_iter_num_new(&it, 0, 100);
	while ((i = bpf_iter_num_next(&it))) {
		if (*i < 16)
			sums[*i & 15] += *i;
		sum += *i;
	}
	bpf_iter_num_destroy(&it);
	return sum & 3;
}

SEC("xdp") int numbers_nested(struct xdp_md *ctx)
{
	struct bpf_iter_num outer, inner;
	__u64 sum = 0;
	int *i, *j;
	bpf_iter_num_new(&outer, 0, 10);
	while ((i = bpf_iter_num_next(&outer))) {
		bpf_iter_num_new(&inner, 0, *i);
		while ((j = bpf_iter_num_next(&inner)))
			sum += *j;
		bpf_iter_num_destroy(&inner);
	}
	bpf_iter_num_destroy(&outer);
	return sum & 3;
}

SEC("xdp") int set_bits(struct xdp_md *ctx)
{
	struct bpf_iter_bits it;
	__u64 word = ctx->rx_queue_index, sum = 0;
	int *bit;
	bpf_iter_bits_new(&it, &word, 1);
	while ((bit = bpf_iter_bits_next(&it)))
		sum += *bit;
	bpf_iter_bits_destroy(&it);
	return sum & 3;
}

SEC("xdp") int bad_endless(struct xdp_md *ctx)
{
	while (bpf_get_prandom_u32() != 7)
		;
	return XDP_PASS;
}

SEC("xdp") int bad_iterator_kept(struct xdp_md *ctx)
{
	struct bpf_iter_num it;
	bpf_iter_num_new(&it, 0, 100);
	int *i = bpf_iter_num_next(&it);
	return i ? *i & 3 : XDP_PASS;
}

SEC("xdp") int bad_iterator_element(struct xdp_md *ctx)
{
	struct bpf_iter_num it;
	bpf_iter_num_new(&it, 0, 100);
	int value = *bpf_iter_num_next(&it);
	bpf_iter_num_destroy(&it);
	return value & 3;
}

SEC("xdp") int bad_iterator_index(struct xdp_md *ctx)
{
	struct bpf_iter_num it;
	int *i;
	bpf_iter_num_new(&it, 0, 100);
	while ((i = bpf_iter_num_next(&it)))
		sums[*i]++;
	bpf_iter_num_destroy(&it);
	return XDP_PASS;
}

static long bad_turn(__u32 turn, void *data)
{
	sums[turn] = 1;
	return 0;
}

SEC("xdp") int bad_callback_index(struct xdp_md *ctx)
{
	bpf_loop(16, bad_turn, 0, 0);
	return XDP_PASS;
}

static long wrong_return(__u32 turn, void *data)
{
	return 5;
}

SEC("xdp") int bad_callback_return(struct xdp_md *ctx)
{
	bpf_loop(16, wrong_return, 0, 0);
	return XDP_PASS;
}
