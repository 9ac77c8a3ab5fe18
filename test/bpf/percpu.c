// Per-CPU array and hash: the running CPU's value, and another CPU's by number.
#include "prog.h"

MAP(counts, BPF_MAP_TYPE_PERCPU_ARRAY, 16, __u32, __u64);
MAP(seen, BPF_MAP_TYPE_PERCPU_HASH, 300, __u32, __u64);

PROGRAM(percpu)
{
	__u32 key = byte_at(ctx, 9) & 31;
	__u64 *count = bpf_map_lookup_elem(&counts, &key);
	if (count)
		*count += 1;
	__u32 byte = byte_at(ctx, 10);
	__u64 *times = bpf_map_lookup_elem(&seen, &byte);
	if (times) {
		*times += 1;
	} else {
		__u64 one = 1;
		add(0, -bpf_map_update_elem(&seen, &byte, &one, BPF_NOEXIST));
	}
	__u64 *first = bpf_map_lookup_percpu_elem(&counts, &key, 0);
	add(1, first ? *first : 1000);
	add(2, bpf_map_lookup_percpu_elem(&counts, &key, 100000) == 0);
	return count ? XDP_PASS : XDP_DROP;
}
