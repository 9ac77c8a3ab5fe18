// Global data of every section: .rodata, .data, .bss and one of its own, through pointers too.
#include "prog.h"

const volatile __u32 factor = 7;
const volatile __u8 weights[16] = { 1, 2, 3, 5, 8, 13, 21, 34 };
__u64 sum = 100;
__u64 history[32];
__u32 own SEC(".data.own") = 5;
static __u32 calls;

PROGRAM(globals)
{
	__u32 at = byte_at(ctx, 2) & 31;
	history[at] += factor * weights[at & 15];
	sum += history[at];
	own ^= at;
	calls++;
	return calls & 1 ? XDP_PASS : XDP_DROP;
}
