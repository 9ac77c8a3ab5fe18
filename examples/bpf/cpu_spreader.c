// Flows spread over CPUs: each goes up the stack on the CPU that its addresses and ports choose.
// Shows a cpumap, bpf_redirect_map asked again where a slot is empty, and a bounded loop.
//
// Fill `cpus` from slot 0 or 1 on, without a gap: those CPUs share the flows evenly. Without slot 0
// its share stays on the CPU that received it, and without any all of it does.
#include "packet.h"

#define CPUS 64
#define TRIES 16

struct {
	__uint(type, BPF_MAP_TYPE_CPUMAP);
	__uint(max_entries, CPUS);
	__type(key, __u32);
	__type(value, __u32); // frames that wait there at most
} cpus SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, CPUS);
	__type(key, __u32);
	__type(value, __u64);
} sent SEC(".maps");

static __always_inline __u32 mix(__u32 hash, __u32 word)
{
	hash ^= word;
	hash *= 0x9e3779b1;
	return hash ^ (hash >> 15);
}

// Both ports, where the packet has them: they lead TCP's header as they do UDP's.
static __always_inline __u32 ports_of(__u8 proto, void *l4, void *data_end)
{
	if (proto != IPPROTO_UDP && proto != IPPROTO_TCP)
		return 0;
	__u32 *ports = header(__u32, l4, data_end);
	return ports ? *ports : 0;
}

SEC("xdp")
int cpu_spreader(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	__be16 proto = 0;
	void *l3 = skip_l2(data, data_end, &proto);
	if (!l3)
		return XDP_PASS;

	__u32 hash = 0;
	if (proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = header(struct iphdr, l3, data_end);
		if (!ip)
			return XDP_PASS;
		hash = mix(mix(hash, ip->saddr), ip->daddr);
		// no fragment has ports but the first, and all must go one way
		if (!(ip->frag_off & bpf_htons(IP_MF | IP_OFFSET)))
			hash = mix(hash, ports_of(ip->protocol, l3 + ip->ihl * 4, data_end));
	} else if (proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip6 = header(struct ipv6hdr, l3, data_end);
		if (!ip6)
			return XDP_PASS;
#pragma unroll
		for (int i = 0; i < 4; i++)
			hash = mix(mix(hash, ip6->saddr.s6_addr32[i]), ip6->daddr.s6_addr32[i]);
		hash = mix(hash, ports_of(ip6->nexthdr, ip6 + 1, data_end));
	} else {
		return XDP_PASS;
	}

	// An empty slot: choose again among those below it, so that the filled ones get equal shares.
	__u32 below = CPUS;
	for (int i = 0; i < TRIES && below > 0; i++) {
		__u32 cpu = (__u64)hash * below >> 32;
		if (bpf_redirect_map(&cpus, cpu, XDP_PASS) == XDP_REDIRECT) {
			__u64 *count = bpf_map_lookup_elem(&sent, &cpu);
			if (count)
				(*count)++;
			return XDP_REDIRECT;
		}
		below = cpu;
		hash = mix(hash, below);
	}
	return XDP_PASS;
}

char _license[] SEC("license") = "MIT";
