// Longest prefix match: prefixes learned from packets, looked up, taken out again.
#include "prog.h"

struct prefix {
	__u32 len;
	__u8 addr[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 200);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix);
	__type(value, __u32);
} trie SEC(".maps");

PROGRAM(lpm)
{
	__u8 *data = DATA(ctx);
	if (data + 14 > DATA_END(ctx))
		return XDP_DROP;
	struct prefix key = { .len = data[0] & 63 }; // over 32 is refused
	__builtin_memcpy(key.addr, data + 1, 4);
	__u32 value = data[5];
	add(0, -bpf_map_update_elem(&trie, &key, &value, BPF_ANY));
	key.len = 32;
	__builtin_memcpy(key.addr, data + 2, 4);
	__u32 *found = bpf_map_lookup_elem(&trie, &key);
	add(1, found ? *found : 1000);
	key.len = data[6] & 31;
	add(2, -bpf_map_delete_elem(&trie, &key));
	return found ? XDP_PASS : XDP_DROP;
}
