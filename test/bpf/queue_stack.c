// Queue and stack: push, pop, peek, full, empty, and push with BPF_EXIST, which drops the oldest.
#include "prog.h"

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 10);
	__type(value, __u32);
} queue SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, 10);
	__type(value, __u32);
} stack SEC(".maps");

PROGRAM(queue_stack)
{
	__u32 value = byte_at(ctx, 8), head = 0, top = 0;
	__u64 flags = byte_at(ctx, 9) & 4 ? BPF_EXIST : BPF_ANY;
	add(0, -bpf_map_push_elem(&queue, &value, flags));
	add(1, -bpf_map_push_elem(&stack, &value, flags));
	add(2, -bpf_map_peek_elem(&queue, &head));
	add(3, -bpf_map_peek_elem(&stack, &top));
	note(4, head);
	note(5, top);
	if (byte_at(ctx, 10) & 1) {
		add(6, -bpf_map_pop_elem(&queue, &head));
		add(7, -bpf_map_pop_elem(&stack, &top));
	}
	add(8, head);
	add(9, top);
	return XDP_PASS;
}
