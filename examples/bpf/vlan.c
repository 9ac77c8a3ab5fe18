// Two programs: `vlan_pop` takes the outer 802.1Q tag off, `vlan_push` puts one on.
// Shows bpf_xdp_adjust_head, and that every packet pointer must be loaded anew behind it.
#include "packet.h"

const volatile __u16 vlan_id = 42; // what vlan_push writes

#define ADDRESSES (2 * ETH_ALEN)

SEC("xdp")
int vlan_pop(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = header(struct ethhdr, data, data_end);
	if (!eth || !is_tag(eth->h_proto))
		return XDP_PASS;
	if (!header(struct vlan_hdr, eth + 1, data_end))
		return XDP_DROP;

	// The addresses move up over the tag; the inner type already stands behind them.
	__u8 addresses[ADDRESSES];
	__builtin_memcpy(addresses, data, ADDRESSES);
	__builtin_memcpy(data + VLAN_HLEN, addresses, ADDRESSES);
	if (bpf_xdp_adjust_head(ctx, VLAN_HLEN))
		return XDP_ABORTED;
	return XDP_PASS;
}

SEC("xdp")
int vlan_push(struct xdp_md *ctx)
{
	if (bpf_xdp_adjust_head(ctx, -VLAN_HLEN))
		return XDP_ABORTED;
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	if (data + ETH_HLEN + VLAN_HLEN > data_end)
		return XDP_DROP;

	__u8 addresses[ADDRESSES];
	__builtin_memcpy(addresses, data + VLAN_HLEN, ADDRESSES);
	__builtin_memcpy(data, addresses, ADDRESSES);
	struct ethhdr *eth = data;
	struct vlan_hdr *tag = (void *)(eth + 1);
	eth->h_proto = bpf_htons(ETH_P_8021Q);
	tag->tci = bpf_htons(vlan_id & 0x0fff);
	return XDP_PASS;
}

char _license[] SEC("license") = "MIT";
