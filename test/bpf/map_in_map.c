// Array and hash of maps, filled by the object itself: a lookup gives a map, which is looked up.
#include "prog.h"

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} first SEC(".maps"), second SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 3);
	__type(key, __u32);
	__array(values, struct inner);
} by_index SEC(".maps") = { .values = { &first, 0, &second } };

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 8);
	__type(key, __u32);
	__array(values, struct inner);
} by_key SEC(".maps") = { .values = { [2] = &first, [5] = &second } };

static __always_inline int bump(void *map, __u32 slot)
{
	if (!map)
		return 0;
	__u64 *value = bpf_map_lookup_elem(map, &slot);
	if (!value)
		return 0;
	*value += 1;
	return 1;
}

PROGRAM(map_in_map)
{
	__u32 index = byte_at(ctx, 6) & 3, key = byte_at(ctx, 7) & 7;
	int found = bump(bpf_map_lookup_elem(&by_index, &index), byte_at(ctx, 8) & 7);
	found += bump(bpf_map_lookup_elem(&by_key, &key), byte_at(ctx, 9) & 7);
	return found;
}
