// Bloom filter: what was pushed is always found. (What was not may be found: the seeds differ.)
#include "prog.h"

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 1000);
	__uint(map_extra, 3);
	__type(value, __u32);
} filter SEC(".maps");

PROGRAM(bloom)
{
	__u32 value = byte_at(ctx, 1) << 8 | byte_at(ctx, 2);
	add(0, -bpf_map_push_elem(&filter, &value, BPF_ANY));
	add(1, -bpf_map_peek_elem(&filter, &value));
	add(2, -bpf_map_push_elem(&filter, &value, BPF_NOEXIST));
	return XDP_PASS;
}
