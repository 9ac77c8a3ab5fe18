// Which maps keep locks, timers, lists and pointers, and which take them for mere bytes.
#include "common.h"

#define __contains(name, node) __attribute__((btf_decl_tag("contains:" #name ":" #node)))
struct bpf_list_head {
	__u64 opaque[2];
} __attribute__((aligned(8)));
struct bpf_list_node {
	__u64 opaque[3];
} __attribute__((aligned(8)));
struct bpf_rb_node {
	__u64 opaque[4];
} __attribute__((aligned(8)));
extern void *bpf_obj_new_impl(__u64 local_type_id, void *meta) __ksym;
extern void bpf_obj_drop_impl(void *object, void *meta) __ksym;
#define NEW(type) ((type *)bpf_obj_new_impl(__builtin_btf_type_id(*(type *)0, 0), NULL))
#define DROP(object) bpf_obj_drop_impl(object, NULL)
#define LOOKUP(type, name, map, k)                                                               \
	__u32 key_##name = k;                                                                        \
	type *name = bpf_map_lookup_elem(&map, &key_##name);                                         \
	if (!name)                                                                                   \
	return XDP_PASS
struct plain {
	__u64 count;
	struct bpf_spin_lock lock;
};
MAP(plains, HASH, __u32, struct plain, 4);

#define __kptr __attribute__((btf_type_tag("kptr")))
struct item {
	__u64 key;
	struct bpf_list_node node;
};
struct bucket {
	__u64 count;
	struct bpf_spin_lock lock;
	struct bpf_list_head head __contains(item, node);
};
struct timed {
	__u64 count;
	struct bpf_timer timer;
};
struct data {
	__u64 first;
};
struct keeper {
	__u64 count;
	struct data __kptr *data;
};
struct key {
	__u32 number;
};
enum choice { FIRST, SECOND };
typedef int number;
#define LOCKED(name)                                                                             \
	{                                                                                            \
		LOOKUP(struct plain, plain, name, 0);                                                    \
		bpf_spin_lock(&plain->lock);                                                             \
		__u64 count = plain->count;                                                              \
		bpf_spin_unlock(&plain->lock);                                                           \
		return count & 1;                                                                        \
	}
MAP(array, ARRAY, __u32, struct plain, 4);
SEC("xdp") int lock_in_array(struct xdp_md *ctx) LOCKED(array)
MAP(lru, LRU_HASH, __u32, struct plain, 4);
SEC("xdp") int bad_lock_in_lru(struct xdp_md *ctx) LOCKED(lru)
MAP(percpu, PERCPU_ARRAY, __u32, struct plain, 4);
SEC("xdp") int bad_lock_per_cpu(struct xdp_md *ctx) LOCKED(percpu)
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__uint(map_flags, BPF_F_RDONLY_PROG);
	__type(key, __u32);
	__type(value, struct plain);
} fixed SEC(".maps");
SEC("xdp") int bad_lock_read_only(struct xdp_md *ctx) LOCKED(fixed)
MAP(bystruct, ARRAY, struct key, struct plain, 4);
SEC("xdp") int bad_lock_by_struct(struct xdp_md *ctx) LOCKED(bystruct)
MAP(byenum, ARRAY, enum choice, struct plain, 4);
SEC("xdp") int bad_lock_by_enum(struct xdp_md *ctx) LOCKED(byenum)
MAP(bytypedef, ARRAY, number, struct plain, 4);
SEC("xdp") int lock_by_typedef(struct xdp_md *ctx) LOCKED(bytypedef)
MAP(hashbystruct, HASH, struct key, struct plain, 4);
SEC("xdp") int lock_in_hash_by_struct(struct xdp_md *ctx) LOCKED(hashbystruct)

MAP(lists, LRU_HASH, __u32, struct bucket, 4);
SEC("xdp") int bad_list_in_lru(struct xdp_md *ctx) LOCKED(lists)
MAP(timers, PERCPU_ARRAY, __u32, struct timed, 4);
SEC("xdp") int timer_per_cpu_is_bytes(struct xdp_md *ctx)
{
	LOOKUP(struct timed, timed, timers, 0);
	return *(__u32 *)&timed->timer;
}
MAP(lrutimers, LRU_HASH, __u32, struct timed, 4);
SEC("xdp") int bad_timer_read(struct xdp_md *ctx)
{
	LOOKUP(struct timed, timed, lrutimers, 0);
	return *(__u32 *)&timed->timer;
}
SEC("xdp") int makes(struct xdp_md *ctx)
{
	struct item *item = NEW(struct item);
	if (!item)
		return XDP_DROP;
	DROP(item);
	struct data *data = NEW(struct data);
	if (data)
		DROP(data);
	return XDP_PASS;
}
MAP(kept, PERCPU_ARRAY, __u32, struct keeper, 4);
SEC("xdp") int pointer_per_cpu(struct xdp_md *ctx)
{
	LOOKUP(struct keeper, keeper, kept, 0);
	return keeper->data ? XDP_DROP : XDP_PASS;
}
