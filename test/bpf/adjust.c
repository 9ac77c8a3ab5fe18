// bpf_xdp_adjust_head, _tail and _meta by amounts that the packet names, refused ones included.
#include "prog.h"

PROGRAM(adjust)
{
	int head = (signed char)byte_at(ctx, 0), tail = (signed char)byte_at(ctx, 1);
	int meta = (signed char)byte_at(ctx, 2);
	add(0, -bpf_xdp_adjust_meta(ctx, meta & ~3));
	add(1, -bpf_xdp_adjust_meta(ctx, meta));
	add(2, -bpf_xdp_adjust_head(ctx, head * 3));
	add(3, -bpf_xdp_adjust_tail(ctx, tail * 4));
	add(4, bpf_xdp_get_buff_len(ctx));
	__u8 *data = DATA(ctx), *data_end = DATA_END(ctx), *data_meta = (void *)(long)ctx->data_meta;
	add(5, data - data_meta);
	if (data + 1 > data_end)
		return XDP_DROP;
	data[0] = 0xab;
	return XDP_PASS;
}
