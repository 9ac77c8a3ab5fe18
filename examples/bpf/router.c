// Forwards IPv4 by the kernel's routing table (bpf_fib_lookup), past the rest of the stack, which
// gets what needs more than a new Ethernet header: no way, no neighbour yet, no hop left, too long.
#include "packet.h"

#define AF_INET 2

SEC("xdp")
int xdp_router(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = header(struct ethhdr, data, data_end);
	if (!eth || eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	struct iphdr *ip = header(struct iphdr, eth + 1, data_end);
	if (!ip || ip->ihl != 5 || ip->ttl <= 1)
		return XDP_PASS;

	struct bpf_fib_lookup fib = {
		.family = AF_INET,
		.l4_protocol = ip->protocol,
		.tot_len = bpf_ntohs(ip->tot_len),
		.ifindex = ctx->ingress_ifindex,
		.ipv4_src = ip->saddr,
		.ipv4_dst = ip->daddr,
	};
	fib.tos = ip->tos;
	if (bpf_fib_lookup(ctx, &fib, sizeof(fib), 0) != BPF_FIB_LKUP_RET_SUCCESS)
		return XDP_PASS;

	// One hop less: the checksum grows by what the word of TTL and protocol shrinks.
	__u32 check = ip->check + bpf_htons(0x0100);
	ip->check = check + (check >= 0xffff);
	ip->ttl--;
	__builtin_memcpy(eth->h_dest, fib.dmac, ETH_ALEN);
	__builtin_memcpy(eth->h_source, fib.smac, ETH_ALEN);
	return bpf_redirect(fib.ifindex, 0);
}

char _license[] SEC("license") = "Dual MIT/GPL";
