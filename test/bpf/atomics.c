// Atomic operations of 32 and 64 bits, with and without fetch, xchg and cmpxchg.
#include "prog.h"

__u64 a64;
__u32 a32;
__u64 b64 = 0xffffffff00000000;
__u32 b32 = 0x80000000;
__u64 x64, y64;
__u32 x32, y32;

PROGRAM(atomics)
{
	__u64 byte = byte_at(ctx, 4);
	__sync_fetch_and_add(&a64, byte);
	__sync_fetch_and_add(&a32, byte);
	add(0, __sync_fetch_and_add(&b64, byte << 30));
	add(1, __sync_fetch_and_add(&b32, byte << 24));
	add(2, __sync_fetch_and_or(&a64, byte << 8));
	add(3, __sync_fetch_and_and(&a32, ~byte));
	add(4, __sync_fetch_and_xor(&b64, byte * 0x0101010101010101));
	add(5, __sync_lock_test_and_set(&x64, byte << 40));
	add(6, __sync_lock_test_and_set(&x32, byte << 20));
	add(7, __sync_val_compare_and_swap(&y64, byte_at(ctx, 5), byte));
	add(8, __sync_val_compare_and_swap(&y32, byte_at(ctx, 6), byte));
	return XDP_PASS;
}
