// Metadata before the packet: made, written, read back, given up again.
#include "prog.h"

struct meta {
	__u32 mark, len;
};

PROGRAM(metadata)
{
	if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(struct meta)))
		return XDP_ABORTED;
	struct meta *meta = (void *)(long)ctx->data_meta;
	if ((void *)(meta + 1) > (void *)DATA(ctx))
		return XDP_ABORTED;
	meta->mark = byte_at(ctx, 0);
	meta->len = ctx->data_end - ctx->data;
	add(0, meta->mark + meta->len);
	if (meta->mark & 1)
		add(1, -bpf_xdp_adjust_meta(ctx, sizeof(*meta)));
	add(2, ctx->data - ctx->data_meta);
	return XDP_PASS;
}
