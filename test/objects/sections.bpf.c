/* Programs of many types; XDP in all its attach types, some in one section. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp") int first(struct xdp_md *ctx) { return XDP_PASS; }
SEC("xdp") int second(struct xdp_md *ctx) { return XDP_DROP; }
SEC("xdp/named") int third(struct xdp_md *ctx) { return XDP_TX; }
SEC("xdp.frags") int in_fragments(struct xdp_md *ctx) { return XDP_PASS; }
SEC("xdp/devmap") int on_device(struct xdp_md *ctx) { return XDP_PASS; }
SEC("xdp.frags/devmap") int on_device_frags(struct xdp_md *ctx) { return XDP_PASS; }
SEC("xdp/cpumap") int on_cpu(struct xdp_md *ctx) { return XDP_PASS; }
SEC("xdp.frags/cpumap") int on_cpu_frags(struct xdp_md *ctx) { return XDP_PASS; }
SEC("?xdp") int not_by_itself(struct xdp_md *ctx) { return XDP_PASS; }
SEC("tc") int classify(struct __sk_buff *skb) { return 0; }
SEC("classifier/old") int classify_old(struct __sk_buff *skb) { return 0; }
SEC("socket") int filter(struct __sk_buff *skb) { return 0; }
SEC("kprobe/do_nothing") int probe(void *ctx) { return 0; }
SEC("tracepoint/xdp/xdp_exception") int point(void *ctx) { return 0; }
SEC("cgroup_skb/ingress") int group(struct __sk_buff *skb) { return 1; }
SEC("sk_lookup") int lookup(struct bpf_sk_lookup *ctx) { return 1; }

char _license[] SEC("license") = "Dual MIT/GPL";
