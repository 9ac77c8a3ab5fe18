// bpf_check_mtu and bpf_fib_lookup with arguments that any machine answers alike.
#include "prog.h"

PROGRAM(mtu_fib)
{
	__u32 mtu = 0;
	add(0, -bpf_check_mtu(ctx, 100000, &mtu, 0, 0)); // no such device
	add(1, -bpf_check_mtu(ctx, 1, &mtu, 0, 1)); // unknown flag
	struct bpf_fib_lookup params = {};
	params.family = 77;
	params.ifindex = 1;
	add(2, -bpf_fib_lookup(ctx, &params, sizeof(params), 0));
	add(3, -bpf_fib_lookup(ctx, &params, sizeof(params), 1 << 20));
	add(4, -bpf_fib_lookup(ctx, &params, 8, 0));
	params.family = 2;
	params.ifindex = 100000;
	add(5, -bpf_fib_lookup(ctx, &params, sizeof(params), 0));
	return XDP_PASS;
}
