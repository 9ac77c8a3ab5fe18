// bpf_strncmp, bpf_strtol, bpf_strtoul, bpf_snprintf.
#include "prog.h"

const char word[] = "ringscope";

PROGRAM(strings)
{
	char text[16] = {}, digits[16] = " -0x1f2z";
	for (int i = 0; i < 12; i++)
		text[i] = byte_at(ctx, i);
	add(0, bpf_strncmp(text, sizeof(text), word) < 0);
	add(1, bpf_strncmp("ringscape", 10, word) + 1000);
	add(2, bpf_strncmp("ringscope", 10, word) + 1000);
	long value = 0;
	unsigned long unsigned_value = 0;
	add(3, bpf_strtol(digits, sizeof(digits), 0, &value));
	add(4, value);
	add(5, bpf_strtoul("777", 4, 8, &unsigned_value));
	add(6, unsigned_value);
	digits[0] = '0' + (byte_at(ctx, 0) & 15);
	digits[1] = '0' + (byte_at(ctx, 1) & 15);
	digits[2] = 0;
	value = 0;
	add(7, bpf_strtol(digits, sizeof(digits), 10, &value));
	add(8, value);
	char printed[48] = {};
	__u64 args[] = { byte_at(ctx, 3), 0xdeadbeefcafef00dULL, (__u64)word };
	long len = bpf_snprintf(printed, sizeof(printed), "%d|%llx|%s", args, sizeof(args));
	note(9, len);
	note(10, *(__u64 *)(printed + 0));
	note(11, *(__u64 *)(printed + 8));
	note(12, *(__u64 *)(printed + 16));
	note(13, *(__u64 *)(printed + 24));
	return XDP_PASS;
}
