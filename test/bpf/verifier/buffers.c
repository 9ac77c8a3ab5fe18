#include "common.h"

struct event {
	__u64 time;
	__u32 bytes, verdict;
	__u8 head[32];
};
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} ring SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
} perf SEC(".maps");
MAP(array, ARRAY, __u32, struct event, 4);
extern int bpf_dynptr_from_xdp(struct xdp_md *xdp, __u64 flags, struct bpf_dynptr *ptr__uninit) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *p, __u32 offset, void *buffer, __u32 buffer__szk) __ksym;
extern void *bpf_dynptr_slice_rdwr(const struct bpf_dynptr *p, __u32 offset, void *buffer, __u32 buffer__szk) __ksym;
extern __u32 bpf_dynptr_size(const struct bpf_dynptr *p) __ksym;
extern int bpf_dynptr_adjust(const struct bpf_dynptr *p, __u32 start, __u32 end) __ksym;

SEC("xdp") int ring_record(struct xdp_md *ctx)
{
	struct event *event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);
	if (!event)
		return XDP_PASS;
	event->time = bpf_ktime_get_ns();
	event->bytes = ctx->data_end - ctx->data;
	if (event->bytes < 64)
		bpf_ringbuf_discard(event, 0);
	else
		bpf_ringbuf_submit(event, 0);
	return XDP_PASS;
}

SEC("xdp") int ring_output(struct xdp_md *ctx)
{
	struct event event = { .time = 1 };
	__u8 *data = DATA(ctx);
	if (data + 32 <= END(ctx))
		__builtin_memcpy(event.head, data, 32);
	bpf_ringbuf_output(&ring, &event, sizeof(event), 0);
	return XDP_PASS;
}

SEC("xdp") int perf_event(struct xdp_md *ctx)
{
	struct event event = { .time = 1 };
	bpf_perf_event_output(ctx, &perf, BPF_F_CURRENT_CPU | 64ull << 32, &event, sizeof(event));
	return XDP_PASS;
}

SEC("xdp") int bytes_loaded(struct xdp_md *ctx)
{
	__u8 head[40];
	if (bpf_xdp_load_bytes(ctx, 14, head, sizeof(head)))
		return XDP_DROP;
	head[8]--;
	return bpf_xdp_store_bytes(ctx, 14, head, 20) ? XDP_DROP : XDP_TX;
}

SEC("xdp") int bad_bytes_by_another_register(struct xdp_md *ctx)
{
	__u8 head[64] = {};
	__u32 bytes = bpf_xdp_get_buff_len(ctx);
	if (bytes < 1 || bytes > sizeof(head))
		return XDP_PASS;
	return bpf_xdp_load_bytes(ctx, 0, head, bytes) ? XDP_DROP : head[13] & 3;
}

SEC("xdp") int slice(struct xdp_md *ctx)
{
	struct bpf_dynptr packet;
	struct ethhdr copy, *eth;
	if (bpf_dynptr_from_xdp(ctx, 0, &packet))
		return XDP_DROP;
	eth = bpf_dynptr_slice(&packet, 0, &copy, sizeof(copy));
	return eth && eth->h_proto == bpf_htons(ETH_P_IP) ? XDP_DROP : XDP_PASS;
}

SEC("xdp") int slice_written(struct xdp_md *ctx)
{
	struct bpf_dynptr packet;
	struct iphdr copy, *ip;
	if (bpf_dynptr_from_xdp(ctx, 0, &packet) || bpf_dynptr_adjust(&packet, 14, 34))
		return XDP_DROP;
	ip = bpf_dynptr_slice_rdwr(&packet, 0, &copy, sizeof(copy));
	if (!ip)
		return XDP_DROP;
	ip->ttl--;
	if (ip == &copy)
		bpf_dynptr_write(&packet, 0, &copy, sizeof(copy), 0);
	return XDP_TX;
}

SEC("xdp") int dynptr_record(struct xdp_md *ctx)
{
	struct bpf_dynptr record;
	__u64 now = bpf_ktime_get_ns();
	if (bpf_ringbuf_reserve_dynptr(&ring, 100 + ctx->rx_queue_index % 100, 0, &record) == 0) {
		bpf_dynptr_write(&record, 0, &now, sizeof(now), 0);
		__u64 *at = bpf_dynptr_data(&record, 8, 8);
		if (at)
			*at = now;
	}
	bpf_ringbuf_submit_dynptr(&record, 0);
	return XDP_PASS;
}

