// A pipeline of programs: parse, then the program of the protocol, then the verdict.
// Shows a program array with initial values, metadata handed from one program to the next, and
// what happens when a slot is empty: the call falls through.
#include "packet.h"

enum stage { STAGE_IPV4, STAGE_IPV6, STAGE_VERDICT, STAGES };

// Handed on in the bytes before the packet.
struct meta {
	__u32 l3_offset;
	__u32 proto;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u64);
} by_proto SEC(".maps");

int parse_ipv4(struct xdp_md *ctx);
int parse_ipv6(struct xdp_md *ctx);
int verdict(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, STAGES);
	__uint(key_size, sizeof(__u32));
	__array(values, int(struct xdp_md *));
} stages SEC(".maps") = {
	.values = {
		[STAGE_IPV4] = (void *)&parse_ipv4,
		[STAGE_IPV6] = (void *)&parse_ipv6,
		[STAGE_VERDICT] = (void *)&verdict,
	},
};

static __always_inline struct meta *meta_of(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	return header(struct meta, (void *)(long)ctx->data_meta, data);
}

SEC("xdp")
int entry(struct xdp_md *ctx)
{
	if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(struct meta)))
		return XDP_PASS; // no room for metadata
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct meta *meta = meta_of(ctx);
	__be16 proto = 0;
	void *l3 = skip_l2(data, data_end, &proto);
	if (!meta || !l3)
		return XDP_DROP;
	meta->l3_offset = l3 - data;
	meta->proto = 0;

	if (proto == bpf_htons(ETH_P_IP))
		bpf_tail_call(ctx, &stages, STAGE_IPV4);
	else if (proto == bpf_htons(ETH_P_IPV6))
		bpf_tail_call(ctx, &stages, STAGE_IPV6);
	return XDP_PASS;
}

SEC("xdp")
int parse_ipv4(struct xdp_md *ctx)
{
	void *data_end = (void *)(long)ctx->data_end;
	struct meta *meta = meta_of(ctx);
	if (!meta || meta->l3_offset > ETH_HLEN + MAX_TAGS * VLAN_HLEN)
		return XDP_ABORTED;
	struct iphdr *ip = header(struct iphdr, (void *)(long)ctx->data + meta->l3_offset, data_end);
	if (!ip)
		return XDP_DROP;
	meta->proto = ip->protocol;
	bpf_tail_call(ctx, &stages, STAGE_VERDICT);
	return XDP_PASS;
}

SEC("xdp")
int parse_ipv6(struct xdp_md *ctx)
{
	void *data_end = (void *)(long)ctx->data_end;
	struct meta *meta = meta_of(ctx);
	if (!meta || meta->l3_offset > ETH_HLEN + MAX_TAGS * VLAN_HLEN)
		return XDP_ABORTED;
	struct ipv6hdr *ip6 = header(struct ipv6hdr, (void *)(long)ctx->data + meta->l3_offset, data_end);
	if (!ip6)
		return XDP_DROP;
	meta->proto = ip6->nexthdr;
	bpf_tail_call(ctx, &stages, STAGE_VERDICT);
	return XDP_PASS;
}

SEC("xdp")
int verdict(struct xdp_md *ctx)
{
	struct meta *meta = meta_of(ctx);
	if (!meta)
		return XDP_ABORTED;
	__u32 proto = meta->proto;
	__u64 *count = bpf_map_lookup_elem(&by_proto, &proto);
	if (count)
		__sync_fetch_and_add(count, 1);
	return proto == IPPROTO_UDP || proto == IPPROTO_TCP ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "MIT";
