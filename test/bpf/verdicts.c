// Every verdict that fits the low bits, and values that are none.
#include "prog.h"

PROGRAM(verdicts)
{
	return byte_at(ctx, 0) & 7;
}
