// A dense and a sparse switch, and comparisons of every kind against constants.
#include "prog.h"

PROGRAM(switches)
{
	__u32 a = byte_at(ctx, 3);
	__s32 b = (signed char)byte_at(ctx, 4);
	switch (a) {
	case 0: add(0, 1); break;
	case 1: add(1, 3); break;
	case 2: add(2, 5); break;
	case 3: add(3, 7); break;
	case 17: add(4, 11); break;
	case 99: add(5, 13); break;
	case 200: add(6, 17); break;
	default: add(7, 1);
	}
	if (b < -100)
		add(8, 1);
	else if (b <= 0)
		add(9, 1);
	else if (b > 100)
		add(10, 1);
	else if (a >= 128 && (a & 0x41))
		add(11, 1);
	else if (a != 5)
		add(12, 1);
	return b >= 0 ? XDP_PASS : XDP_DROP;
}
