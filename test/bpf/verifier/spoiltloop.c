// Objects with lists of objects that have lists again: nobody would know when to end.
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

struct item {
	__u64 key;
	struct bpf_list_node node;
	struct bpf_spin_lock lock;
	struct bpf_list_head items __contains(item, node);
};

SEC("xdp") int bad_locks_the_innocent(struct xdp_md *ctx)
{
	LOOKUP(struct plain, plain, plains, 0);
	bpf_spin_lock(&plain->lock);
	plain->count++;
	bpf_spin_unlock(&plain->lock);
	return XDP_PASS;
}
SEC("xdp") int bad_makes(struct xdp_md *ctx)
{
	struct item *item = NEW(struct item);
	if (!item)
		return XDP_DROP;
	DROP(item);
	return XDP_PASS;
}
