// A filter against floods: sources whose longest matching prefix is blocked are dropped.
// Shows an LPM trie that user space fills, and per-CPU counters that nobody has to lock.
#include "packet.h"

struct prefix4 {
	__u32 len; // bits of `addr` that count
	__be32 addr;
};

struct prefix6 {
	__u32 len;
	__u8 addr[16];
};

struct counter {
	__u64 packets;
	__u64 bytes;
};

enum fate { PASSED, DROPPED, MALFORMED, FATES };

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix4);
	__type(value, __u32); // a rule's number, for whoever reads the map
} blocked4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix6);
	__type(value, __u32);
} blocked6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, FATES);
	__type(key, __u32);
	__type(value, struct counter);
} counters SEC(".maps");

static __always_inline int count(struct xdp_md *ctx, __u32 fate, int verdict)
{
	struct counter *counter = bpf_map_lookup_elem(&counters, &fate);
	if (counter) {
		counter->packets++;
		counter->bytes += ctx->data_end - ctx->data;
	}
	return verdict;
}

SEC("xdp")
int ddos_filter(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	__be16 proto = 0;
	void *l3 = skip_l2(data, data_end, &proto);
	if (!l3)
		return count(ctx, MALFORMED, XDP_DROP);

	if (proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = header(struct iphdr, l3, data_end);
		if (!ip)
			return count(ctx, MALFORMED, XDP_DROP);
		struct prefix4 source = { .len = 32, .addr = ip->saddr };
		if (bpf_map_lookup_elem(&blocked4, &source))
			return count(ctx, DROPPED, XDP_DROP);
	} else if (proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip6 = header(struct ipv6hdr, l3, data_end);
		if (!ip6)
			return count(ctx, MALFORMED, XDP_DROP);
		struct prefix6 source = { .len = 128 };
		__builtin_memcpy(source.addr, &ip6->saddr, sizeof(source.addr));
		if (bpf_map_lookup_elem(&blocked6, &source))
			return count(ctx, DROPPED, XDP_DROP);
	}
	return count(ctx, PASSED, XDP_PASS);
}

char _license[] SEC("license") = "MIT";
