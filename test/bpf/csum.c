// bpf_csum_diff: add, remove, replace; and an IPv4 header checksum made with it.
#include "prog.h"

static __always_inline __u16 fold(__u64 sum)
{
	for (int i = 0; i < 4; i++)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

PROGRAM(csum)
{
	__u8 *data = DATA(ctx);
	if (data + 64 > DATA_END(ctx))
		return XDP_DROP;
	__be32 from[4], to[8];
	__builtin_memcpy(from, data, sizeof(from));
	__builtin_memcpy(to, data + 16, sizeof(to));
	add(0, bpf_csum_diff(0, 0, to, sizeof(to), 0));
	add(1, fold(bpf_csum_diff(from, sizeof(from), 0, 0, data[0])));
	add(2, fold(bpf_csum_diff(from, sizeof(from), to, sizeof(from), 0xffff)));
	add(3, fold(bpf_csum_diff(from, sizeof(from), to, sizeof(to), 0x12345678)));
	add(4, bpf_csum_diff(from, 3, to, 4, 0)); // not a multiple of four
	struct iphdr *ip = (void *)(data + ETH_HLEN);
	ip->ttl--;
	ip->check = 0;
	ip->check = fold(bpf_csum_diff(0, 0, (void *)ip, sizeof(*ip), 0));
	return XDP_TX;
}
