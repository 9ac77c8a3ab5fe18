// Structs of the kernel: read through what helpers and kernel functions give, and handed to functions that
// say how far they trust their argument.
#include "common.h"
#include <bpf/bpf_core_read.h>

#define RELOCATED __attribute__((preserve_access_index))
#define ARG_TRUSTED __attribute__((btf_decl_tag("arg:trusted")))
#define ARG_UNTRUSTED __attribute__((btf_decl_tag("arg:untrusted")))
#define ARG_NULLABLE __attribute__((btf_decl_tag("arg:nullable")))
#define ARG_NONNULL __attribute__((btf_decl_tag("arg:nonnull")))
#define ARG_ARENA __attribute__((btf_decl_tag("arg:arena")))

struct task_struct {
	int pid, tgid;
	struct task_struct *real_parent, *parent;
	char comm[16];
} RELOCATED;
struct own {
	int word;
};

extern struct task_struct *bpf_task_from_pid(int pid) __ksym;
extern struct task_struct *bpf_task_acquire(struct task_struct *task) __ksym;
extern void bpf_task_release(struct task_struct *task) __ksym;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern void *bpf_rdonly_cast(const void *from, __u32 type) __ksym;

static struct task_struct *current(void)
{
	return (void *)bpf_get_current_task_btf();
}

SEC("xdp") int reads(struct xdp_md *ctx)
{
	struct task_struct *task = current();

	return (task->pid + task->comm[2] + task->parent->tgid) & 1;
}
SEC("xdp") int bad_writes(struct xdp_md *ctx)
{
	current()->pid = 1;
	return XDP_PASS;
}
SEC("xdp") int bad_reads_behind(struct xdp_md *ctx)
{
	return *((volatile char *)current() + 400000);
}
SEC("xdp") int bad_reads_half(struct xdp_md *ctx)
{
	return *(volatile __u16 *)&current()->parent;
}
// Under RCU, where XDP programs always are, a parent can be held.
SEC("xdp") int holds_parent(struct xdp_md *ctx)
{
	struct task_struct *parent = bpf_task_acquire(current()->real_parent);

	if (parent)
		bpf_task_release(parent);
	return XDP_PASS;
}
// What was found in an RCU section of the program's own is not to be trusted behind it.
SEC("xdp") int holds_in_section(struct xdp_md *ctx)
{
	struct task_struct *parent;

	bpf_rcu_read_lock();
	parent = bpf_task_acquire(current()->real_parent);
	bpf_rcu_read_unlock();
	if (parent)
		bpf_task_release(parent);
	return XDP_PASS;
}
SEC("xdp") int reads_behind_section(struct xdp_md *ctx)
{
	struct task_struct *parent;

	bpf_rcu_read_lock();
	parent = current()->real_parent;
	bpf_rcu_read_unlock();
	return parent->real_parent->pid & 1;
}
SEC("xdp") int bad_holds_behind_section(struct xdp_md *ctx)
{
	struct task_struct *parent;

	bpf_rcu_read_lock();
	parent = current()->real_parent;
	bpf_rcu_read_unlock();
	parent = bpf_task_acquire(parent);
	if (parent)
		bpf_task_release(parent);
	return XDP_PASS;
}
SEC("xdp") int bad_holds_behind_second(struct xdp_md *ctx)
{
	struct task_struct *parent = current()->real_parent;

	bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	parent = bpf_task_acquire(parent);
	if (parent)
		bpf_task_release(parent);
	return XDP_PASS;
}
SEC("xdp") int bad_holds_untrusted(struct xdp_md *ctx)
{
	struct task_struct *parent = bpf_task_acquire(current()->parent);

	if (parent)
		bpf_task_release(parent);
	return XDP_PASS;
}

__weak int trusting(struct task_struct *task ARG_TRUSTED)
{
	return task->pid & 1;
}
__weak int trusting_or_null(struct task_struct *task ARG_TRUSTED ARG_NULLABLE)
{
	return task ? task->pid & 1 : 0;
}
__weak int unchecked(struct task_struct *task ARG_TRUSTED ARG_NULLABLE)
{
	return task->pid & 1;
}
__weak int gives_away(struct task_struct *task ARG_TRUSTED)
{
	bpf_task_release(task);
	return 0;
}
__weak int trusting_nonnull(struct task_struct *task ARG_TRUSTED ARG_NONNULL)
{
	return task->pid & 1;
}
__weak int trusting_own(struct own *own ARG_TRUSTED)
{
	return own->word;
}
__weak int trusting_void(void *any ARG_TRUSTED)
{
	return any != 0;
}
__weak int doubting(struct task_struct *task ARG_UNTRUSTED)
{
	return task->pid & 1;
}
__weak int doubting_releases(struct task_struct *task ARG_UNTRUSTED)
{
	bpf_task_release(task);
	return 0;
}
__weak int doubting_word(int *word ARG_UNTRUSTED)
{
	return word[100000] & 1;
}
__weak int doubting_writes(int *word ARG_UNTRUSTED)
{
	*word = 1;
	return 0;
}
__weak int doubting_nullable(int *word ARG_UNTRUSTED ARG_NULLABLE)
{
	return *word;
}
__weak int arena_reads(int *word ARG_ARENA)
{
	return *word;
}

#define CALLS(name, function, argument)                                                          \
	SEC("xdp") int name(struct xdp_md *ctx)                                                      \
	{                                                                                            \
		struct own own = {};                                                                     \
                                                                                                 \
		return function((void *)argument);                                                       \
	}
CALLS(gives_current, trusting, current())
CALLS(gives_maybe, trusting_or_null, 0)
CALLS(bad_gives_null, trusting, 0)
CALLS(bad_gives_stack, trusting, &own)
CALLS(bad_unchecked, unchecked, 0)
CALLS(bad_gives_away, gives_away, current())
CALLS(bad_tags, trusting_nonnull, current())
CALLS(bad_own, trusting_own, &own)
CALLS(bad_void, trusting_void, ctx)
CALLS(doubts_number, doubting, 5)
CALLS(doubts_ctx, doubting_word, ctx)
CALLS(bad_doubt_released, doubting_releases, current())
CALLS(bad_doubt_written, doubting_writes, &own)
CALLS(bad_doubt_tags, doubting_nullable, &own)
CALLS(bad_arena_pointer, arena_reads, ctx)
CALLS(bad_arena_number, arena_reads, 1)

SEC("xdp") int held_is_trusted(struct xdp_md *ctx)
{
	struct task_struct *task = bpf_task_from_pid(1);
	int odd = 0;

	if (task) {
		odd = trusting(task);
		bpf_task_release(task);
	}
	return odd;
}
SEC("xdp") int casts(struct xdp_md *ctx)
{
	struct task_struct *task =
		bpf_rdonly_cast((void *)8, bpf_core_type_id_kernel(struct task_struct));

	return task->parent->pid & 1;
}
SEC("xdp") int casts_to_bytes(struct xdp_md *ctx)
{
	return ((__u8 *)bpf_rdonly_cast(ctx, 0))[100000] & 1;
}
SEC("xdp") int bad_cast_written(struct xdp_md *ctx)
{
	*(volatile __u8 *)bpf_rdonly_cast(ctx, 0) = 1;
	return XDP_PASS;
}
SEC("xdp") int bad_cast_to_any(struct xdp_md *ctx)
{
	return *(__u8 *)bpf_rdonly_cast(ctx, bpf_get_prandom_u32()) & 1;
}
SEC("xdp") int bad_cast_unknown(struct xdp_md *ctx)
{
	return *(__u8 *)bpf_rdonly_cast(ctx, 0x7fffffff) & 1;
}
