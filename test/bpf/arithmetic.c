// Arithmetic on what the packet holds: division, modulo, shifts, sign extension, byte order.
#include "prog.h"

#define WORD(n) \
	(((__u64)byte_at(ctx, n) << 56) | ((__u64)byte_at(ctx, n + 1) << 40) | \
	 ((__u64)byte_at(ctx, n + 2) << 24) | byte_at(ctx, n + 3))

PROGRAM(arithmetic)
{
	__u64 a = WORD(0), b = WORD(4) >> (byte_at(ctx, 9) & 63);
	__u32 c = a >> 24, d = b;
	add(0, b ? a / b : 0);
	add(1, b ? a % b : 0);
	add(2, d ? c / d : 0);
	add(3, d ? c % d : 0);
	add(4, (__s64)a >> (byte_at(ctx, 10) & 63));
	add(5, a << (byte_at(ctx, 11) & 63));
	add(6, (__s32)c >> (byte_at(ctx, 12) & 31));
	add(7, (__s64)(signed char)byte_at(ctx, 13) * (__s16)c);
	add(8, bpf_htonl(c) ^ bpf_cpu_to_be64(a) ^ bpf_htons(d));
	add(9, a * b + c * d);
	add(10, (__s64)a < (__s64)b);
	add(11, (__s32)c < (__s32)d);
	add(12, a < b);
	add(13, c < d);
	add(14, -a | ~b);
	return (__s64)a < 0 ? XDP_DROP : XDP_PASS;
}
