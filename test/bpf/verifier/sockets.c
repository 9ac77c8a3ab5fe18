#include "common.h"

static __always_inline int tuple_of(struct xdp_md *ctx, struct bpf_sock_tuple *tuple)
{
	struct iphdr *ip = (void *)(DATA(ctx) + 14);
	NEED(ip, struct iphdr, ctx, -1);
	struct tcphdr *tcp = (void *)(ip + 1);
	NEED(tcp, struct tcphdr, ctx, -1);
	tuple->ipv4.saddr = ip->saddr;
	tuple->ipv4.daddr = ip->daddr;
	tuple->ipv4.sport = tcp->source;
	tuple->ipv4.dport = tcp->dest;
	return 0;
}
#define V4 sizeof(((struct bpf_sock_tuple *)0)->ipv4)

struct nf_conn {
	unsigned int mark;
} __attribute__((preserve_access_index));
struct bpf_ct_opts___own {
	int netns_id, error;
	__u8 l4proto, dir, reserved[2];
};
extern struct nf_conn *bpf_xdp_ct_lookup(struct xdp_md *xdp_ctx, struct bpf_sock_tuple *bpf_tuple, __u32 tuple__sz,
					 struct bpf_ct_opts___own *opts, __u32 opts__sz) __ksym;
extern void bpf_ct_release(struct nf_conn *nfct) __ksym;

SEC("xdp") int tcp_known(struct xdp_md *ctx)
{
	struct bpf_sock_tuple tuple = {};
	if (tuple_of(ctx, &tuple))
		return XDP_PASS;
	struct bpf_sock *sk = bpf_sk_lookup_tcp(ctx, &tuple, V4, BPF_F_CURRENT_NETNS, 0);
	if (!sk)
		return XDP_DROP;
	int state = sk->state;
	bpf_sk_release(sk);
	return state == 1 ? XDP_PASS : XDP_DROP;
}

SEC("xdp") int udp_known(struct xdp_md *ctx)
{
	struct bpf_sock_tuple tuple = {};
	if (tuple_of(ctx, &tuple))
		return XDP_PASS;
	struct bpf_sock *sk = bpf_sk_lookup_udp(ctx, &tuple, V4, BPF_F_CURRENT_NETNS, 0);
	if (sk)
		bpf_sk_release(sk);
	return sk ? XDP_PASS : XDP_DROP;
}

SEC("xdp") int cookie(struct xdp_md *ctx)
{
	struct bpf_sock_tuple tuple = {};
	if (tuple_of(ctx, &tuple))
		return XDP_PASS;
	struct bpf_sock *sk = bpf_skc_lookup_tcp(ctx, &tuple, V4, BPF_F_CURRENT_NETNS, 0);
	if (!sk)
		return XDP_DROP;
	struct iphdr *ip = (void *)(DATA(ctx) + 14);
	struct tcphdr *tcp = (void *)(ip + 1);
	long valid = -1;
	if ((void *)(tcp + 1) <= (void *)END(ctx))
		valid = bpf_tcp_check_syncookie(sk, ip, sizeof(*ip), tcp, sizeof(*tcp));
	bpf_sk_release(sk);
	return valid == 0 ? XDP_PASS : XDP_DROP;
}

SEC("xdp") int cookie_made(struct xdp_md *ctx)
{
	struct iphdr *ip = (void *)(DATA(ctx) + 14);
	struct tcphdr *tcp = (void *)(ip + 1);
	NEED(tcp, struct tcphdr, ctx, XDP_PASS);
	__s64 made = bpf_tcp_raw_gen_syncookie_ipv4(ip, tcp, sizeof(*tcp));
	if (made < 0)
		return XDP_ABORTED;
	tcp->seq = bpf_htonl(made);
	return XDP_TX;
}

SEC("xdp") int routed(struct xdp_md *ctx)
{
	struct ethhdr *eth = (void *)DATA(ctx);
	struct iphdr *ip = (void *)(eth + 1);
	NEED(ip, struct iphdr, ctx, XDP_PASS);
	struct bpf_fib_lookup fib = { .family = 2, .ipv4_src = ip->saddr, .ipv4_dst = ip->daddr, .ifindex = ctx->ingress_ifindex };
	fib.tot_len = bpf_ntohs(ip->tot_len);
	if (bpf_fib_lookup(ctx, &fib, sizeof(fib), 0))
		return XDP_PASS;
	ip->ttl--;
	__builtin_memcpy(eth->h_dest, fib.dmac, 6);
	__builtin_memcpy(eth->h_source, fib.smac, 6);
	return bpf_redirect(fib.ifindex, 0);
}

SEC("xdp") int mtu(struct xdp_md *ctx)
{
	__u32 mtu = 0;
	return bpf_check_mtu(ctx, 0, &mtu, 20, 0) ? XDP_DROP : XDP_PASS;
}

SEC("xdp") int encapsulated(struct xdp_md *ctx)
{
	if (bpf_xdp_adjust_head(ctx, -20))
		return XDP_DROP;
	struct ethhdr *eth = (void *)DATA(ctx);
	struct iphdr *ip = (void *)(eth + 1);
	NEED(ip + 1, struct iphdr, ctx, XDP_DROP);
	__builtin_memmove(eth, (__u8 *)eth + 20, sizeof(*eth));
	*ip = (struct iphdr){ .version = 4, .ihl = 5, .ttl = 64, .protocol = 4, .saddr = 1, .daddr = 2 };
	__u64 sum = bpf_csum_diff(0, 0, (void *)ip, sizeof(*ip), 0);
	sum = (sum & 0xffff) + (sum >> 16);
	ip->check = ~(sum + (sum >> 16));
	return XDP_TX;
}

