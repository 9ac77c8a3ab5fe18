// bpf_perf_event_output with the packet's own bytes behind the sample.
#include "prog.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} events SEC(".maps");

PROGRAM(perf_event)
{
	struct {
		__u32 magic, len;
	} sample = { 0x1234, ctx->data_end - ctx->data };
	__u64 bytes = byte_at(ctx, 2) & 63;
	add(0, -bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU | bytes << 32, &sample,
				      sizeof(sample)));
	add(1, -bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU | 0xfffffULL << 32, &sample,
				      sizeof(sample))); // more than the packet has
	add(2, -bpf_perf_event_output(ctx, &events, 100000, &sample, sizeof(sample)));
	return XDP_PASS;
}
