// The usual parser: Ethernet, two VLAN tags, IPv4 or IPv6, UDP or TCP; verdict by port.
#include "prog.h"
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

struct tag {
	__be16 tci, proto;
};

PROGRAM(parse)
{
	void *data = DATA(ctx), *data_end = DATA_END(ctx);
	struct ethhdr *eth = data;
	if ((void *)(eth + 1) > data_end)
		return XDP_DROP;
	void *at = eth + 1;
	__be16 proto = eth->h_proto;
	for (int i = 0; i < 2; i++) {
		if (proto != bpf_htons(ETH_P_8021Q) && proto != bpf_htons(ETH_P_8021AD))
			break;
		struct tag *tag = at;
		if ((void *)(tag + 1) > data_end)
			return XDP_DROP;
		proto = tag->proto;
		at = tag + 1;
		add(0, 1);
	}
	__u8 next;
	if (proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = at;
		if ((void *)(ip + 1) > data_end || ip->ihl < 5)
			return XDP_DROP;
		next = ip->protocol;
		at += ip->ihl * 4;
		add(1, 1);
	} else if (proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip6 = at;
		if ((void *)(ip6 + 1) > data_end)
			return XDP_DROP;
		next = ip6->nexthdr;
		at = ip6 + 1;
		add(2, 1);
	} else {
		return XDP_PASS;
	}
	__be16 port;
	if (next == IPPROTO_UDP) {
		struct udphdr *udp = at;
		if ((void *)(udp + 1) > data_end)
			return XDP_DROP;
		port = udp->dest;
		add(3, 1);
	} else if (next == IPPROTO_TCP) {
		struct tcphdr *tcp = at;
		if ((void *)(tcp + 1) > data_end)
			return XDP_DROP;
		port = tcp->dest;
		add(4, 1);
	} else {
		return XDP_PASS;
	}
	return bpf_ntohs(port) & 1 ? XDP_TX : XDP_PASS;
}
