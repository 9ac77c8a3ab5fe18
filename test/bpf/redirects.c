// Redirect helpers: what they return for entries, empty slots, keys outside, and bad flags.
#include "prog.h"

MAP(ports, BPF_MAP_TYPE_DEVMAP, 4, __u32, __u32);
MAP(ports_hash, BPF_MAP_TYPE_DEVMAP_HASH, 4, __u32, __u32);
MAP(cpus, BPF_MAP_TYPE_CPUMAP, 4, __u32, __u32);
MAP(sockets, BPF_MAP_TYPE_XSKMAP, 4, __u32, __u32);

PROGRAM(redirects)
{
	__u32 key = byte_at(ctx, 3) & 7;
	__u64 otherwise = byte_at(ctx, 4) & 3;
	switch (byte_at(ctx, 5) & 7) {
	case 0:
		return bpf_redirect_map(&ports, key, otherwise);
	case 1:
		return bpf_redirect_map(&ports_hash, key, otherwise);
	case 2:
		return bpf_redirect_map(&cpus, key, otherwise);
	case 3:
		return bpf_redirect_map(&sockets, key, otherwise);
	case 4:
		return bpf_redirect_map(&ports, key, 4); // not a verdict it takes
	case 5:
		return bpf_redirect_map(&cpus, key, BPF_F_BROADCAST);
	case 6:
		return bpf_redirect(1, 0);
	default:
		return bpf_redirect(1, 1);
	}
}
