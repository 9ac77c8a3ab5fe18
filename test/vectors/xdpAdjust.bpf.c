/*
 * Runs a list of adjust calls on one packet and notes what each returned and left.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define STEPS 24

struct step {
	int op; /* 0 head, 1 tail, 2 meta */
	int delta;
	int err;
	int len;
	int metalen;
};

struct {
	struct step steps[STEPS];
	int count;
} state;

SEC("xdp")
int adjust(struct xdp_md *ctx)
{
	for (int i = 0; i < STEPS && i < state.count; i++) {
		struct step *s = &state.steps[i];

		if (s->op == 0)
			s->err = bpf_xdp_adjust_head(ctx, s->delta);
		else if (s->op == 1)
			s->err = bpf_xdp_adjust_tail(ctx, s->delta);
		else
			s->err = bpf_xdp_adjust_meta(ctx, s->delta);
		s->len = ctx->data_end - ctx->data;
		s->metalen = ctx->data - ctx->data_meta;
	}
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
