// bpf_xdp_load_bytes and bpf_xdp_store_bytes at every offset, inside and outside.
#include "prog.h"

PROGRAM(load_store)
{
	__u8 bytes[20] = {};
	__u32 from = byte_at(ctx, 0), to = byte_at(ctx, 1), len = (byte_at(ctx, 2) & 15) + 1;
	add(0, -bpf_xdp_load_bytes(ctx, from, bytes, len));
	add(1, -bpf_xdp_store_bytes(ctx, to, bytes, len));
	add(2, -bpf_xdp_load_bytes(ctx, 0xffffffff, bytes, len));
	return bytes[0] & 3;
}
