// Looking up a devmap from a program: its values can be read.
#include "prog.h"

MAP(ports, BPF_MAP_TYPE_DEVMAP, 4, __u32, struct bpf_devmap_val);

PROGRAM(redirect_lookup)
{
	__u32 key = byte_at(ctx, 3) & 7;
	struct bpf_devmap_val *port = bpf_map_lookup_elem(&ports, &key);
	add(0, port ? port->ifindex : 100);
	return XDP_PASS;
}
