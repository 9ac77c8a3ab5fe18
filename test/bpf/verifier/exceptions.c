// What a program throws, and who sees it: the program that ends with it, or a function that a tag names.
#include "common.h"
#define __exception_cb(name) __attribute__((btf_decl_tag("exception_callback:" #name)))
// Loaders of before exceptions put only such functions behind a program as it names: in code that the
// compiler takes to run, and the verifier knows never to.
#define NAMES(callback)                                                                          \
	do {                                                                                         \
		if (never)                                                                               \
			*(volatile long *)&somewhere = (long)&callback;                                      \
	} while (0)
const volatile int never = 0;
long somewhere;
extern void bpf_throw(__u64 cookie) __ksym;
MAP(plain, HASH, __u32, __u64, 4);

__attribute__((noinline)) int gives_cookie(__u64 cookie)
{
	return cookie & 3;
}
__attribute__((noinline)) int throws_again(__u64 cookie)
{
	bpf_throw(0);
	return cookie;
}
__attribute__((noinline)) int two_args(__u64 cookie, __u64 more)
{
	return cookie + more;
}
__attribute__((noinline)) int pointer_arg(struct xdp_md *ctx)
{
	return ctx->rx_queue_index;
}
__attribute__((noinline)) void void_cb(__u64 cookie)
{
	barrier_var(cookie);
}
static __attribute__((noinline)) int static_cb(__u64 cookie)
{
	return cookie;
}
static __attribute__((noinline)) int deep(struct xdp_md *ctx)
{
	if (ctx->rx_queue_index == 7)
		bpf_throw(XDP_ABORTED);
	return ctx->ingress_ifindex;
}
__attribute__((noinline)) int global_throws(struct xdp_md *ctx)
{
	if (ctx->rx_queue_index > 7)
		bpf_throw(1);
	return ctx->ingress_ifindex & 1;
}

SEC("xdp") int default_cb(struct xdp_md *ctx)
{
	if (ctx->data_end - ctx->data < 60)
		bpf_throw(XDP_DROP);
	return XDP_PASS;
}
SEC("xdp") int from_subprogram(struct xdp_md *ctx)
{
	return deep(ctx) & 1;
}
SEC("xdp") __exception_cb(gives_cookie) int own_cb(struct xdp_md *ctx)
{
	NAMES(gives_cookie);
	if (ctx->rx_queue_index == 3)
		bpf_throw(40);
	return XDP_PASS;
}
SEC("xdp") __exception_cb(gives_cookie) int own_cb_never_thrown(struct xdp_md *ctx)
{
	NAMES(gives_cookie);
	return XDP_PASS;
}
SEC("xdp") __exception_cb(gives_cookie) int own_cb_deep(struct xdp_md *ctx)
{
	NAMES(gives_cookie);
	return deep(ctx) + global_throws(ctx);
}
SEC("xdp") int from_global(struct xdp_md *ctx)
{
	return global_throws(ctx);
}
SEC("xdp") __exception_cb(throws_again) int bad_cb_throws(struct xdp_md *ctx)
{
	NAMES(throws_again);
	return XDP_PASS;
}
SEC("xdp") __exception_cb(gives_cookie) int bad_cb_called(struct xdp_md *ctx)
{
	NAMES(gives_cookie);
	return gives_cookie(ctx->rx_queue_index);
}
SEC("xdp") __exception_cb(two_args) int bad_cb_two_args(struct xdp_md *ctx)
{
	NAMES(two_args);
	return XDP_PASS;
}
SEC("xdp") __exception_cb(pointer_arg) int bad_cb_pointer(struct xdp_md *ctx)
{
	NAMES(pointer_arg);
	return XDP_PASS;
}
SEC("xdp") __exception_cb(void_cb) int bad_cb_void(struct xdp_md *ctx)
{
	NAMES(void_cb);
	return XDP_PASS;
}
SEC("xdp") __exception_cb(static_cb) int bad_cb_static(struct xdp_md *ctx)
{
	return static_cb(ctx->rx_queue_index);
}
SEC("xdp") __exception_cb(gives_cookie) __exception_cb(two_args) int bad_two_cbs(struct xdp_md *ctx)
{
	NAMES(gives_cookie);
	return XDP_PASS;
}
SEC("xdp") __exception_cb(nowhere) int bad_cb_unknown(struct xdp_md *ctx)
{
	return XDP_PASS;
}
static long cb_throws(__u32 i, void *unused)
{
	if (i == 3)
		bpf_throw(i);
	return 0;
}
SEC("xdp") int bad_throw_in_callback(struct xdp_md *ctx)
{
	bpf_loop(5, cb_throws, NULL, 0);
	return XDP_PASS;
}
SEC("xdp") int throw_in_lookup_branch(struct xdp_md *ctx)
{
	__u32 key = 0;
	__u64 *value = bpf_map_lookup_elem(&plain, &key);

	if (!value)
		bpf_throw(2);
	return *value & 1;
}
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
SEC("xdp") int bad_throw_in_rcu(struct xdp_md *ctx)
{
	bpf_rcu_read_lock();
	if (ctx->rx_queue_index == 3)
		bpf_throw(40);
	bpf_rcu_read_unlock();
	return XDP_PASS;
}
SEC("xdp") int bad_throws_pointer(struct xdp_md *ctx)
{
	bpf_throw((__u64)(long)ctx);
	return XDP_PASS;
}
