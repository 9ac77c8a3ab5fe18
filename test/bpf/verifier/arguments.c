// What global functions say of their arguments.
#include "common.h"

#define ARG_CTX __attribute__((btf_decl_tag("arg:ctx")))
#define ARG_NONNULL __attribute__((btf_decl_tag("arg:nonnull")))

struct xdp_buff;
struct other {
	int word;
};
typedef struct xdp_md frame_t;

#define TAKES_CTX(name, type)                                                                    \
	__weak int takes_##name(type *ctx ARG_CTX)                                                   \
	{                                                                                            \
		return ctx != 0;                                                                         \
	}                                                                                            \
	SEC("xdp") int name(struct xdp_md *ctx)                                                      \
	{                                                                                            \
		return takes_##name((void *)ctx);                                                        \
	}
TAKES_CTX(ctx_void, void)
TAKES_CTX(ctx_own, struct xdp_md)
TAKES_CTX(ctx_const, const struct xdp_md)
TAKES_CTX(ctx_typedef, frame_t)
TAKES_CTX(bad_ctx_packet, struct __sk_buff)
TAKES_CTX(bad_ctx_unknown, struct other)
TAKES_CTX(bad_ctx_buff, struct xdp_buff)
TAKES_CTX(bad_ctx_number, __u64)
TAKES_CTX(bad_ctx_pointer, int *)

__weak int both(struct xdp_md *ctx ARG_CTX ARG_NONNULL)
{
	return ctx != 0;
}
SEC("xdp")
int bad_ctx_and_nonnull(struct xdp_md *ctx)
{
	return both(ctx);
}
__weak int plain_packet(struct __sk_buff *packet)
{
	return packet ? (int)packet->len : 0;
}
SEC("xdp")
int plain_struct(struct xdp_md *ctx)
{
	struct __sk_buff packet = {};

	return plain_packet(&packet);
}
SEC("xdp")
int bad_plain_struct(struct xdp_md *ctx)
{
	return plain_packet((void *)ctx);
}
