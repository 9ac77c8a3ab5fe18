// Work for later: queues, and who may sleep in them.
#include "common.h"

struct bpf_wq {
	__u64 opaque[2];
} __attribute__((aligned(8)));
struct job {
	__u64 done;
	struct bpf_wq work;
};
struct two_kinds {
	struct bpf_timer timer;
	struct bpf_wq work;
};
MAP(jobs, ARRAY, __u32, struct job, 4);
MAP(hashed, HASH, __u32, struct job, 4);
MAP(both, HASH, __u32, struct two_kinds, 4);
MAP(plain, ARRAY, __u32, __u64, 4);
extern int bpf_wq_init(struct bpf_wq *wq, void *map, unsigned int flags) __ksym;
extern int bpf_wq_start(struct bpf_wq *wq, unsigned int flags) __ksym;
extern int bpf_wq_set_callback_impl(struct bpf_wq *wq, int(callback)(void *map, int *key, void *value),
				    unsigned int flags, void *aux) __ksym;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
#define LOOKUP(type, name, map, k)                                                               \
	__u32 key_##name = k;                                                                        \
	type *name = bpf_map_lookup_elem(&map, &key_##name);                                         \
	if (!name)                                                                                   \
	return XDP_PASS

static int works(void *map, int *key, void *value)
{
	struct job *job = value;
	job->done++;
	return 0;
}
static int looks_up(void *map, int *key, void *value)
{
	__u32 k = *key;
	__u64 *other = bpf_map_lookup_elem(&plain, &k);
	if (other)
		*other += 1;
	return 0;
}
static int returns_one(void *map, int *key, void *value)
{
	return 1;
}
static int writes_key(void *map, int *key, void *value)
{
	*key = 5;
	return 0;
}
static int starts_again(void *map, int *key, void *value)
{
	struct job *job = value;
	bpf_wq_start(&job->work, 0);
	return 0;
}
SEC("xdp") int queued(struct xdp_md *ctx)
{
	LOOKUP(struct job, job, jobs, 0);
	if (bpf_wq_init(&job->work, &jobs, 0))
		return XDP_DROP;
	if (bpf_wq_set_callback_impl(&job->work, works, 0, NULL))
		return XDP_DROP;
	bpf_wq_start(&job->work, 0);
	return XDP_PASS;
}
SEC("xdp") int callback_looks_up(struct xdp_md *ctx)
{
	LOOKUP(struct job, job, hashed, 0);
	bpf_wq_init(&job->work, &hashed, 0);
	bpf_wq_set_callback_impl(&job->work, looks_up, 0, NULL);
	return XDP_PASS;
}
SEC("xdp") int callback_starts_again(struct xdp_md *ctx)
{
	LOOKUP(struct job, job, hashed, 0);
	bpf_wq_init(&job->work, &hashed, 0);
	bpf_wq_set_callback_impl(&job->work, starts_again, 0, NULL);
	return XDP_PASS;
}
SEC("xdp") int beside_a_timer(struct xdp_md *ctx)
{
	LOOKUP(struct two_kinds, one, both, 0);
	bpf_timer_init(&one->timer, &both, 1);
	bpf_wq_init(&one->work, &both, 0);
	return XDP_PASS;
}
SEC("xdp") int bad_returns_one(struct xdp_md *ctx)
{
	LOOKUP(struct job, job, jobs, 0);
	bpf_wq_set_callback_impl(&job->work, returns_one, 0, NULL);
	return XDP_PASS;
}
SEC("xdp") int bad_writes_key(struct xdp_md *ctx)
{
	LOOKUP(struct job, job, jobs, 0);
	bpf_wq_set_callback_impl(&job->work, writes_key, 0, NULL);
	return XDP_PASS;
}
SEC("xdp") int bad_other_map(struct xdp_md *ctx)
{
	LOOKUP(struct job, job, jobs, 0);
	bpf_wq_init(&job->work, &hashed, 0);
	return XDP_PASS;
}
SEC("xdp") int bad_no_map(struct xdp_md *ctx)
{
	LOOKUP(struct job, job, jobs, 0);
	bpf_wq_init(&job->work, ctx, 0);
	return XDP_PASS;
}
SEC("xdp") int bad_offset(struct xdp_md *ctx)
{
	LOOKUP(struct job, job, jobs, 0);
	bpf_wq_start((void *)job, 0);
	return XDP_PASS;
}
SEC("xdp") int bad_value_without(struct xdp_md *ctx)
{
	LOOKUP(__u64, job, plain, 0);
	bpf_wq_start((void *)job, 0);
	return XDP_PASS;
}
SEC("xdp") int bad_on_stack(struct xdp_md *ctx)
{
	struct bpf_wq work = {};
	bpf_wq_start(&work, 0);
	return XDP_PASS;
}
SEC("xdp") int surely_there(struct xdp_md *ctx)
{
	__u32 key = 0;
	struct job *job = bpf_map_lookup_elem(&jobs, &key);
	bpf_wq_start(&job->work, 0);
	return XDP_PASS;
}
SEC("xdp") int bad_callback_is_number(struct xdp_md *ctx)
{
	LOOKUP(struct job, job, jobs, 0);
	bpf_wq_set_callback_impl(&job->work, (void *)5, 0, NULL);
	return XDP_PASS;
}
SEC("xdp") int bad_unknown_offset(struct xdp_md *ctx)
{
	LOOKUP(struct job, job, jobs, 0);
	bpf_wq_start((void *)job + (ctx->rx_queue_index & 8), 0);
	return XDP_PASS;
}
SEC("xdp") int bad_read(struct xdp_md *ctx)
{
	LOOKUP(struct job, job, jobs, 0);
	return *(volatile __u64 *)&job->work;
}
static int sleeps(void *map, int *key, void *value)
{
	char text[8];
	bpf_copy_from_user(text, sizeof(text), (void *)0);
	return 0;
}
SEC("xdp") int callback_may_sleep(struct xdp_md *ctx)
{
	LOOKUP(struct job, job, jobs, 0);
	bpf_wq_set_callback_impl(&job->work, sleeps, 0, NULL);
	return XDP_PASS;
}
static int holds_rcu(void *map, int *key, void *value)
{
	bpf_rcu_read_lock();
	if (*key == 3)
		return 0;
	bpf_rcu_read_unlock();
	return 0;
}
SEC("xdp") int bad_callback_keeps_rcu(struct xdp_md *ctx)
{
	LOOKUP(struct job, job, jobs, 0);
	bpf_wq_set_callback_impl(&job->work, holds_rcu, 0, NULL);
	return XDP_PASS;
}
