#include "common.h"

struct bucket {
	struct bpf_spin_lock lock;
	__u64 tokens, last;
};
struct alarm {
	struct bpf_timer timer;
	__u64 fired;
};
struct two {
	__u64 before;
	struct bpf_spin_lock lock;
	__u64 after;
};
MAP(buckets, HASH, __u32, struct bucket, 64);
MAP(alarms, ARRAY, __u32, struct alarm, 4);
MAP(twos, ARRAY, __u32, struct two, 4);
MAP(plain, ARRAY, __u32, __u64, 4);
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern void bpf_preempt_disable(void) __ksym;
extern void bpf_preempt_enable(void) __ksym;

SEC("xdp") int token_bucket(struct xdp_md *ctx)
{
	__u32 key = ctx->rx_queue_index;
	struct bucket *bucket = bpf_map_lookup_elem(&buckets, &key);
	if (!bucket)
		return XDP_PASS;
	__u64 now = bpf_ktime_get_ns();
	int verdict = XDP_DROP;
	bpf_spin_lock(&bucket->lock);
	bucket->tokens += (now - bucket->last) >> 10;
	bucket->last = now;
	if (bucket->tokens > 100) {
		bucket->tokens -= 100;
		verdict = XDP_PASS;
	}
	bpf_spin_unlock(&bucket->lock);
	return verdict;
}

SEC("xdp") int lock_in_the_middle(struct xdp_md *ctx)
{
	__u32 key = 1;
	struct two *two = bpf_map_lookup_elem(&twos, &key);
	if (!two)
		return XDP_PASS;
	bpf_spin_lock(&two->lock);
	two->before = two->after++;
	bpf_spin_unlock(&two->lock);
	return XDP_PASS;
}

SEC("xdp") int locked_update(struct xdp_md *ctx)
{
	__u32 key = 1;
	struct bucket fresh = { .tokens = 5 };
	bpf_map_update_elem(&buckets, &key, &fresh, BPF_F_LOCK);
	return XDP_PASS;
}

static int fires(void *map, __u32 *key, struct alarm *alarm)
{
	alarm->fired++;
	bpf_timer_start(&alarm->timer, 1000, 0);
	return 0;
}

SEC("xdp") int timer(struct xdp_md *ctx)
{
	__u32 key = 0;
	struct alarm *alarm = bpf_map_lookup_elem(&alarms, &key);
	if (!alarm)
		return XDP_PASS;
	bpf_timer_init(&alarm->timer, &alarms, 1);
	bpf_timer_set_callback(&alarm->timer, fires);
	bpf_timer_start(&alarm->timer, 1000, 0);
	return XDP_PASS;
}

SEC("xdp") int sections(struct xdp_md *ctx)
{
	bpf_rcu_read_lock();
	__u32 key = 0;
	__u64 *value = bpf_map_lookup_elem(&plain, &key);
	if (value)
		(*value)++;
	bpf_rcu_read_unlock();
	bpf_preempt_disable();
	__u64 cpu = bpf_get_smp_processor_id();
	bpf_preempt_enable();
	return cpu & 3;
}

SEC("xdp") int atomics(struct xdp_md *ctx)
{
	__u32 key = 0;
	__u64 *value = bpf_map_lookup_elem(&plain, &key);
	if (!value)
		return XDP_PASS;
	__sync_fetch_and_add(value, 5);
	return XDP_DROP;
}

SEC("xdp") int bad_lock_kept(struct xdp_md *ctx)
{
	__u32 key = 1;
	struct bucket *bucket = bpf_map_lookup_elem(&buckets, &key);
	if (bucket)
		bpf_spin_lock(&bucket->lock);
	return XDP_PASS;
}

SEC("xdp") int bad_lock_twice(struct xdp_md *ctx)
{
	__u32 key = 1;
	struct bucket *bucket = bpf_map_lookup_elem(&buckets, &key);
	if (!bucket)
		return XDP_PASS;
	bpf_spin_lock(&bucket->lock);
	bpf_spin_lock(&bucket->lock);
	bpf_spin_unlock(&bucket->lock);
	return XDP_PASS;
}

SEC("xdp") int bad_lock_of_another(struct xdp_md *ctx)
{
	__u32 one = 1, two = 2;
	struct bucket *a = bpf_map_lookup_elem(&buckets, &one);
	struct bucket *b = bpf_map_lookup_elem(&buckets, &two);
	if (!a || !b)
		return XDP_PASS;
	bpf_spin_lock(&a->lock);
	bpf_spin_unlock(&b->lock);
	return XDP_PASS;
}

SEC("xdp") int bad_call_under_lock(struct xdp_md *ctx)
{
	__u32 key = 1;
	struct bucket *bucket = bpf_map_lookup_elem(&buckets, &key);
	if (!bucket)
		return XDP_PASS;
	bpf_spin_lock(&bucket->lock);
	bucket->last = bpf_ktime_get_ns();
	bpf_spin_unlock(&bucket->lock);
	return XDP_PASS;
}

SEC("xdp") int bad_lock_written(struct xdp_md *ctx)
{
	__u32 key = 1;
	struct bucket *bucket = bpf_map_lookup_elem(&buckets, &key);
	if (bucket)
		*(volatile __u32 *)&bucket->lock = 0;
	return XDP_PASS;
}

SEC("xdp") int bad_lock_elsewhere(struct xdp_md *ctx)
{
	__u32 key = 1;
	struct two *two = bpf_map_lookup_elem(&twos, &key);
	if (!two)
		return XDP_PASS;
	bpf_spin_lock((void *)two);
	bpf_spin_unlock((void *)two);
	return XDP_PASS;
}

SEC("xdp") int bad_lock_of_plain(struct xdp_md *ctx)
{
	__u32 key = 1;
	void *value = bpf_map_lookup_elem(&plain, &key);
	if (!value)
		return XDP_PASS;
	bpf_spin_lock(value);
	bpf_spin_unlock(value);
	return XDP_PASS;
}

SEC("xdp") int bad_timer_read(struct xdp_md *ctx)
{
	__u32 key = 0;
	struct alarm *alarm = bpf_map_lookup_elem(&alarms, &key);
	return alarm ? *(volatile __u32 *)&alarm->timer : XDP_PASS;
}

SEC("xdp") int bad_timer_of_another_map(struct xdp_md *ctx)
{
	__u32 key = 0;
	struct alarm *alarm = bpf_map_lookup_elem(&alarms, &key);
	if (alarm)
		bpf_timer_init(&alarm->timer, &plain, 1);
	return XDP_PASS;
}

static int fires_wrongly(void *map, __u32 *key, struct alarm *alarm)
{
	return *key;
}

SEC("xdp") int bad_timer_return(struct xdp_md *ctx)
{
	__u32 key = 0;
	struct alarm *alarm = bpf_map_lookup_elem(&alarms, &key);
	if (alarm)
		bpf_timer_set_callback(&alarm->timer, fires_wrongly);
	return XDP_PASS;
}

SEC("xdp") int bad_section_kept(struct xdp_md *ctx)
{
	bpf_rcu_read_lock();
	return XDP_PASS;
}

SEC("xdp") int bad_section_kept_sometimes(struct xdp_md *ctx)
{
	bpf_preempt_disable();
	if (ctx->rx_queue_index)
		bpf_preempt_enable();
	return XDP_PASS;
}
