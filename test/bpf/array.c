// Array: indices inside and outside, 12-byte values, updates with flags, no deletion.
#include "prog.h"

struct triple {
	__u32 a, b, c;
};

MAP(cells, BPF_MAP_TYPE_ARRAY, 100, __u32, struct triple);

PROGRAM(array)
{
	__u32 key = byte_at(ctx, 11);
	struct triple *cell = bpf_map_lookup_elem(&cells, &key);
	if (cell) {
		cell->a++;
		cell->b ^= byte_at(ctx, 12) << 16;
		cell->c -= key;
	}
	struct triple fresh = { key, byte_at(ctx, 13), 3 };
	key = byte_at(ctx, 14);
	add(0, -bpf_map_update_elem(&cells, &key, &fresh, BPF_ANY));
	add(1, -bpf_map_update_elem(&cells, &key, &fresh, BPF_NOEXIST));
	add(2, -bpf_map_delete_elem(&cells, &key));
	return cell ? XDP_PASS : XDP_DROP;
}
