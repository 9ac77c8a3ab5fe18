// Tail calls: a chain, an index outside, an empty slot, and the limit of 33.
#include "prog.h"

int again(struct xdp_md *ctx);
int last(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, sizeof(__u32));
	__array(values, int(struct xdp_md *));
} progs SEC(".maps") = { .values = { [0] = (void *)&again, [1] = (void *)&last } };

PROGRAM(tail_call)
{
	note(0, 0);
	bpf_tail_call(ctx, &progs, byte_at(ctx, 6) & 7);
	add(1, 1); // slots 2 to 7
	return XDP_DROP;
}

PROGRAM(again)
{
	add(0, 1);
	bpf_tail_call(ctx, &progs, 0);
	return XDP_TX; // behind the limit
}

PROGRAM(last)
{
	add(2, 1);
	return XDP_PASS;
}
