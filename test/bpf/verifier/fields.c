// Fields that the kernel keeps in values: where it finds them, and where it does not.
#include "common.h"

struct one {
	__u64 before;
	struct bpf_spin_lock lock;
	__u32 after;
};
struct several {
	struct bpf_spin_lock locks[2];
	__u64 count;
};
struct alone {
	struct bpf_spin_lock locks[1];
	__u32 count;
};
struct inner {
	struct one one;
};
struct hidden {
	union {
		struct bpf_spin_lock lock;
		__u32 word;
	};
	__u32 count;
};
struct changing {
	volatile struct bpf_spin_lock lock;
	__u32 count;
};
typedef struct bpf_spin_lock named_lock;
struct named {
	named_lock lock;
	__u32 count;
};
struct nests {
	struct one ones[1];
};
struct nests_two {
	struct one ones[2];
};
struct both {
	struct bpf_timer timer;
	struct bpf_spin_lock lock;
	__u32 count;
};
struct two_timers {
	struct bpf_timer timers[2];
	__u64 count;
};
MAP(ones, ARRAY, __u32, struct one, 1);
MAP(severals, ARRAY, __u32, struct several, 1);
MAP(alones, ARRAY, __u32, struct alone, 1);
MAP(inners, ARRAY, __u32, struct inner, 1);
MAP(hiddens, ARRAY, __u32, struct hidden, 1);
MAP(changings, ARRAY, __u32, struct changing, 1);
MAP(nameds, ARRAY, __u32, struct named, 1);
MAP(nestss, ARRAY, __u32, struct nests, 1);
MAP(nests_twos, ARRAY, __u32, struct nests_two, 1);
MAP(boths, ARRAY, __u32, struct both, 1);
MAP(two_timerss, ARRAY, __u32, struct two_timers, 1);

static struct bpf_spin_lock data_lock SEC(".data.locked");
static __u64 data_count SEC(".data.locked") = 1;
static struct bpf_spin_lock bss_lock;
static __u64 bss_count;
static struct one data_one SEC(".data.struct") = { .after = 1 };
static struct bpf_spin_lock data_first SEC(".data.two");
static struct bpf_spin_lock data_second SEC(".data.two");
static __u64 data_two_count SEC(".data.two") = 1;
static struct bpf_timer data_timer SEC(".data.timer");
static __u64 data_timer_count SEC(".data.timer") = 1;

#define LOCKED(name, map, type, field, counted) \
SEC("xdp") int name(struct xdp_md *ctx) \
{ \
	__u32 key = 0; \
	struct type *value = bpf_map_lookup_elem(&map, &key); \
 \
	if (!value) \
		return XDP_PASS; \
	bpf_spin_lock((struct bpf_spin_lock *)&value->field); \
	value->counted++; \
	bpf_spin_unlock((struct bpf_spin_lock *)&value->field); \
	return XDP_PASS; \
}
LOCKED(locks_one, ones, one, lock, after)
LOCKED(bad_locks_array, severals, several, locks[1], count)
LOCKED(locks_array_of_one, alones, alone, locks[0], count)
LOCKED(locks_inner, inners, inner, one.lock, one.after)
LOCKED(bad_locks_union, hiddens, hidden, lock, count)
LOCKED(bad_locks_volatile, changings, changing, lock, count)
LOCKED(bad_locks_typedef, nameds, named, lock, count)
LOCKED(locks_nested_array, nestss, nests, ones[0].lock, ones[0].after)
LOCKED(bad_locks_nested_arrays, nests_twos, nests_two, ones[1].lock, ones[1].after)
LOCKED(locks_beside_timer, boths, both, lock, count)

#define WRITTEN(name, map, type, field) \
SEC("xdp") int name(struct xdp_md *ctx) \
{ \
	__u32 key = 0; \
	struct type *value = bpf_map_lookup_elem(&map, &key); \
 \
	if (value) \
		*(volatile __u32 *)&value->field = 1; \
	return XDP_PASS; \
}
WRITTEN(bad_writes_one, ones, one, lock)
WRITTEN(writes_array, severals, several, locks[1])
WRITTEN(writes_union, hiddens, hidden, lock)
WRITTEN(writes_volatile, changings, changing, lock)
WRITTEN(writes_typedef, nameds, named, lock)
WRITTEN(bad_writes_nested, nestss, nests, ones[0].lock)
WRITTEN(writes_nested, nests_twos, nests_two, ones[1].lock)
WRITTEN(bad_writes_timer, boths, both, timer)
WRITTEN(writes_timers, two_timerss, two_timers, timers[1])

SEC("xdp") int locks_data(struct xdp_md *ctx)
{
	bpf_spin_lock(&data_lock);
	data_count++;
	bpf_spin_unlock(&data_lock);
	return XDP_PASS;
}
SEC("xdp") int locks_bss(struct xdp_md *ctx)
{
	bpf_spin_lock(&bss_lock);
	bss_count++;
	bpf_spin_unlock(&bss_lock);
	return XDP_PASS;
}
SEC("xdp") int locks_data_struct(struct xdp_md *ctx)
{
	bpf_spin_lock(&data_one.lock);
	data_one.after++;
	bpf_spin_unlock(&data_one.lock);
	return XDP_PASS;
}
SEC("xdp") int bad_locks_data_two(struct xdp_md *ctx)
{
	bpf_spin_lock(&data_first);
	data_two_count++;
	bpf_spin_unlock(&data_first);
	return XDP_PASS;
}
SEC("xdp") int bad_locks_data_second(struct xdp_md *ctx)
{
	bpf_spin_lock(&data_second);
	data_two_count++;
	bpf_spin_unlock(&data_second);
	return XDP_PASS;
}
SEC("xdp") int bad_unlocks_other(struct xdp_md *ctx)
{
	bpf_spin_lock(&data_lock);
	data_count++;
	bpf_spin_unlock(&bss_lock);
	return XDP_PASS;
}
SEC("xdp") int bad_writes_data(struct xdp_md *ctx)
{
	*(volatile __u32 *)&data_lock = 1;
	return XDP_PASS;
}
SEC("xdp") int bad_reads_bss(struct xdp_md *ctx)
{
	return *(volatile __u32 *)&bss_lock;
}
SEC("xdp") int bad_writes_data_struct(struct xdp_md *ctx)
{
	*(volatile __u32 *)&data_one.lock = 1;
	return XDP_PASS;
}
SEC("xdp") int bad_reads_data_timer(struct xdp_md *ctx)
{
	data_timer_count++;
	return *(volatile __u32 *)&data_timer;
}
