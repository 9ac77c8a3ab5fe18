// Hash: lookup, update with every flag, delete; what each returns.
#include "prog.h"

MAP(table, BPF_MAP_TYPE_HASH, 64, __u32, __u64);

PROGRAM(hash)
{
	__u32 key = byte_at(ctx, 5);
	__u64 one = 1;
	__u64 *value = bpf_map_lookup_elem(&table, &key);
	if (value)
		*value += byte_at(ctx, 6);
	add(0, -bpf_map_update_elem(&table, &key, &one, BPF_NOEXIST));
	key = byte_at(ctx, 7) + 256;
	add(1, -bpf_map_update_elem(&table, &key, &one, BPF_EXIST));
	add(2, -bpf_map_update_elem(&table, &key, &one, BPF_ANY)); // E2BIG once 64 are in
	key = byte_at(ctx, 8);
	long err = bpf_map_delete_elem(&table, &key);
	add(3, -err);
	add(4, -bpf_map_update_elem(&table, &key, &one, 77));
	return err ? XDP_DROP : XDP_PASS;
}
