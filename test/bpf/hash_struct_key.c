// Hash with a key of 20 bytes, no preallocation, and values of 40 bytes.
#include "prog.h"

struct flow {
	__u8 mac[12];
	__u16 type;
	__u8 more[6];
};

struct state {
	__u64 packets, bytes;
	__u8 last[24];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1000);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct flow);
	__type(value, struct state);
} flows SEC(".maps");

PROGRAM(hash_struct_key)
{
	__u8 *data = DATA(ctx);
	if (data + 24 > DATA_END(ctx))
		return XDP_DROP;
	struct flow key;
	__builtin_memcpy(&key, data, sizeof(key));
	struct state *state = bpf_map_lookup_elem(&flows, &key);
	if (!state) {
		struct state fresh = { .packets = 1, .bytes = ctx->data_end - ctx->data };
		__builtin_memcpy(fresh.last, data, sizeof(fresh.last));
		return bpf_map_update_elem(&flows, &key, &fresh, BPF_ANY) ? XDP_ABORTED : XDP_PASS;
	}
	state->packets++;
	state->bytes += ctx->data_end - ctx->data;
	return XDP_TX;
}
