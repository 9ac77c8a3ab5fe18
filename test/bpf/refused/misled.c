// Programs that Linux refuses for another reason than the obvious one: a comparison that is there and
// tells nothing, a size in the register beside the buffer. The line that is to blame says "here".
#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define DATA(ctx) ((__u8 *)(long)(ctx)->data)
#define END(ctx) ((__u8 *)(long)(ctx)->data_end)

SEC("xdp")
int compared_too_far(struct xdp_md *ctx)
{
	__u8 *data = DATA(ctx), *end = END(ctx);
	if (data + 20 > end)
		return XDP_PASS;
	__u8 *at = data + *(__u16 *)data * 4;
	if (at + 1 > end)
		return XDP_PASS;
	return *at == 1 ? XDP_DROP : XDP_PASS; // here
}

SEC("xdp")
int moved_before(struct xdp_md *ctx)
{
	__u8 *data = DATA(ctx), *end = END(ctx);
	if (data + 34 > end)
		return XDP_PASS;
	__u8 *ip = data + 14;
	asm volatile("" : "+r"(ip));
	__u8 *udp = ip + (ip[0] & 15) * 4;
	return *(__u16 *)(udp + 2) == 53 ? XDP_DROP : XDP_PASS; // here
}

SEC("xdp")
int compared_inversely(struct xdp_md *ctx)
{
	__u8 *data = DATA(ctx);
	if (data + 14 < END(ctx))
		return XDP_PASS;
	return data[12] == 8 ? XDP_PASS : XDP_DROP; // here
}

SEC("xdp")
int loop_to_the_end(struct xdp_md *ctx)
{
	__u8 *at = DATA(ctx), *end = END(ctx);
	__u32 sum = 0;
	while (at + 1 <= end) {
		sum += *at++; // here
		asm volatile("" : "+r"(sum));
	}
	return sum & 1 ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int size_beside_buffer(struct xdp_md *ctx)
{
	__u8 *data = DATA(ctx);
	char bytes[64] = {};
	if (data + 43 > END(ctx))
		return XDP_PASS;
	__u8 len = data[42];
	if (len == 0)
		return XDP_PASS;
	bpf_xdp_load_bytes(ctx, 43, bytes, len); // here
	return bytes[0];
}

SEC("xdp")
int socket_kept(struct xdp_md *ctx)
{
	struct bpf_sock_tuple tuple = {};
	tuple.ipv4.dport = bpf_htons(80);
	struct bpf_sock *sk = bpf_sk_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv4), -1, 0);
	if (sk && sk->state == 10)
		return XDP_PASS;
	if (sk)
		bpf_sk_release(sk);
	return XDP_DROP;
} // here

__noinline int reads_anything(void *data)
{
	return data != 0;
}

SEC("xdp")
int global_void(struct xdp_md *ctx)
{
	return reads_anything(DATA(ctx)); // here
}

char _license[] SEC("license") = "GPL";
