// Locks that may fail instead of waiting for ever: on what, in which order, with interrupts on and off.
#include "common.h"

struct bpf_res_spin_lock {
	__u32 val;
} __attribute__((aligned(4)));
struct entry {
	struct bpf_res_spin_lock lock;
	__u32 count;
};
struct mixed {
	struct bpf_spin_lock lock;
	__u32 count;
};
struct late {
	__u64 before;
	struct bpf_res_spin_lock lock;
	__u32 count;
};
MAP(entries, ARRAY, __u32, struct entry, 4);
MAP(others, HASH, __u32, struct entry, 4);
MAP(spins, ARRAY, __u32, struct mixed, 4);
MAP(lates, ARRAY, __u32, struct late, 4);
MAP(plain, ARRAY, __u32, __u64, 4);
extern int bpf_res_spin_lock(struct bpf_res_spin_lock *lock) __ksym;
extern void bpf_res_spin_unlock(struct bpf_res_spin_lock *lock) __ksym;
extern int bpf_res_spin_lock_irqsave(struct bpf_res_spin_lock *lock, unsigned long *flags) __ksym;
extern void bpf_res_spin_unlock_irqrestore(struct bpf_res_spin_lock *lock, unsigned long *flags) __ksym;
#define take bpf_res_spin_lock
#define give bpf_res_spin_unlock
#define take_irq bpf_res_spin_lock_irqsave
#define give_irq bpf_res_spin_unlock_irqrestore
extern void bpf_local_irq_save(unsigned long *flags) __ksym;
extern void bpf_local_irq_restore(unsigned long *flags) __ksym;

