// Work for the next return to user space.
#include "common.h"

struct task_struct {
	int pid;
};
struct bpf_map {
	__u32 id;
};
struct bpf_task_work {
	__u64 opaque;
} __attribute__((aligned(8)));
struct job {
	__u64 done;
	struct bpf_task_work work;
};
MAP(jobs, ARRAY, __u32, struct job, 4);
MAP(hashed, HASH, __u32, struct job, 4);
extern int bpf_task_work_schedule_signal_impl(struct task_struct *task, struct bpf_task_work *tw,
	void *map, int (*callback)(struct bpf_map *map, void *key, void *value), void *aux) __ksym;
extern int bpf_task_work_schedule_resume_impl(struct task_struct *task, struct bpf_task_work *tw,
	void *map, int (*callback)(struct bpf_map *map, void *key, void *value), void *aux) __ksym;
#define LOOKUP(type, name, map, k)                                                               \
	__u32 key_##name = k;                                                                        \
	type *name = bpf_map_lookup_elem(&map, &key_##name);                                         \
	if (!name)                                                                                   \
	return XDP_PASS
static int works(struct bpf_map *map, void *key, void *value)
{
	struct job *job = value;
	job->done++;
	return 0;
}
static int returns_key(struct bpf_map *map, void *key, void *value)
{
	return *(int *)key;
}
SEC("xdp") int for_signal(struct xdp_md *ctx)
{
	LOOKUP(struct job, job, jobs, 0);
	bpf_task_work_schedule_signal_impl(bpf_get_current_task_btf(), &job->work, &jobs, works, NULL);
	return XDP_PASS;
}
SEC("xdp") int for_resume(struct xdp_md *ctx)
{
	LOOKUP(struct job, job, hashed, 0);
	bpf_task_work_schedule_resume_impl(bpf_get_current_task_btf(), &job->work, &hashed, works, NULL);
	return XDP_PASS;
}
SEC("xdp") int bad_unsigned_returned(struct xdp_md *ctx)
{
	LOOKUP(struct job, job, hashed, 0);
	bpf_task_work_schedule_resume_impl(bpf_get_current_task_btf(), &job->work, &hashed, returns_key, NULL);
	return XDP_PASS;
}
SEC("xdp") int bad_no_task(struct xdp_md *ctx)
{
	LOOKUP(struct job, job, jobs, 0);
	bpf_task_work_schedule_signal_impl(NULL, &job->work, &jobs, works, NULL);
	return XDP_PASS;
}
SEC("xdp") int bad_other_map(struct xdp_md *ctx)
{
	LOOKUP(struct job, job, jobs, 0);
	bpf_task_work_schedule_signal_impl(bpf_get_current_task_btf(), &job->work, &hashed, works, NULL);
	return XDP_PASS;
}
SEC("xdp") int bad_offset(struct xdp_md *ctx)
{
	LOOKUP(struct job, job, jobs, 0);
	bpf_task_work_schedule_signal_impl(bpf_get_current_task_btf(), (void *)job, &jobs, works, NULL);
	return XDP_PASS;
}
SEC("xdp") int bad_on_stack(struct xdp_md *ctx)
{
	struct bpf_task_work work = {};
	bpf_task_work_schedule_signal_impl(bpf_get_current_task_btf(), &work, &jobs, works, NULL);
	return XDP_PASS;
}
SEC("xdp") int bad_no_callback(struct xdp_md *ctx)
{
	LOOKUP(struct job, job, jobs, 0);
	bpf_task_work_schedule_signal_impl(bpf_get_current_task_btf(), &job->work, &jobs, NULL, NULL);
	return XDP_PASS;
}
SEC("xdp") int bad_read(struct xdp_md *ctx)
{
	LOOKUP(struct job, job, jobs, 0);
	return *(volatile __u64 *)&job->work;
}