SEC("xdp") int metadata(struct xdp_md *ctx)
{
	if (bpf_xdp_adjust_meta(ctx, -8))
		return XDP_ABORTED;
	__u32 *meta = (void *)(long)ctx->data_meta;
	if ((void *)(meta + 2) > (void *)(long)ctx->data)
		return XDP_ABORTED;
	meta[0] = 5;
	meta[1] = ctx->rx_queue_index;
	return XDP_PASS;
}

SEC("xdp") int tail_cut(struct xdp_md *ctx)
{
	int bytes = ctx->data_end - ctx->data;
	if (bytes > 128 && bpf_xdp_adjust_tail(ctx, 128 - bytes))
		return XDP_ABORTED;
	return XDP_TX;
}

SEC("xdp") int text(struct xdp_md *ctx)
{
	char line[64];
	__u64 args[] = { ctx->rx_queue_index, ctx->ingress_ifindex };
	static const char format[] = "queue %d of %d";
	long n = bpf_snprintf(line, sizeof(line), format, args, sizeof(args));
	bpf_printk("%s %d", line, (int)n);
	return bpf_strncmp(line, 5, "queue") ? XDP_DROP : XDP_PASS;
}

SEC("xdp") int connection_known(struct xdp_md *ctx)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_ct_opts___own opts = { .netns_id = -1, .l4proto = IPPROTO_TCP };
	if (tuple_of(ctx, &tuple))
		return XDP_PASS;
	struct nf_conn *ct = bpf_xdp_ct_lookup(ctx, &tuple, V4, &opts, sizeof(opts));
	if (!ct)
		return XDP_DROP;
	__u32 mark = ct->mark;
	bpf_ct_release(ct);
	return mark ? XDP_TX : XDP_PASS;
}

SEC("xdp") int bad_connection_kept(struct xdp_md *ctx)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_ct_opts___own opts = { .netns_id = -1, .l4proto = IPPROTO_TCP };
	return bpf_xdp_ct_lookup(ctx, &tuple, V4, &opts, sizeof(opts)) ? XDP_PASS : XDP_DROP;
}

SEC("xdp") int bad_connection_unchecked(struct xdp_md *ctx)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_ct_opts___own opts = { .netns_id = -1, .l4proto = IPPROTO_TCP };
	bpf_ct_release(bpf_xdp_ct_lookup(ctx, &tuple, V4, &opts, sizeof(opts)));
	return XDP_PASS;
}

SEC("xdp") int bad_socket_kept(struct xdp_md *ctx)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk = bpf_sk_lookup_tcp(ctx, &tuple, V4, BPF_F_CURRENT_NETNS, 0);
	return sk ? XDP_PASS : XDP_DROP;
}

SEC("xdp") int bad_socket_unchecked(struct xdp_md *ctx)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk = bpf_sk_lookup_tcp(ctx, &tuple, V4, BPF_F_CURRENT_NETNS, 0);
	bpf_sk_release(sk);
	return XDP_PASS;
}

SEC("xdp") int bad_socket_after(struct xdp_md *ctx)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk = bpf_sk_lookup_tcp(ctx, &tuple, V4, BPF_F_CURRENT_NETNS, 0);
	if (!sk)
		return XDP_DROP;
	bpf_sk_release(sk);
	return sk->state;
}

SEC("xdp") int bad_socket_written(struct xdp_md *ctx)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk = bpf_sk_lookup_tcp(ctx, &tuple, V4, BPF_F_CURRENT_NETNS, 0);
	if (!sk)
		return XDP_DROP;
	sk->mark = 4;
	bpf_sk_release(sk);
	return XDP_PASS;
}

SEC("xdp") int bad_socket_field(struct xdp_md *ctx)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk = bpf_sk_lookup_tcp(ctx, &tuple, V4, BPF_F_CURRENT_NETNS, 0);
	if (!sk)
		return XDP_DROP;
	int state = ((__u32 *)sk)[40];
	bpf_sk_release(sk);
	return state;
}

SEC("xdp") int bad_head_moved(struct xdp_md *ctx)
{
	struct ethhdr *eth = (void *)DATA(ctx);
	NEED(eth, struct ethhdr, ctx, XDP_DROP);
	bpf_xdp_adjust_head(ctx, 4);
	return eth->h_proto ? XDP_PASS : XDP_DROP;
}

SEC("xdp") int bad_helper(struct xdp_md *ctx)
{
	return bpf_skb_pull_data((void *)ctx, 5);
}

SEC("xdp") int bad_fib_size(struct xdp_md *ctx)
{
	struct bpf_fib_lookup fib = {};
	return bpf_fib_lookup(ctx, &fib, sizeof(fib) + 1, 0);
}

SEC("xdp") int bad_format(struct xdp_md *ctx)
{
	char line[64];
	__u64 args[] = { ctx->rx_queue_index };
	static const char format[] = "queue %d of %d";
	bpf_snprintf(line, sizeof(line), format, args, sizeof(args));
	return XDP_PASS;
}

SEC("xdp") int uninitialised(struct xdp_md *ctx)
{
	struct bpf_sock_tuple tuple;
	__u32 mtu;
	return bpf_check_mtu(ctx, 0, &mtu, 0, 0) & tuple.ipv4.saddr;
}
