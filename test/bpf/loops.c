// bpf_loop and bounded loops: how often a callback runs, and how it stops early.
#include "prog.h"

struct sum {
	__u64 total;
	__u32 stop;
};

static int step(__u32 i, void *data)
{
	struct sum *sum = data;
	sum->total += i * i;
	return i == sum->stop;
}

PROGRAM(loops)
{
	struct sum sum = { 0, byte_at(ctx, 4) };
	long ran = bpf_loop(byte_at(ctx, 3), step, &sum, 0);
	add(0, ran);
	add(1, sum.total);
	note(2, bpf_loop((1 << 23) + 1, step, &sum, 0));
	note(3, bpf_loop(1, step, &sum, 1));
	__u8 *data = DATA(ctx);
	__u64 plain = 0;
	if (data + 60 > DATA_END(ctx))
		return XDP_ABORTED;
	for (__u32 i = 0; i < 60; i++)
		plain = plain * 3 + data[i];
	add(4, plain);
	return plain & 1 ? XDP_PASS : XDP_DROP;
}
