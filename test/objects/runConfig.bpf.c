/* Places among several programs on one device, as libxdp reads them. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define RUN_CONFIG(name) _##name SEC(".xdp_run_config")

struct {
	__uint(priority, 10);
	__uint(XDP_DROP, 1);
} RUN_CONFIG(first);

struct {
	__uint(priority, 5);
	__uint(XDP_PASS, 0);
	__uint(XDP_TX, 1);
} RUN_CONFIG(earlier);

struct {
	__uint(priority, 1);
	__uint(urgency, 1);
} RUN_CONFIG(odd);

SEC("xdp") int first(struct xdp_md *ctx) { return XDP_DROP; }
SEC("xdp") int earlier(struct xdp_md *ctx) { return XDP_PASS; }
SEC("xdp") int odd(struct xdp_md *ctx) { return XDP_PASS; }
SEC("xdp") int silent(struct xdp_md *ctx) { return XDP_TX; }

char _license[] SEC("license") = "GPL";
