/* Functions and variables of the kernel: there, missing, and missing where they may be. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct bpf_iter_num {
	__u64 opaque[1];
} __attribute__((aligned(8)));

extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;
extern int no_such_function(struct xdp_md *ctx) __ksym;
extern int no_such_weak_function(struct xdp_md *ctx) __ksym __weak;
extern const int no_such_symbol __ksym;
extern const int no_such_weak_symbol __ksym __weak;

SEC("xdp")
int counts(struct xdp_md *ctx)
{
	struct bpf_iter_num it;
	int *value, sum = 0;

	bpf_iter_num_new(&it, 0, 3);
	while ((value = bpf_iter_num_next(&it)))
		sum += *value;
	bpf_iter_num_destroy(&it);
	return sum;
}

SEC("xdp")
int asks(struct xdp_md *ctx)
{
	if (no_such_weak_function)
		return no_such_weak_function(ctx);
	if (&no_such_weak_symbol)
		return XDP_DROP;
	return XDP_PASS;
}

SEC("xdp") int needs(struct xdp_md *ctx) { return no_such_function(ctx); }
SEC("xdp") int reads(struct xdp_md *ctx) { return (long)&no_such_symbol; }

char _license[] SEC("license") = "GPL";
