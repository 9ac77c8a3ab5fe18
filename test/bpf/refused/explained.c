// Programs that Linux refuses, each for a reason that people search for. The line that is to blame
// says "here".
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct value {
	__u64 count;
	__u32 slots[4];
};

struct locked {
	struct bpf_spin_lock lock;
	__u32 count;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, struct value);
} table SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct locked);
} locks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

const volatile __u32 limit = 4;

#define DATA(ctx) ((__u8 *)(long)(ctx)->data)
#define END(ctx) ((__u8 *)(long)(ctx)->data_end)

SEC("xdp")
int packet_short(struct xdp_md *ctx)
{
	__u8 *data = DATA(ctx);
	if (data + 14 > END(ctx))
		return XDP_PASS;
	return data[20] == 1; // here
}

SEC("xdp")
int packet_after_adjust(struct xdp_md *ctx)
{
	__u8 *data = DATA(ctx);
	if (data + 34 > END(ctx))
		return XDP_PASS;
	if (bpf_xdp_adjust_head(ctx, -4))
		return XDP_ABORTED;
	return data[0] == 1; // here
}

SEC("xdp")
int packet_negative(struct xdp_md *ctx)
{
	__u8 *data = DATA(ctx);
	if (data + 34 > END(ctx))
		return XDP_PASS;
	return *(volatile __u8 *)(data - 2); // here
}

SEC("xdp")
int packet_far(struct xdp_md *ctx)
{
	__u8 *data = DATA(ctx);
	if (data + 34 > END(ctx))
		return XDP_PASS;
	__u8 *at = data + *(__u32 *)data;
	return at + 1 > END(ctx) ? XDP_PASS : at[0]; // here
}

SEC("xdp")
int lookup_unchecked(struct xdp_md *ctx)
{
	__u32 key = 1;
	struct value *value = bpf_map_lookup_elem(&table, &key);
	value->count++; // here
	return XDP_PASS;
}

SEC("xdp")
int value_index(struct xdp_md *ctx)
{
	__u32 key = ctx->rx_queue_index;
	struct value *value = bpf_map_lookup_elem(&table, &key);
	if (!value)
		return XDP_PASS;
	value->slots[ctx->ingress_ifindex] = 1; // here
	return XDP_PASS;
}

SEC("xdp")
int value_index_off_by_one(struct xdp_md *ctx)
{
	__u32 key = 1, i = ctx->rx_queue_index;
	struct value *value = bpf_map_lookup_elem(&table, &key);
	if (!value || i > 4)
		return XDP_PASS;
	value->slots[i] = 1; // here
	return XDP_PASS;
}

SEC("xdp")
int value_index_signed(struct xdp_md *ctx)
{
	__u32 key = 1;
	long i = (int)ctx->rx_queue_index;
	struct value *value = bpf_map_lookup_elem(&table, &key);
	if (!value || i > 3)
		return XDP_PASS;
	value->slots[i] = 1; // here
	return XDP_PASS;
}

SEC("xdp")
int context_field(struct xdp_md *ctx)
{
	return *(volatile __u32 *)((void *)ctx + sizeof(*ctx)); // here
}

SEC("xdp")
int context_write(struct xdp_md *ctx)
{
	((volatile struct xdp_md *)ctx)->ingress_ifindex = 1; // here
	return XDP_PASS;
}

SEC("xdp")
int read_only_variable(struct xdp_md *ctx)
{
	*(volatile __u32 *)&limit = 5; // here
	return XDP_PASS;
}

SEC("xdp")
int number_as_pointer(struct xdp_md *ctx)
{
	__u64 number = ctx->rx_queue_index;
	return *(volatile __u8 *)(number + 4096); // here
}

SEC("xdp")
int through_data_end(struct xdp_md *ctx)
{
	return *(volatile __u8 *)END(ctx); // here
}

