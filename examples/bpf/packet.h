// What the examples share: header constants and the one way they look at a packet.
//
// Each program keeps `data` and `data_end` as the context gave them, and compares before each
// read: that comparison is what the verifier asks for.
#pragma once

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define VLAN_HLEN 4
#define MAX_TAGS 2
#define IP_DF 0x4000
#define IP_MF 0x2000
#define IP_OFFSET 0x1fff

struct vlan_hdr {
	__be16 tci;
	__be16 proto;
};

static __always_inline int is_tag(__be16 proto)
{
	return proto == bpf_htons(ETH_P_8021Q) || proto == bpf_htons(ETH_P_8021AD);
}

// The header at `at`, or a null pointer when the packet ends before it does.
#define header(type, at, data_end) \
	((type *)(at) + 1 > (type *)(data_end) ? (type *)0 : (type *)(at))

// Skip Ethernet and up to two tags. Returns the first byte behind them and writes the type found
// there, or returns a null pointer when the packet is too short.
static __always_inline void *skip_l2(void *data, void *data_end, __be16 *proto)
{
	struct ethhdr *eth = header(struct ethhdr, data, data_end);
	if (!eth)
		return 0;
	void *at = eth + 1;
	__be16 type = eth->h_proto;
#pragma unroll
	for (int tags = 0; tags < MAX_TAGS; tags++) {
		if (!is_tag(type))
			break;
		struct vlan_hdr *tag = header(struct vlan_hdr, at, data_end);
		if (!tag)
			return 0;
		type = tag->proto;
		at = tag + 1;
	}
	*proto = type;
	return at;
}
