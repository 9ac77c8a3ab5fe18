// A limit per source: a token bucket for each IPv4 address, the least recently seen forgotten.
// Shows an LRU hash that never fills up, the clock, and constants that user space sets before load.
#include "packet.h"

#define NSEC_PER_SEC 1000000000ULL

const volatile __u64 rate_pps = 1000; // tokens that a second brings
const volatile __u64 burst = 32;      // tokens that a bucket holds

struct bucket {
	__u64 tokens_ns; // credit, in nanoseconds of waiting
	__u64 seen_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __be32);
	__type(value, struct bucket);
} buckets SEC(".maps");

__u64 limited; // packets dropped since the program was loaded

SEC("xdp")
int rate_limiter(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	__be16 proto = 0;
	void *l3 = skip_l2(data, data_end, &proto);
	if (!l3 || proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	struct iphdr *ip = header(struct iphdr, l3, data_end);
	if (!ip)
		return XDP_PASS;

	__u64 cost = NSEC_PER_SEC / (rate_pps ?: 1);
	__u64 full = burst * cost;
	__u64 now = bpf_ktime_get_ns();
	__be32 source = ip->saddr;
	struct bucket *bucket = bpf_map_lookup_elem(&buckets, &source);
	if (!bucket) {
		struct bucket fresh = { .tokens_ns = full - cost, .seen_ns = now };
		bpf_map_update_elem(&buckets, &source, &fresh, BPF_ANY);
		return XDP_PASS;
	}

	__u64 credit = bucket->tokens_ns + (now - bucket->seen_ns);
	if (credit > full)
		credit = full;
	bucket->seen_ns = now;
	if (credit < cost) {
		bucket->tokens_ns = credit;
		__sync_fetch_and_add(&limited, 1);
		return XDP_DROP;
	}
	bucket->tokens_ns = credit - cost;
	return XDP_PASS;
}

char _license[] SEC("license") = "MIT";
