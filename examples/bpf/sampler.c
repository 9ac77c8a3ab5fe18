// One packet of every `sample_every` goes to user space with its first bytes; all of them pass.
// Shows a ring buffer: reserve, fill, submit or discard, and a count of what found no room.
// A record's bytes behind `snapped` are whatever lay there before.
#include "packet.h"

#define SNAP_LEN 64

const volatile __u32 sample_every = 16;

struct sample {
	__u64 time_ns;
	__u32 len;     // of the packet
	__u32 snapped; // bytes of `head` that are the packet's
	__u8 head[SNAP_LEN];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} samples SEC(".maps");

__u64 seen;
__u64 lost;

SEC("xdp")
int sampler(struct xdp_md *ctx)
{
	__u64 number = __sync_fetch_and_add(&seen, 1);
	if (sample_every == 0 || number % sample_every != 0)
		return XDP_PASS;
	struct sample *sample = bpf_ringbuf_reserve(&samples, sizeof(*sample), 0);
	if (!sample) {
		__sync_fetch_and_add(&lost, 1);
		return XDP_PASS;
	}

	__u32 len = ctx->data_end - ctx->data;
	__u32 snapped = len < SNAP_LEN ? len : SNAP_LEN;
	sample->time_ns = bpf_ktime_get_ns();
	sample->len = len;
	sample->snapped = snapped;
	if (snapped == 0 || bpf_xdp_load_bytes(ctx, 0, sample->head, snapped)) {
		bpf_ringbuf_discard(sample, 0);
		return XDP_PASS;
	}
	bpf_ringbuf_submit(sample, 0);
	return XDP_PASS;
}

char _license[] SEC("license") = "MIT";
