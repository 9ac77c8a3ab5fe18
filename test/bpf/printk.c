// bpf_trace_printk and its result: the number of bytes written.
#include "prog.h"

PROGRAM(printk)
{
	static const char format[] = "%d %x %llu\n";
	add(0, bpf_trace_printk(format, sizeof(format), byte_at(ctx, 0), byte_at(ctx, 1), 1ULL << 40));
	static const char wrong[] = "%d %f\n";
	add(1, -bpf_trace_printk(wrong, sizeof(wrong), 1, 2, 3));
	return XDP_PASS;
}
