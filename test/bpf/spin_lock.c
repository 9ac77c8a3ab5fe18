// bpf_spin_lock around a value of several fields.
#include "prog.h"

struct account {
	struct bpf_spin_lock lock;
	__u32 transfers;
	__u64 from, to;
};

MAP(accounts, BPF_MAP_TYPE_ARRAY, 4, __u32, struct account);

PROGRAM(spin_lock)
{
	__u32 key = byte_at(ctx, 2) & 7;
	__u64 amount = byte_at(ctx, 3);
	struct account *account = bpf_map_lookup_elem(&accounts, &key);
	if (!account)
		return XDP_DROP;
	bpf_spin_lock(&account->lock);
	account->transfers++;
	account->from -= amount;
	account->to += amount;
	bpf_spin_unlock(&account->lock);
	return XDP_PASS;
}
