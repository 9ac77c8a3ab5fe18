// A tail call out of a subprogram ends the subprogram's caller as well.
#include "prog.h"

int target(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, sizeof(__u32));
	__array(values, int(struct xdp_md *));
} jumps SEC(".maps") = { .values = { [1] = (void *)&target } };

static __noinline int deeper(struct xdp_md *ctx, __u32 index)
{
	volatile int kept = index * 3;
	bpf_tail_call(ctx, &jumps, index);
	return kept;
}

PROGRAM(tail_call_subprog)
{
	int kept = deeper(ctx, byte_at(ctx, 4) & 3);
	add(0, kept);
	return XDP_PASS;
}

PROGRAM(target)
{
	add(1, 1);
	return XDP_TX;
}
