// Dynptrs over the packet, a map value and the ring buffer: read, write, slices, sizes.
#include "prog.h"

extern int bpf_dynptr_from_xdp(struct xdp_md *ctx, __u64 flags, struct bpf_dynptr *ptr) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *ptr, __u32 offset, void *buffer,
			      __u32 buffer_size) __ksym;
extern __u32 bpf_dynptr_size(const struct bpf_dynptr *ptr) __ksym;
extern int bpf_dynptr_adjust(const struct bpf_dynptr *ptr, __u32 start, __u32 end) __ksym;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

PROGRAM(dynptr)
{
	struct bpf_dynptr packet, record;
	__u8 bytes[8] = {}, buffer[8];
	add(0, -bpf_dynptr_from_xdp(ctx, 0, &packet));
	add(1, bpf_dynptr_size(&packet));
	add(2, -bpf_dynptr_read(bytes, sizeof(bytes), &packet, byte_at(ctx, 0), 0));
	add(3, -bpf_dynptr_write(&packet, byte_at(ctx, 1), bytes, 4, 0));
	__u8 *slice = bpf_dynptr_slice(&packet, 6, buffer, sizeof(buffer));
	add(4, slice ? slice[3] : 1000);
	add(5, -bpf_dynptr_adjust(&packet, 4, 12));
	add(6, bpf_dynptr_size(&packet));

	long err = bpf_ringbuf_reserve_dynptr(&ring, (byte_at(ctx, 2) & 31) + 8, 0, &record);
	if (!err)
		bpf_dynptr_write(&record, 0, bytes, sizeof(bytes), 0);
	bpf_ringbuf_submit_dynptr(&record, 0);
	add(7, -err);
	return XDP_PASS;
}
