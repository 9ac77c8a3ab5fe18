// A hash of the flow written into the packet, and a server chosen by it.
#include "prog.h"

static __always_inline __u32 rol(__u32 word, __u32 shift)
{
	return word << shift | word >> (32 - shift);
}

PROGRAM(jhash)
{
	__u8 *data = DATA(ctx);
	if (data + 42 > DATA_END(ctx))
		return XDP_PASS;
	__u32 a = *(__u32 *)(data + 26), b = *(__u32 *)(data + 30), c = *(__u32 *)(data + 34);
	a += 0xdeadbeef, b += 0xdeadbeef, c += 0xdeadbeef;
	c ^= b, c -= rol(b, 14);
	a ^= c, a -= rol(c, 11);
	b ^= a, b -= rol(a, 25);
	c ^= b, c -= rol(b, 16);
	a ^= c, a -= rol(c, 4);
	b ^= a, b -= rol(a, 14);
	c ^= b, c -= rol(b, 24);
	*(__u32 *)(data + 2) = c;
	data[1] = c % 13;
	add(c % 13, 1);
	return XDP_TX;
}
