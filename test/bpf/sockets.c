// Socket lookups where there are no sockets, and maps of sockets that are only declared.
#include "prog.h"

MAP(sockmap, BPF_MAP_TYPE_SOCKMAP, 4, __u32, __u64);
MAP(sockhash, BPF_MAP_TYPE_SOCKHASH, 4, __u32, __u64);
MAP(group, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, 4, __u32, __u64);

PROGRAM(sockets)
{
	struct bpf_sock_tuple tuple = {};
	tuple.ipv4.saddr = bpf_htonl(0xc6336401);
	tuple.ipv4.daddr = bpf_htonl(0xc6336402);
	tuple.ipv4.sport = bpf_htons(1);
	tuple.ipv4.dport = bpf_htons(byte_at(ctx, 1));
	struct bpf_sock *tcp = bpf_sk_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv4), -1, 0);
	add(0, tcp != 0);
	if (tcp)
		bpf_sk_release(tcp);
	struct bpf_sock *udp = bpf_sk_lookup_udp(ctx, &tuple, sizeof(tuple.ipv4), -1, 0);
	add(1, udp != 0);
	if (udp)
		bpf_sk_release(udp);
	return XDP_PASS;
}