SEC("xdp")
int data_end_minus(struct xdp_md *ctx)
{
	__u8 *end = END(ctx);
	asm volatile("%0 += -14" : "+r"(end)); // here
	return DATA(ctx) > end ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int uninitialised_key(struct xdp_md *ctx)
{
	__u32 *value = bpf_map_lookup_elem(&table, (void *)(long)ctx->ingress_ifindex); // here
	return value ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int unbounded_size(struct xdp_md *ctx)
{
	char bytes[16] = {};
	return bpf_xdp_load_bytes(ctx, 0, bytes, ctx->rx_queue_index); // here
}

SEC("xdp")
int negative_size(struct xdp_md *ctx)
{
	char bytes[16] = {};
	long len = (int)ctx->rx_queue_index;
	if (len > 16)
		return XDP_PASS;
	return bpf_xdp_load_bytes(ctx, 0, bytes, len); // here
}

SEC("xdp")
int stack_too_small(struct xdp_md *ctx)
{
	char bytes[16] = {};
	return bpf_xdp_load_bytes(ctx, 0, bytes, 600); // here
}

SEC("xdp")
int reservation_kept(struct xdp_md *ctx)
{
	__u64 *event = bpf_ringbuf_reserve(&events, 8, 0);
	if (!event)
		return XDP_PASS;
	*event = 1;
	if (ctx->rx_queue_index == 3)
		return XDP_DROP;
	bpf_ringbuf_submit(event, 0);
	return XDP_PASS;
} // here

SEC("xdp")
int reservation_overrun(struct xdp_md *ctx)
{
	__u64 *event = bpf_ringbuf_reserve(&events, 8, 0);
	if (!event)
		return XDP_PASS;
	((volatile __u64 *)event)[1] = 1; // here
	bpf_ringbuf_submit(event, 0);
	return XDP_PASS;
}

SEC("xdp")
int call_under_lock(struct xdp_md *ctx)
{
	__u32 key = 0;
	struct locked *value = bpf_map_lookup_elem(&locks, &key);
	if (!value)
		return XDP_PASS;
	bpf_spin_lock(&value->lock);
	value->count = bpf_get_prandom_u32(); // here
	bpf_spin_unlock(&value->lock);
	return XDP_PASS;
}

SEC("xdp")
int lock_field(struct xdp_md *ctx)
{
	__u32 key = 0;
	struct locked *value = bpf_map_lookup_elem(&locks, &key);
	if (!value)
		return XDP_PASS;
	*(volatile __u32 *)&value->lock = 0; // here
	return XDP_PASS;
}

SEC("xdp")
int unlock_only(struct xdp_md *ctx)
{
	__u32 key = 0;
	struct locked *value = bpf_map_lookup_elem(&locks, &key);
	if (!value)
		return XDP_PASS;
	bpf_spin_unlock(&value->lock); // here
	return XDP_PASS;
}

SEC("xdp")
int foreign_helper(struct xdp_md *ctx)
{
	return bpf_skb_pull_data((void *)ctx, 14); // here
}

SEC("xdp")
int wrong_map(struct xdp_md *ctx)
{
	return bpf_redirect_map(&table, 0, 0); // here
}

SEC("xdp")
int endless(struct xdp_md *ctx)
{
	while (1) // here
		asm volatile("");
	return XDP_PASS;
}

SEC("xdp")
int gpl_helper(struct xdp_md *ctx)
{
	__u64 word = 0;
	bpf_probe_read_kernel(&word, 8, ctx); // here
	return word == 0;
}

SEC("xdp")
int key_missing(struct xdp_md *ctx)
{
	struct value *value = bpf_map_lookup_elem(&table, 0); // here
	return value ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int ways_multiply(struct xdp_md *ctx)
{
	__u8 *data = DATA(ctx);
	__u32 sum = 0;
	if (data + 64 > END(ctx))
		return XDP_PASS;
	for (int i = 0; i < 64; i++) {
		__u32 step = 1;
		if (*(volatile __u8 *)(data + i) & 1)
			step = 2;
		sum += step; // here
		asm volatile("" : "+r"(sum));
	}
	return data + sum > END(ctx) ? XDP_DROP : data[sum % 64];
}

static __noinline int half_stack(struct xdp_md *ctx)
{
	char bytes[300];
	bytes[0] = ctx->rx_queue_index;
	asm volatile("" ::"r"(bytes) : "memory");
	return bytes[0];
}

SEC("xdp")
int deep_stack(struct xdp_md *ctx)
{
	char bytes[300];
	bytes[0] = half_stack(ctx);
	asm volatile("" ::"r"(bytes) : "memory");
	return bytes[0];
}

__noinline int global_reader(__u64 *number)
{
	return *number == 3; // here
}

SEC("xdp")
int global_unchecked(struct xdp_md *ctx)
{
	__u64 number = ctx->rx_queue_index;
	return global_reader(&number);
}

SEC("xdp")
int null_argument(struct xdp_md *ctx)
{
	__u32 key = 1;
	void *other = bpf_map_lookup_elem(&table, &key);
	void *value = bpf_map_lookup_elem(&table, other); // here
	return value ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int index_before_check(struct xdp_md *ctx)
{
	__u32 key = 1;
	__u8 *value = bpf_map_lookup_elem(&table, &key);
	asm volatile("%0 += 8" : "+r"(value)); // here
	return value ? *value : XDP_PASS;
}

SEC("xdp")
int pointer_multiplied(struct xdp_md *ctx)
{
	__u8 *data = DATA(ctx);
	asm volatile("%0 *= 2" : "+r"(data)); // here
	return data == END(ctx) ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int pointer_cut(struct xdp_md *ctx)
{
	register __u8 *data asm("r2") = DATA(ctx);
	asm volatile("w2 += 1" : "+r"(data)); // here
	return data == END(ctx) ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "MIT";
