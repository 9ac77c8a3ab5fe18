// Static and global subprograms, several deep, with five arguments and a pointer to the stack.
#include "prog.h"

static __noinline __u64 five(__u64 a, __u32 b, __u16 c, __u8 d, __s64 e)
{
	return a * 2 + b * 3 + c * 5 + d * 7 + e * 11;
}

static __noinline void into(__u64 *where, __u64 value)
{
	*where += value;
}

__noinline int global_one(struct xdp_md *ctx, int value)
{
	volatile __u64 kept = value + byte_at(ctx, 9);
	return five(kept, value, value >> 2, value >> 4, -value) & 0x7fffffff;
}

static __noinline __u64 recursive_look(struct xdp_md *ctx, __u64 depth)
{
	__u64 local = depth;
	into(&local, byte_at(ctx, 7));
	return local + global_one(ctx, depth);
}

PROGRAM(subprograms)
{
	__u64 local = byte_at(ctx, 3);
	into(&local, 1000);
	add(0, local);
	add(1, recursive_look(ctx, byte_at(ctx, 4)));
	add(2, global_one(ctx, byte_at(ctx, 5)));
	return local & 1 ? XDP_PASS : XDP_TX;
}
