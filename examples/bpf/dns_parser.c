// Who asks for what: the names in DNS queries over IPv4, counted, and the blocked ones dropped.
// Shows a bounded loop over bytes of the packet, a hash keyed by a whole name, and global data.
#include "packet.h"

#define DNS_PORT 53
#define NAME_MAX_LEN 64 // longer names are counted as `too_long` and passed
#define DNS_QR 0x8000

struct dns_hdr {
	__be16 id;
	__be16 flags;
	__be16 qdcount;
	__be16 ancount;
	__be16 nscount;
	__be16 arcount;
};

// Labels as they stand in the packet, lengths included, lower case, zero behind the end.
struct dns_name {
	char text[NAME_MAX_LEN];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct dns_name);
	__type(value, __u64);
} queries SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct dns_name);
	__type(value, __u8);
} blocked SEC(".maps");

__u64 too_long;
__u64 malformed;

static __always_inline struct udphdr *dns_over_udp(void *data, void *data_end)
{
	__be16 proto = 0;
	void *l3 = skip_l2(data, data_end, &proto);
	if (!l3 || proto != bpf_htons(ETH_P_IP))
		return 0;
	struct iphdr *ip = header(struct iphdr, l3, data_end);
	if (!ip || ip->protocol != IPPROTO_UDP || ip->ihl < 5)
		return 0;
	if (ip->frag_off & bpf_htons(IP_OFFSET))
		return 0;
	struct udphdr *udp = header(struct udphdr, l3 + ip->ihl * 4, data_end);
	if (!udp || udp->dest != bpf_htons(DNS_PORT))
		return 0;
	return udp;
}

SEC("xdp")
int dns_parser(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct udphdr *udp = dns_over_udp(data, data_end);
	if (!udp)
		return XDP_PASS;
	struct dns_hdr *dns = header(struct dns_hdr, udp + 1, data_end);
	if (!dns) {
		__sync_fetch_and_add(&malformed, 1);
		return XDP_PASS;
	}
	if (dns->flags & bpf_htons(DNS_QR) || dns->qdcount == 0)
		return XDP_PASS;

	struct dns_name name = {};
	char *at = (char *)(dns + 1);
	int len = 0;
	for (; len < NAME_MAX_LEN; len++) {
		if (at + len + 1 > (char *)data_end) {
			__sync_fetch_and_add(&malformed, 1);
			return XDP_PASS;
		}
		char byte = at[len];
		if (byte == 0)
			break;
		name.text[len] = byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte;
	}
	if (len == NAME_MAX_LEN) {
		__sync_fetch_and_add(&too_long, 1);
		return XDP_PASS;
	}

	__u64 *count = bpf_map_lookup_elem(&queries, &name);
	if (count) {
		__sync_fetch_and_add(count, 1);
	} else {
		__u64 one = 1;
		bpf_map_update_elem(&queries, &name, &one, BPF_NOEXIST);
	}
	return bpf_map_lookup_elem(&blocked, &name) ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "MIT";
