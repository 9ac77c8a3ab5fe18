// Ring buffer: reserve and submit, reserve and discard, output, and the four queries.
#include "prog.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct record {
	__u32 len;
	__u8 first[12];
};

PROGRAM(ringbuf)
{
	struct record *record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);
	if (!record) {
		add(0, 1);
		return XDP_DROP;
	}
	record->len = ctx->data_end - ctx->data;
	for (int i = 0; i < 12; i++)
		record->first[i] = byte_at(ctx, i);
	if (byte_at(ctx, 0) & 1)
		bpf_ringbuf_discard(record, BPF_RB_NO_WAKEUP);
	else
		bpf_ringbuf_submit(record, 0);
	__u32 word = byte_at(ctx, 1);
	add(1, -bpf_ringbuf_output(&ring, &word, sizeof(word), 0));
	add(2, -bpf_ringbuf_output(&ring, &word, sizeof(word), 8)); // unknown flag
	note(3, bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA));
	note(4, bpf_ringbuf_query(&ring, BPF_RB_RING_SIZE));
	note(5, bpf_ringbuf_query(&ring, BPF_RB_CONS_POS));
	note(6, bpf_ringbuf_query(&ring, BPF_RB_PROD_POS));
	note(7, bpf_ringbuf_query(&ring, 9));
	return XDP_PASS;
}