#define LOOKUP(type, name, map, k)                                                               \
	__u32 key_##name = k;                                                                        \
	type *name = bpf_map_lookup_elem(&map, &key_##name);                                         \
	if (!name)                                                                                   \
	return XDP_PASS

SEC("xdp") int taken_and_given(struct xdp_md *ctx)
{
	LOOKUP(struct entry, entry, entries, 0);
	if (take(&entry->lock))
		return XDP_DROP;
	entry->count++;
	give(&entry->lock);
	return XDP_PASS;
}
SEC("xdp") int error_in_range(struct xdp_md *ctx)
{
	LOOKUP(struct entry, entry, entries, 0);
	int err = take(&entry->lock);
	if (err < 0)
		return -err > 4095 ? *(volatile int *)0 : XDP_DROP;
	give(&entry->lock);
	return XDP_PASS;
}
SEC("xdp") int two_in_order(struct xdp_md *ctx)
{
	LOOKUP(struct entry, one, entries, 0);
	LOOKUP(struct entry, two, others, 0);
	if (take(&one->lock))
		return XDP_DROP;
	if (take(&two->lock)) {
		give(&one->lock);
		return XDP_DROP;
	}
	one->count = two->count++;
	give(&two->lock);
	give(&one->lock);
	return XDP_PASS;
}
SEC("xdp") int bad_out_of_order(struct xdp_md *ctx)
{
	LOOKUP(struct entry, one, entries, 0);
	LOOKUP(struct entry, two, others, 0);
	if (take(&one->lock))
		return XDP_DROP;
	if (take(&two->lock)) {
		give(&one->lock);
		return XDP_DROP;
	}
	give(&one->lock);
	give(&two->lock);
	return XDP_PASS;
}
SEC("xdp") int bad_unchecked(struct xdp_md *ctx)
{
	LOOKUP(struct entry, entry, entries, 0);
	take(&entry->lock);
	entry->count++;
	give(&entry->lock);
	return XDP_PASS;
}
SEC("xdp") int bad_never_given(struct xdp_md *ctx)
{
	LOOKUP(struct entry, entry, entries, 0);
	if (take(&entry->lock))
		return XDP_DROP;
	entry->count++;
	return XDP_PASS;
}
SEC("xdp") int bad_same_twice(struct xdp_md *ctx)
{
	LOOKUP(struct entry, entry, entries, 0);
	if (take(&entry->lock))
		return XDP_DROP;
	if (take(&entry->lock)) {
		give(&entry->lock);
		return XDP_DROP;
	}
	give(&entry->lock);
	give(&entry->lock);
	return XDP_PASS;
}
SEC("xdp") int same_map_other_lookup(struct xdp_md *ctx)
{
	LOOKUP(struct entry, one, entries, 0);
	LOOKUP(struct entry, two, entries, 0);
	if (take(&one->lock))
		return XDP_DROP;
	if (take(&two->lock)) {
		give(&one->lock);
		return XDP_DROP;
	}
	give(&two->lock);
	give(&one->lock);
	return XDP_PASS;
}
SEC("xdp") int bad_given_untaken(struct xdp_md *ctx)
{
	LOOKUP(struct entry, entry, entries, 0);
	give(&entry->lock);
	return XDP_PASS;
}
SEC("xdp") int bad_other_given(struct xdp_md *ctx)
{
	LOOKUP(struct entry, one, entries, 0);
	LOOKUP(struct entry, two, others, 0);
	if (take(&one->lock))
		return XDP_DROP;
	give(&two->lock);
	return XDP_PASS;
}
SEC("xdp") int bad_wrong_kind(struct xdp_md *ctx)
{
	LOOKUP(struct mixed, entry, spins, 0);
	if (take((void *)&entry->lock))
		return XDP_DROP;
	give((void *)&entry->lock);
	return XDP_PASS;
}
SEC("xdp") int bad_spin_on_it(struct xdp_md *ctx)
{
	LOOKUP(struct entry, entry, entries, 0);
	bpf_spin_lock((void *)&entry->lock);
	bpf_spin_unlock((void *)&entry->lock);
	return XDP_PASS;
}
SEC("xdp") int bad_offset(struct xdp_md *ctx)
{
	LOOKUP(struct late, entry, lates, 0);
	if (take((void *)entry))
		return XDP_DROP;
	give((void *)entry);
	return XDP_PASS;
}
SEC("xdp") int behind_a_number(struct xdp_md *ctx)
{
	LOOKUP(struct late, entry, lates, 0);
	if (take(&entry->lock))
		return XDP_DROP;
	entry->before += entry->count;
	give(&entry->lock);
	return XDP_PASS;
}
SEC("xdp") int bad_stack(struct xdp_md *ctx)
{
	struct bpf_res_spin_lock lock = {};
	if (take(&lock))
		return XDP_DROP;
	give(&lock);
	return XDP_PASS;
}
SEC("xdp") int bad_read(struct xdp_md *ctx)
{
	LOOKUP(struct entry, entry, entries, 0);
	return *(volatile __u32 *)&entry->lock;
}
SEC("xdp") int bad_helper_under_it(struct xdp_md *ctx)
{
	LOOKUP(struct entry, entry, entries, 0);
	if (take(&entry->lock))
		return XDP_DROP;
	entry->count = bpf_ktime_get_ns();
	give(&entry->lock);
	return XDP_PASS;
}
SEC("xdp") int spin_then_res(struct xdp_md *ctx)
{
	LOOKUP(struct mixed, one, spins, 0);
	LOOKUP(struct entry, two, entries, 0);
	bpf_spin_lock(&one->lock);
	if (take(&two->lock)) {
		bpf_spin_unlock(&one->lock);
		return XDP_DROP;
	}
	give(&two->lock);
	bpf_spin_unlock(&one->lock);
	return XDP_PASS;
}
SEC("xdp") int bad_res_then_spin(struct xdp_md *ctx)
{
	LOOKUP(struct mixed, one, spins, 0);
	LOOKUP(struct entry, two, entries, 0);
	if (take(&two->lock))
		return XDP_DROP;
	bpf_spin_lock(&one->lock);
	bpf_spin_unlock(&one->lock);
	give(&two->lock);
	return XDP_PASS;
}
SEC("xdp") int with_interrupts_off(struct xdp_md *ctx)
{
	unsigned long flags;
	LOOKUP(struct entry, entry, entries, 0);
	if (take_irq(&entry->lock, &flags))
		return XDP_DROP;
	entry->count++;
	give_irq(&entry->lock, &flags);
	return XDP_PASS;
}
SEC("xdp") int bad_plainly_given(struct xdp_md *ctx)
{
	unsigned long flags;
	LOOKUP(struct entry, entry, entries, 0);
	if (take_irq(&entry->lock, &flags))
		return XDP_DROP;
	give(&entry->lock);
	return XDP_PASS;
}
SEC("xdp") int bad_flags_of_another(struct xdp_md *ctx)
{
	unsigned long flags, outer;
	LOOKUP(struct entry, entry, entries, 0);
	bpf_local_irq_save(&outer);
	if (take_irq(&entry->lock, &flags)) {
		bpf_local_irq_restore(&outer);
		return XDP_DROP;
	}
	give_irq(&entry->lock, &outer);
	bpf_local_irq_restore(&flags);
	return XDP_PASS;
}
SEC("xdp") int bad_local_restore(struct xdp_md *ctx)
{
	unsigned long flags;
	LOOKUP(struct entry, entry, entries, 0);
	if (take_irq(&entry->lock, &flags))
		return XDP_DROP;
	bpf_local_irq_restore(&flags);
	give(&entry->lock);
	return XDP_PASS;
}
SEC("xdp") int irq_inside_irq(struct xdp_md *ctx)
{
	unsigned long flags, inner;
	LOOKUP(struct entry, one, entries, 0);
	LOOKUP(struct entry, two, others, 0);
	if (take_irq(&one->lock, &flags))
		return XDP_DROP;
	if (take_irq(&two->lock, &inner)) {
		give_irq(&one->lock, &flags);
		return XDP_DROP;
	}
	give_irq(&two->lock, &inner);
	give_irq(&one->lock, &flags);
	return XDP_PASS;
}
SEC("xdp") int bad_flags_never_used(struct xdp_md *ctx)
{
	unsigned long flags;
	LOOKUP(struct entry, entry, entries, 0);
	give_irq(&entry->lock, &flags);
	return XDP_PASS;
}
SEC("xdp") int in_a_loop(struct xdp_md *ctx)
{
	LOOKUP(struct entry, entry, entries, 0);
	for (int i = 0; i < 4; i++) {
		if (take(&entry->lock))
			continue;
		entry->count += i;
		give(&entry->lock);
	}
	return XDP_PASS;
}
