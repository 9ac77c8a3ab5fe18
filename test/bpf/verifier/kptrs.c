// Objects that programs allocate, and pointers that maps keep: of objects and of the kernel's structs.
#include "common.h"

#define __kptr __attribute__((btf_type_tag("kptr")))
#define __kptr_untrusted __attribute__((btf_type_tag("kptr_untrusted")))
extern void *bpf_obj_new_impl(__u64 local_type_id, void *meta) __ksym;
extern void bpf_obj_drop_impl(void *object, void *meta) __ksym;
#define NEW(type) ((type *)bpf_obj_new_impl(__builtin_btf_type_id(*(type *)0, 0), NULL))
#define DROP(object) bpf_obj_drop_impl(object, NULL)

struct plain_data {
	__u64 first;
	__u32 second;
	char text[12];
	struct {
		__u16 a, b;
	} inner;
	struct plain_data *next;
};
struct other_data {
	__u64 first;
};
struct task_struct {
	int pid;
};
extern struct task_struct *bpf_task_from_pid(__s32 pid) __ksym;
extern struct task_struct *bpf_task_acquire(struct task_struct *task) __ksym;
extern void bpf_task_release(struct task_struct *task) __ksym;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
struct keeper {
	__u64 count;
	struct plain_data __kptr *data;
	struct task_struct __kptr *task;
	struct task_struct __kptr_untrusted *seen;
};
MAP(keepers, ARRAY, __u32, struct keeper, 4);
MAP(hashed, HASH, __u32, struct keeper, 4);
MAP(plain, ARRAY, __u32, __u64, 4);
#define LOOKUP(type, name, map, k)                                                               \
	__u32 key_##name = k;                                                                        \
	type *name = bpf_map_lookup_elem(&map, &key_##name);                                         \
	if (!name)                                                                                   \
	return XDP_PASS

SEC("xdp") int made_and_dropped(struct xdp_md *ctx)
{
	struct plain_data *data = NEW(struct plain_data);
	if (!data)
		return XDP_DROP;
	data->first = 5;
	data->second = data->first + ctx->rx_queue_index;
	data->text[3] = 'x';
	data->inner.b = 9;
	int verdict = data->inner.a + data->text[11];
	DROP(data);
	return verdict & 1;
}
SEC("xdp") int bad_leaked(struct xdp_md *ctx)
{
	struct plain_data *data = NEW(struct plain_data);
	if (!data)
		return XDP_DROP;
	return data->first & 1;
}
SEC("xdp") int bad_unchecked(struct xdp_md *ctx)
{
	struct plain_data *data = NEW(struct plain_data);
	data->first = 5;
	DROP(data);
	return XDP_PASS;
}
SEC("xdp") int bad_dropped_unchecked(struct xdp_md *ctx)
{
	struct plain_data *data = NEW(struct plain_data);
	DROP(data);
	return XDP_PASS;
}
SEC("xdp") int bad_used_after(struct xdp_md *ctx)
{
	struct plain_data *data = NEW(struct plain_data);
	if (!data)
		return XDP_DROP;
	DROP(data);
	return data->first & 1;
}
SEC("xdp") int bad_dropped_twice(struct xdp_md *ctx)
{
	struct plain_data *data = NEW(struct plain_data);
	if (!data)
		return XDP_DROP;
	DROP(data);
	DROP(data);
	return XDP_PASS;
}
SEC("xdp") int bad_beyond(struct xdp_md *ctx)
{
	struct plain_data *data = NEW(struct plain_data);
	if (!data)
		return XDP_DROP;
	((volatile __u64 *)data)[sizeof(*data) / 8] = 3;
	DROP(data);
	return XDP_PASS;
}
SEC("xdp") int bad_part_of_pointer(struct xdp_md *ctx)
{
	struct plain_data *data = NEW(struct plain_data);
	if (!data)
		return XDP_DROP;
	int verdict = *(volatile __u32 *)&data->next;
	DROP(data);
	return verdict;
}
SEC("xdp") int pointer_inside_is_a_number(struct xdp_md *ctx)
{
	struct plain_data *data = NEW(struct plain_data);
	if (!data)
		return XDP_DROP;
	data->next = data;
	int verdict = (long)data->next & 1;
	DROP(data);
	return verdict;
}
SEC("xdp") int bad_follows_pointer_inside(struct xdp_md *ctx)
{
	struct plain_data *data = NEW(struct plain_data);
	if (!data)
		return XDP_DROP;
	int verdict = data->next->first;
	DROP(data);
	return verdict;
}
SEC("xdp") int bad_variable_offset(struct xdp_md *ctx)
{
	struct plain_data *data = NEW(struct plain_data);
	if (!data)
		return XDP_DROP;
	data->text[ctx->rx_queue_index & 7] = 1;
	DROP(data);
	return XDP_PASS;
}
SEC("xdp") int bad_drops_value(struct xdp_md *ctx)
{
	LOOKUP(struct keeper, keeper, keepers, 0);
	DROP(keeper);
	return XDP_PASS;
}
SEC("xdp") int bad_drops_middle(struct xdp_md *ctx)
{
	struct plain_data *data = NEW(struct plain_data);
	if (!data)
		return XDP_DROP;
	DROP(&data->second);
	return XDP_PASS;
}
SEC("xdp") int bad_new_of_int(struct xdp_md *ctx)
{
	void *data = bpf_obj_new_impl(__builtin_btf_type_id(*(int *)0, 0), NULL);
	if (!data)
		return XDP_DROP;
	DROP(data);
	return XDP_PASS;
}
SEC("xdp") int bad_new_of_unknown(struct xdp_md *ctx)
{
	void *data = bpf_obj_new_impl(ctx->rx_queue_index, NULL);
	if (!data)
		return XDP_DROP;
	DROP(data);
	return XDP_PASS;
}
#if __clang_major__ >= 15 // older ones drop tags of types: the pointers would be ordinary ones
SEC("xdp") int kept(struct xdp_md *ctx)
{
	LOOKUP(struct keeper, keeper, keepers, 0);
	struct plain_data *data = NEW(struct plain_data);
	if (!data)
		return XDP_DROP;
	data->first = 7;
	struct plain_data *old = bpf_kptr_xchg(&keeper->data, data);
	if (old) {
		keeper->count += old->first;
		DROP(old);
	}
	return XDP_PASS;
}
SEC("xdp") int taken_out(struct xdp_md *ctx)
{
	LOOKUP(struct keeper, keeper, hashed, 0);
	struct plain_data *old = bpf_kptr_xchg(&keeper->data, NULL);
	if (!old)
		return XDP_DROP;
	int verdict = old->first & 1;
	DROP(old);
	return verdict;
}
SEC("xdp") int bad_old_leaked(struct xdp_md *ctx)
{
	LOOKUP(struct keeper, keeper, keepers, 0);
	struct plain_data *data = NEW(struct plain_data);
	if (!data)
		return XDP_DROP;
	bpf_kptr_xchg(&keeper->data, data);
	return XDP_PASS;
}
SEC("xdp") int bad_written_after_exchange(struct xdp_md *ctx)
{
	LOOKUP(struct keeper, keeper, keepers, 0);
	struct plain_data *data = NEW(struct plain_data);
	if (!data)
		return XDP_DROP;
	struct plain_data *old = bpf_kptr_xchg(&keeper->data, data);
	if (old)
		DROP(old);
	data->first = 3;
	return XDP_PASS;
}
SEC("xdp") int bad_other_type(struct xdp_md *ctx)
{
	LOOKUP(struct keeper, keeper, keepers, 0);
	struct other_data *data = NEW(struct other_data);
	if (!data)
		return XDP_DROP;
	void *old = bpf_kptr_xchg(&keeper->data, data);
	if (old)
		DROP(old);
	return XDP_PASS;
}
SEC("xdp") int bad_unchecked_exchanged(struct xdp_md *ctx)
{
	LOOKUP(struct keeper, keeper, keepers, 0);
	struct plain_data *data = NEW(struct plain_data);
	struct plain_data *old = bpf_kptr_xchg(&keeper->data, data);
	if (old)
		DROP(old);
	return XDP_PASS;
}
SEC("xdp") int read_under_rcu(struct xdp_md *ctx)
{
	LOOKUP(struct keeper, keeper, keepers, 0);
	struct plain_data *data = keeper->data;
	if (!data)
		return XDP_DROP;
	return data->first & 1;
}
SEC("xdp") int bad_read_unchecked(struct xdp_md *ctx)
{
	LOOKUP(struct keeper, keeper, keepers, 0);
	return keeper->data->first & 1;
}
SEC("xdp") int bad_dropped_unowned(struct xdp_md *ctx)
{
	LOOKUP(struct keeper, keeper, keepers, 0);
	struct plain_data *data = keeper->data;
	if (!data)
		return XDP_DROP;
	DROP(data);
	return XDP_PASS;
}
SEC("xdp") int bad_stored_directly(struct xdp_md *ctx)
{
	LOOKUP(struct keeper, keeper, keepers, 0);
	struct plain_data *data = NEW(struct plain_data);
	if (!data)
		return XDP_DROP;
	keeper->data = data;
	return XDP_PASS;
}
SEC("xdp") int bad_half_read(struct xdp_md *ctx)
{
	LOOKUP(struct keeper, keeper, keepers, 0);
	return *(volatile __u32 *)&keeper->data;
}
SEC("xdp") int bad_misaligned(struct xdp_md *ctx)
{
	LOOKUP(struct keeper, keeper, keepers, 0);
	return *(volatile __u64 *)((char *)&keeper->data + 4);
}
SEC("xdp") int bad_by_helper(struct xdp_md *ctx)
{
	LOOKUP(struct keeper, keeper, keepers, 0);
	bpf_trace_printk((void *)keeper, sizeof(*keeper));
	return XDP_PASS;
}
SEC("xdp") int bad_not_at_kptr(struct xdp_md *ctx)
{
	LOOKUP(struct keeper, keeper, keepers, 0);
	void *old = bpf_kptr_xchg((void *)keeper, NULL);
	if (old)
		DROP(old);
	return XDP_PASS;
}
SEC("xdp") int bad_map_without(struct xdp_md *ctx)
{
	LOOKUP(__u64, keeper, plain, 0);
	void *old = bpf_kptr_xchg((void *)keeper, NULL);
	if (old)
		DROP(old);
	return XDP_PASS;
}
SEC("xdp") int task_kept(struct xdp_md *ctx)
{
	LOOKUP(struct keeper, keeper, keepers, 0);
	struct task_struct *task = bpf_task_from_pid(1);
	if (!task)
		return XDP_DROP;
	task = bpf_kptr_xchg(&keeper->task, task);
	if (task)
		bpf_task_release(task);
	return XDP_PASS;
}
SEC("xdp") int bad_task_for_data(struct xdp_md *ctx)
{
	LOOKUP(struct keeper, keeper, keepers, 0);
	struct task_struct *task = bpf_task_from_pid(1);
	if (!task)
		return XDP_DROP;
	task = bpf_kptr_xchg(&keeper->data, (void *)task);
	if (task)
		bpf_task_release(task);
	return XDP_PASS;
}
SEC("xdp") int bad_task_dropped(struct xdp_md *ctx)
{
	struct task_struct *task = bpf_task_from_pid(1);
	if (!task)
		return XDP_DROP;
	DROP(task);
	return XDP_PASS;
}
SEC("xdp") int task_acquired_from_map(struct xdp_md *ctx)
{
	LOOKUP(struct keeper, keeper, keepers, 0);
	struct task_struct *task = keeper->task;
	if (!task)
		return XDP_DROP;
	task = bpf_task_acquire(task);
	if (!task)
		return XDP_DROP;
	bpf_task_release(task);
	return XDP_PASS;
}
SEC("xdp") int untrusted_kept_and_seen(struct xdp_md *ctx)
{
	LOOKUP(struct keeper, keeper, keepers, 0);
	struct task_struct *task = bpf_task_from_pid(1);
	if (!task)
		return XDP_DROP;
	keeper->seen = task;
	bpf_task_release(task);
	return keeper->seen ? XDP_PASS : XDP_DROP;
}
SEC("xdp") int untrusted_cleared(struct xdp_md *ctx)
{
	LOOKUP(struct keeper, keeper, keepers, 0);
	keeper->seen = NULL;
	return XDP_PASS;
}
SEC("xdp") int bad_untrusted_data(struct xdp_md *ctx)
{
	LOOKUP(struct keeper, keeper, keepers, 0);
	struct plain_data *data = NEW(struct plain_data);
	if (!data)
		return XDP_DROP;
	keeper->seen = (void *)data;
	DROP(data);
	return XDP_PASS;
}
SEC("xdp") int bad_untrusted_exchanged(struct xdp_md *ctx)
{
	LOOKUP(struct keeper, keeper, keepers, 0);
	struct task_struct *task = bpf_kptr_xchg(&keeper->seen, NULL);
	if (task)
		bpf_task_release(task);
	return XDP_PASS;
}
SEC("xdp") int bad_untrusted_acquired(struct xdp_md *ctx)
{
	LOOKUP(struct keeper, keeper, keepers, 0);
	struct task_struct *task = keeper->seen;
	if (!task)
		return XDP_DROP;
	task = bpf_task_acquire(task);
	if (!task)
		return XDP_DROP;
	bpf_task_release(task);
	return XDP_PASS;
}
SEC("xdp") int bad_number_exchanged(struct xdp_md *ctx)
{
	LOOKUP(struct keeper, keeper, keepers, 0);
	void *old = bpf_kptr_xchg(&keeper->data, (void *)5);
	if (old)
		DROP(old);
	return XDP_PASS;
}
#endif