SEC("xdp") int dynptr_of_value(struct xdp_md *ctx)
{
	__u32 key = 0;
	struct bpf_dynptr local;
	struct event *event = bpf_map_lookup_elem(&array, &key);
	if (!event)
		return XDP_PASS;
	bpf_dynptr_from_mem(event->head, sizeof(event->head), 0, &local);
	__u8 *at = bpf_dynptr_data(&local, 4, 8);
	return at ? at[7] & 3 : XDP_PASS;
}

SEC("xdp") int bad_record_kept(struct xdp_md *ctx)
{
	struct event *event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);
	if (event)
		event->time = 1;
	return XDP_PASS;
}

SEC("xdp") int bad_record_unchecked(struct xdp_md *ctx)
{
	struct event *event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);
	event->time = 1;
	bpf_ringbuf_submit(event, 0);
	return XDP_PASS;
}

SEC("xdp") int bad_record_twice(struct xdp_md *ctx)
{
	struct event *event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);
	if (!event)
		return XDP_PASS;
	bpf_ringbuf_submit(event, 0);
	bpf_ringbuf_discard(event, 0);
	return XDP_PASS;
}

SEC("xdp") int bad_record_after(struct xdp_md *ctx)
{
	struct event *event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);
	if (!event)
		return XDP_PASS;
	bpf_ringbuf_submit(event, 0);
	return event->bytes;
}

SEC("xdp") int bad_record_size(struct xdp_md *ctx)
{
	void *event = bpf_ringbuf_reserve(&ring, ctx->rx_queue_index, 0);
	if (event)
		bpf_ringbuf_submit(event, 0);
	return XDP_PASS;
}

SEC("xdp") int bad_record_overrun(struct xdp_md *ctx)
{
	__u64 *event = bpf_ringbuf_reserve(&ring, 16, 0);
	if (!event)
		return XDP_PASS;
	event[2] = 1;
	bpf_ringbuf_submit(event, 0);
	return XDP_PASS;
}

SEC("xdp") int bad_record_moved(struct xdp_md *ctx)
{
	__u64 *event = bpf_ringbuf_reserve(&ring, 16, 0);
	if (!event)
		return XDP_PASS;
	bpf_ringbuf_submit(event + 1, 0);
	return XDP_PASS;
}

SEC("xdp") int bad_bytes(struct xdp_md *ctx)
{
	__u8 head[64] = {};
	__u32 bytes = bpf_xdp_get_buff_len(ctx);
	if (bytes > sizeof(head))
		return XDP_PASS;
	return bpf_xdp_load_bytes(ctx, 0, head, bytes + 1) ? XDP_DROP : head[13] & 3;
}

SEC("xdp") int bad_dynptr_kept(struct xdp_md *ctx)
{
	struct bpf_dynptr record;
	bpf_ringbuf_reserve_dynptr(&ring, 100, 0, &record);
	return XDP_PASS;
}

SEC("xdp") int bad_slice_written(struct xdp_md *ctx)
{
	struct bpf_dynptr packet;
	struct ethhdr copy, *eth;
	if (bpf_dynptr_from_xdp(ctx, 0, &packet))
		return XDP_DROP;
	eth = bpf_dynptr_slice(&packet, 0, &copy, sizeof(copy));
	if (eth)
		eth->h_proto = 0;
	return XDP_PASS;
}

SEC("xdp") int bad_slice_unchecked(struct xdp_md *ctx)
{
	struct bpf_dynptr packet;
	struct ethhdr copy, *eth;
	if (bpf_dynptr_from_xdp(ctx, 0, &packet))
		return XDP_DROP;
	eth = bpf_dynptr_slice(&packet, 0, &copy, sizeof(copy));
	return eth->h_proto ? XDP_PASS : XDP_DROP;
}

SEC("xdp") int bad_dynptr_bytes(struct xdp_md *ctx)
{
	struct bpf_dynptr packet = {};
	return bpf_dynptr_size(&packet) & 3;
}

SEC("xdp") int bad_dynptr_written(struct xdp_md *ctx)
{
	struct bpf_dynptr packet;
	bpf_dynptr_from_xdp(ctx, 0, &packet);
	*(volatile __u64 *)&packet = 5;
	return bpf_dynptr_size(&packet) & 3;
}
