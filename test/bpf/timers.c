// A timer in a map value: initialised once, started, cancelled.
#include "prog.h"

struct elem {
	struct bpf_timer timer;
	__u64 fired;
};

MAP(elems, BPF_MAP_TYPE_ARRAY, 2, __u32, struct elem);

static int on_timer(void *map, __u32 *key, struct elem *elem)
{
	elem->fired++;
	return 0;
}

PROGRAM(timers)
{
	__u32 key = byte_at(ctx, 1) & 3;
	struct elem *elem = bpf_map_lookup_elem(&elems, &key);
	if (!elem)
		return XDP_DROP;
	add(0, -bpf_timer_start(&elem->timer, 0, 0)); // not yet initialised: EINVAL
	add(1, -bpf_timer_init(&elem->timer, &elems, 1));
	add(2, -bpf_timer_init(&elem->timer, &elems, 1)); // EBUSY
	add(3, -bpf_timer_start(&elem->timer, 1000000000, 0)); // no callback: EINVAL
	add(4, -bpf_timer_set_callback(&elem->timer, on_timer));
	add(5, -bpf_timer_start(&elem->timer, 1000000000, 0));
	add(6, bpf_timer_cancel(&elem->timer));
	return XDP_PASS;
}
