// Rewriting a packet: addresses swapped, TTL lowered with an incremental checksum.
#include "prog.h"

PROGRAM(rewrite)
{
	__u8 *data = DATA(ctx);
	struct iphdr *ip = (void *)(data + ETH_HLEN);
	if ((void *)(ip + 1) > (void *)DATA_END(ctx))
		return XDP_DROP;
	__u8 mac[ETH_ALEN];
	__builtin_memcpy(mac, data, ETH_ALEN);
	__builtin_memcpy(data, data + ETH_ALEN, ETH_ALEN);
	__builtin_memcpy(data + ETH_ALEN, mac, ETH_ALEN);
	__be32 saddr = ip->saddr;
	ip->saddr = ip->daddr;
	ip->daddr = saddr;
	if (ip->ttl <= 1)
		return XDP_PASS;
	__u32 check = ip->check + bpf_htons(0x0100);
	ip->check = check + (check >= 0xffff);
	ip->ttl--;
	return XDP_TX;
}
