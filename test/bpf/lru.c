// LRU hash and per-CPU LRU hash, below their capacity: there an LRU is a hash.
#include "prog.h"

MAP(recent, BPF_MAP_TYPE_LRU_HASH, 4096, __u32, __u64);
MAP(recent_percpu, BPF_MAP_TYPE_LRU_PERCPU_HASH, 4096, __u32, __u64);

PROGRAM(lru)
{
	__u32 key = byte_at(ctx, 3);
	__u64 one = 1;
	__u64 *value = bpf_map_lookup_elem(&recent, &key);
	if (value)
		*value += 1;
	else
		bpf_map_update_elem(&recent, &key, &one, BPF_ANY);
	key = byte_at(ctx, 4);
	add(0, -bpf_map_update_elem(&recent_percpu, &key, &one, BPF_NOEXIST));
	key = byte_at(ctx, 5);
	add(1, -bpf_map_delete_elem(&recent, &key));
	return value ? XDP_PASS : XDP_DROP;
}
