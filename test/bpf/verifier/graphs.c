// Lists and trees of objects, under their lock; who owns what, and what is only looked at.
#include "common.h"

#define __contains(name, node) __attribute__((btf_decl_tag("contains:" #name ":" #node)))
#define private(name) SEC(".data." #name) __hidden __attribute__((aligned(8)))
struct bpf_list_head {
	__u64 opaque[2];
} __attribute__((aligned(8)));
struct bpf_list_node {
	__u64 opaque[3];
} __attribute__((aligned(8)));
struct bpf_rb_root {
	__u64 opaque[2];
} __attribute__((aligned(8)));
struct bpf_rb_node {
	__u64 opaque[4];
} __attribute__((aligned(8)));
struct bpf_refcount {
	__u32 opaque[1];
} __attribute__((aligned(4)));
extern void *bpf_obj_new_impl(__u64 local_type_id, void *meta) __ksym;
extern void bpf_obj_drop_impl(void *object, void *meta) __ksym;
extern void *bpf_refcount_acquire_impl(void *object, void *meta) __ksym;
extern int bpf_list_push_front_impl(struct bpf_list_head *head, struct bpf_list_node *node, void *meta, __u64 off) __ksym;
extern int bpf_list_push_back_impl(struct bpf_list_head *head, struct bpf_list_node *node, void *meta, __u64 off) __ksym;
extern struct bpf_list_node *bpf_list_pop_front(struct bpf_list_head *head) __ksym;
extern struct bpf_list_node *bpf_list_pop_back(struct bpf_list_head *head) __ksym;
extern struct bpf_list_node *bpf_list_front(struct bpf_list_head *head) __ksym;
extern int bpf_rbtree_add_impl(struct bpf_rb_root *root, struct bpf_rb_node *node,
	_Bool(less)(struct bpf_rb_node *a, const struct bpf_rb_node *b), void *meta, __u64 off) __ksym;
extern struct bpf_rb_node *bpf_rbtree_remove(struct bpf_rb_root *root, struct bpf_rb_node *node) __ksym;
extern struct bpf_rb_node *bpf_rbtree_first(struct bpf_rb_root *root) __ksym;
extern struct bpf_rb_node *bpf_rbtree_root(struct bpf_rb_root *root) __ksym;
extern struct bpf_rb_node *bpf_rbtree_left(struct bpf_rb_root *root, struct bpf_rb_node *node) __ksym;
#define NEW(type) ((type *)bpf_obj_new_impl(__builtin_btf_type_id(*(type *)0, 0), NULL))
#define DROP(object) bpf_obj_drop_impl(object, NULL)

#define push(head, node) bpf_list_push_front_impl(head, node, NULL, 0)
#define add(root, node, less) bpf_rbtree_add_impl(root, node, less, NULL, 0)

