// bpf_for_each_map_elem over an array, a hash and a per-CPU array.
#include "prog.h"

MAP(cells, BPF_MAP_TYPE_ARRAY, 20, __u32, __u64);
MAP(table, BPF_MAP_TYPE_HASH, 300, __u32, __u64);
MAP(counts, BPF_MAP_TYPE_PERCPU_ARRAY, 5, __u32, __u64);

struct total {
	__u64 keys, values;
};

static long collect(void *map, const void *key, void *value, void *data)
{
	struct total *total = data;
	total->keys += *(__u32 *)key;
	total->values += *(__u64 *)value;
	return 0;
}

static long stop_at_seven(void *map, const void *key, void *value, void *data)
{
	*(__u64 *)value += 1;
	return *(__u32 *)key == 7;
}

PROGRAM(for_each)
{
	__u32 key = byte_at(ctx, 1);
	__u64 value = byte_at(ctx, 2);
	bpf_map_update_elem(&table, &key, &value, BPF_ANY);
	struct total total = {};
	note(0, bpf_for_each_map_elem(&table, collect, &total, 0));
	note(1, bpf_for_each_map_elem(&cells, stop_at_seven, &total, 0));
	note(2, bpf_for_each_map_elem(&counts, stop_at_seven, &total, 0));
	note(3, bpf_for_each_map_elem(&table, collect, &total, 1));
	add(4, total.keys);
	add(5, total.values);
	return XDP_PASS;
}
