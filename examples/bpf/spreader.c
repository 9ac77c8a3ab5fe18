// Flows spread over several devices: each goes to the device its addresses choose.
// Shows a devmap, bpf_redirect_map with a verdict for empty slots, and a hash of the flow.
#include "packet.h"

#define PORTS 8

const volatile __u32 ports_used = PORTS; // the first that many slots of `ports`

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, PORTS);
	__type(key, __u32);
	__type(value, __u32); // ifindex
} ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PORTS);
	__type(key, __u32);
	__type(value, __u64);
} sent SEC(".maps");

static __always_inline __u32 mix(__u32 hash, __u32 word)
{
	hash ^= word;
	hash *= 0x9e3779b1;
	return hash ^ (hash >> 15);
}

SEC("xdp")
int spreader(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	__be16 proto = 0;
	void *l3 = skip_l2(data, data_end, &proto);
	if (!l3)
		return XDP_DROP;

	__u32 hash = 0;
	if (proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = header(struct iphdr, l3, data_end);
		if (!ip)
			return XDP_DROP;
		hash = mix(mix(hash, ip->saddr), ip->daddr);
	} else if (proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip6 = header(struct ipv6hdr, l3, data_end);
		if (!ip6)
			return XDP_DROP;
#pragma unroll
		for (int i = 0; i < 4; i++)
			hash = mix(mix(hash, ip6->saddr.s6_addr32[i]), ip6->daddr.s6_addr32[i]);
	}

	__u32 port = ports_used ? hash % ports_used : 0;
	__u64 *count = bpf_map_lookup_elem(&sent, &port);
	if (count)
		(*count)++;
	return bpf_redirect_map(&ports, port, XDP_PASS); // an empty slot: to the stack
}

char _license[] SEC("license") = "MIT";