struct item {
	__u64 key;
	struct bpf_list_node node;
	__u64 data;
};
struct leaf {
	struct bpf_rb_node node;
	__u64 key;
};
struct shared {
	__u64 key;
	struct bpf_refcount refs;
	struct bpf_rb_node node;
	struct bpf_list_node link;
};
struct other {
	__u64 pad;
	struct bpf_list_node node;
};
struct bucket {
	struct bpf_spin_lock lock;
	struct bpf_list_head head __contains(item, node);
};
struct tree {
	struct bpf_spin_lock lock;
	struct bpf_rb_root root __contains(leaf, node);
};
struct both {
	struct bpf_spin_lock lock;
	struct bpf_rb_root root __contains(shared, node);
	struct bpf_list_head head __contains(shared, link);
};
MAP(buckets, ARRAY, __u32, struct bucket, 4);
MAP(trees, ARRAY, __u32, struct tree, 4);
MAP(boths, ARRAY, __u32, struct both, 4);
#define LOOKUP(type, name, map, k)                                                               \
	__u32 key_##name = k;                                                                        \
	type *name = bpf_map_lookup_elem(&map, &key_##name);                                         \
	if (!name)                                                                                   \
	return XDP_PASS
static _Bool less(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	return container_of(a, struct leaf, node)->key < container_of(b, struct leaf, node)->key;
}
static _Bool less_shared(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	return container_of(a, struct shared, node)->key < container_of(b, struct shared, node)->key;
}

SEC("xdp") int pushed(struct xdp_md *ctx)
{
	LOOKUP(struct bucket, bucket, buckets, 0);
	struct item *item = NEW(struct item);
	if (!item)
		return XDP_DROP;
	item->key = 5;
	bpf_spin_lock(&bucket->lock);
	push(&bucket->head, &item->node);
	bpf_spin_unlock(&bucket->lock);
	return XDP_PASS;
}
SEC("xdp") int popped(struct xdp_md *ctx)
{
	LOOKUP(struct bucket, bucket, buckets, 0);
	bpf_spin_lock(&bucket->lock);
	struct bpf_list_node *node = bpf_list_pop_front(&bucket->head);
	bpf_spin_unlock(&bucket->lock);
	if (!node)
		return XDP_DROP;
	struct item *item = container_of(node, struct item, node);
	int verdict = item->data & 1;
	DROP(item);
	return verdict;
}
SEC("xdp") int bad_pushed_unlocked(struct xdp_md *ctx)
{
	LOOKUP(struct bucket, bucket, buckets, 0);
	struct item *item = NEW(struct item);
	if (!item)
		return XDP_DROP;
	push(&bucket->head, &item->node);
	return XDP_PASS;
}
SEC("xdp") int bad_popped_leaked(struct xdp_md *ctx)
{
	LOOKUP(struct bucket, bucket, buckets, 0);
	bpf_spin_lock(&bucket->lock);
	bpf_list_pop_front(&bucket->head);
	bpf_spin_unlock(&bucket->lock);
	return XDP_PASS;
}
SEC("xdp") int bad_other_lock(struct xdp_md *ctx)
{
	LOOKUP(struct bucket, bucket, buckets, 0);
	LOOKUP(struct tree, tree, trees, 0);
	struct item *item = NEW(struct item);
	if (!item)
		return XDP_DROP;
	bpf_spin_lock(&tree->lock);
	push(&bucket->head, &item->node);
	bpf_spin_unlock(&tree->lock);
	return XDP_PASS;
}
SEC("xdp") int bad_pushed_other(struct xdp_md *ctx)
{
	LOOKUP(struct bucket, bucket, buckets, 0);
	struct other *item = NEW(struct other);
	if (!item)
		return XDP_DROP;
	bpf_spin_lock(&bucket->lock);
	push(&bucket->head, &item->node);
	bpf_spin_unlock(&bucket->lock);
	return XDP_PASS;
}
SEC("xdp") int bad_node_offset(struct xdp_md *ctx)
{
	LOOKUP(struct bucket, bucket, buckets, 0);
	struct item *item = NEW(struct item);
	if (!item)
		return XDP_DROP;
	bpf_spin_lock(&bucket->lock);
	push(&bucket->head, (void *)item);
	bpf_spin_unlock(&bucket->lock);
	return XDP_PASS;
}
SEC("xdp") int seen_while_locked(struct xdp_md *ctx)
{
	LOOKUP(struct bucket, bucket, buckets, 0);
	struct item *item = NEW(struct item);
	if (!item)
		return XDP_DROP;
	bpf_spin_lock(&bucket->lock);
	push(&bucket->head, &item->node);
	item->data = 9;
	bpf_spin_unlock(&bucket->lock);
	return XDP_PASS;
}
SEC("xdp") int bad_seen_after(struct xdp_md *ctx)
{
	LOOKUP(struct bucket, bucket, buckets, 0);
	struct item *item = NEW(struct item);
	if (!item)
		return XDP_DROP;
	bpf_spin_lock(&bucket->lock);
	push(&bucket->head, &item->node);
	bpf_spin_unlock(&bucket->lock);
	item->data = 9;
	return XDP_PASS;
}
SEC("xdp") int bad_pushed_twice(struct xdp_md *ctx)
{
	LOOKUP(struct bucket, bucket, buckets, 0);
	struct item *item = NEW(struct item);
	if (!item)
		return XDP_DROP;
	bpf_spin_lock(&bucket->lock);
	push(&bucket->head, &item->node);
	push(&bucket->head, &item->node);
	bpf_spin_unlock(&bucket->lock);
	return XDP_PASS;
}
SEC("xdp") int bad_node_written(struct xdp_md *ctx)
{
	struct item *item = NEW(struct item);
	if (!item)
		return XDP_DROP;
	*(volatile __u64 *)&item->node = 1;
	DROP(item);
	return XDP_PASS;
}
SEC("xdp") int bad_head_read(struct xdp_md *ctx)
{
	LOOKUP(struct bucket, bucket, buckets, 0);
	return *(volatile __u64 *)&bucket->head;
}
SEC("xdp") int front_seen(struct xdp_md *ctx)
{
	LOOKUP(struct bucket, bucket, buckets, 0);
	int verdict = XDP_PASS;
	bpf_spin_lock(&bucket->lock);
	struct bpf_list_node *node = bpf_list_front(&bucket->head);
	if (node)
		verdict = container_of(node, struct item, node)->data & 1;
	bpf_spin_unlock(&bucket->lock);
	return verdict;
}
SEC("xdp") int added(struct xdp_md *ctx)
{
	LOOKUP(struct tree, tree, trees, 0);
	struct leaf *leaf = NEW(struct leaf);
	if (!leaf)
		return XDP_DROP;
	leaf->key = ctx->rx_queue_index;
	bpf_spin_lock(&tree->lock);
	add(&tree->root, &leaf->node, less);
	bpf_spin_unlock(&tree->lock);
	return XDP_PASS;
}
SEC("xdp") int first_removed(struct xdp_md *ctx)
{
	LOOKUP(struct tree, tree, trees, 0);
	bpf_spin_lock(&tree->lock);
	struct bpf_rb_node *node = bpf_rbtree_first(&tree->root);
	if (!node) {
		bpf_spin_unlock(&tree->lock);
		return XDP_DROP;
	}
	node = bpf_rbtree_remove(&tree->root, node);
	bpf_spin_unlock(&tree->lock);
	if (!node)
		return XDP_DROP;
	struct leaf *leaf = container_of(node, struct leaf, node);
	int verdict = leaf->key & 1;
	DROP(leaf);
	return verdict;
}
SEC("xdp") int bad_remove_after_unlock(struct xdp_md *ctx)
{
	LOOKUP(struct tree, tree, trees, 0);
	bpf_spin_lock(&tree->lock);
	struct bpf_rb_node *node = bpf_rbtree_first(&tree->root);
	bpf_spin_unlock(&tree->lock);
	if (!node)
		return XDP_DROP;
	bpf_spin_lock(&tree->lock);
	node = bpf_rbtree_remove(&tree->root, node);
	bpf_spin_unlock(&tree->lock);
	return XDP_PASS;
}
SEC("xdp") int bad_first_unlocked(struct xdp_md *ctx)
{
	LOOKUP(struct tree, tree, trees, 0);
	bpf_rbtree_first(&tree->root);
	return XDP_PASS;
}
SEC("xdp") int bad_first_dropped(struct xdp_md *ctx)
{
	LOOKUP(struct tree, tree, trees, 0);
	bpf_spin_lock(&tree->lock);
	struct bpf_rb_node *node = bpf_rbtree_first(&tree->root);
	if (node)
		DROP(container_of(node, struct leaf, node));
	bpf_spin_unlock(&tree->lock);
	return XDP_PASS;
}
SEC("xdp") int bad_added_unlocked(struct xdp_md *ctx)
{
	LOOKUP(struct tree, tree, trees, 0);
	struct leaf *leaf = NEW(struct leaf);
	if (!leaf)
		return XDP_DROP;
	add(&tree->root, &leaf->node, less);
	return XDP_PASS;
}
SEC("xdp") int removed_unowned_again(struct xdp_md *ctx)
{
	LOOKUP(struct tree, tree, trees, 0);
	struct leaf *leaf = NEW(struct leaf);
	if (!leaf)
		return XDP_DROP;
	bpf_spin_lock(&tree->lock);
	add(&tree->root, &leaf->node, less);
	struct bpf_rb_node *node = bpf_rbtree_remove(&tree->root, &leaf->node);
	bpf_spin_unlock(&tree->lock);
	if (node)
		DROP(container_of(node, struct leaf, node));
	return XDP_PASS;
}
SEC("xdp") int shared_by_two(struct xdp_md *ctx)
{
	LOOKUP(struct both, both, boths, 0);
	struct shared *one = NEW(struct shared);
	if (!one)
		return XDP_DROP;
	struct shared *two = bpf_refcount_acquire_impl(one, NULL);
	bpf_spin_lock(&both->lock);
	add(&both->root, &one->node, less_shared);
	push(&both->head, &two->link);
	bpf_spin_unlock(&both->lock);
	return XDP_PASS;
}
SEC("xdp") int bad_count_leaked(struct xdp_md *ctx)
{
	struct shared *one = NEW(struct shared);
	if (!one)
		return XDP_DROP;
	struct shared *two = bpf_refcount_acquire_impl(one, NULL);
	DROP(one);
	return XDP_PASS;
}
SEC("xdp") int bad_count_of_uncounted(struct xdp_md *ctx)
{
	struct leaf *one = NEW(struct leaf);
	if (!one)
		return XDP_DROP;
	struct leaf *two = bpf_refcount_acquire_impl(one, NULL);
	DROP(one);
	DROP(two);
	return XDP_PASS;
}

private(A) struct bpf_spin_lock global_lock;
private(A) struct bpf_list_head global_head __contains(item, node);
private(B) struct bpf_spin_lock other_lock;

SEC("xdp") int pushed_global(struct xdp_md *ctx)
{
	struct item *item = NEW(struct item);
	if (!item)
		return XDP_DROP;
	bpf_spin_lock(&global_lock);
	push(&global_head, &item->node);
	bpf_spin_unlock(&global_lock);
	return XDP_PASS;
}
SEC("xdp") int bad_global_other_lock(struct xdp_md *ctx)
{
	struct item *item = NEW(struct item);
	if (!item)
		return XDP_DROP;
	bpf_spin_lock(&other_lock);
	push(&global_head, &item->node);
	bpf_spin_unlock(&other_lock);
	return XDP_PASS;
}
