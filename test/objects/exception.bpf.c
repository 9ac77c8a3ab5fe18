// What is thrown goes to a function that nothing calls: a tag of the program names it.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define __exception_cb(name) __attribute__((btf_decl_tag("exception_callback:" #name)))
extern void bpf_throw(__u64 cookie) __ksym;

__attribute__((noinline)) int first_callback(__u64 cookie)
{
	return cookie & 3;
}

__attribute__((noinline)) int helps(__u64 cookie)
{
	return cookie ^ 5;
}

__attribute__((noinline)) int second_callback(__u64 cookie)
{
	return helps(cookie) + 1;
}

SEC("xdp") __exception_cb(second_callback) int throws(struct xdp_md *ctx)
{
	if (ctx->rx_queue_index == 3)
		bpf_throw(40);
	return XDP_PASS;
}

SEC("xdp") int throws_away(struct xdp_md *ctx)
{
	if (ctx->rx_queue_index == 3)
		bpf_throw(XDP_DROP);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
