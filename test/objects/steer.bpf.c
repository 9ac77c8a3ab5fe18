// A program that redirects as its settings say, and programs for entries of devmaps and cpumaps.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

enum mode { TO_PORT, TO_ALL, TO_ALL_OTHERS, TO_ALL_HASHED, TO_CPU };

struct settings {
	__u32 mode;
	__u32 key;     // of the devmap or cpumap
	__u32 drop;    // the devmap's program drops packets whose last byte is below
	__s32 verdict; // of the cpumap's program
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct settings);
} settings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct bpf_devmap_val);
} ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct bpf_devmap_val);
} hashed SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_CPUMAP);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct bpf_cpumap_val);
} cpus SEC(".maps");

// What ran where: runs of the devmap's program by egress, of the cpumap's by CPU.
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u64);
} egress SEC(".maps"), on_cpu SEC(".maps");

static __always_inline struct settings *get(void)
{
	__u32 zero = 0;
	return bpf_map_lookup_elem(&settings, &zero);
}

static __always_inline void count(void *map, __u32 key)
{
	__u64 *at = bpf_map_lookup_elem(map, &key);
	if (at)
		*at += 1;
}

SEC("xdp")
int steer(struct xdp_md *ctx)
{
	struct settings *s = get();
	if (!s)
		return XDP_ABORTED;
	switch (s->mode) {
	case TO_PORT:
		return bpf_redirect_map(&ports, s->key, XDP_PASS);
	case TO_ALL:
		return bpf_redirect_map(&ports, s->key, BPF_F_BROADCAST);
	case TO_ALL_OTHERS:
		return bpf_redirect_map(&ports, s->key, BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS);
	case TO_ALL_HASHED:
		return bpf_redirect_map(&hashed, s->key, BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS);
	default:
		return bpf_redirect_map(&cpus, s->key, XDP_PASS);
	}
}

SEC("xdp/devmap")
int leaving(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct settings *s = get();
	if (!s || data + 60 > end)
		return XDP_ABORTED;
	count(&egress, ctx->egress_ifindex & 7);
	data[58] = ctx->ingress_ifindex;
	data[59] = ctx->egress_ifindex;
	return data[35] < s->drop ? XDP_DROP : XDP_PASS; // low byte of the UDP source port
}

SEC("xdp/cpumap")
int arriving(struct xdp_md *ctx)
{
	struct settings *s = get();
	if (!s)
		return XDP_ABORTED;
	count(&on_cpu, bpf_get_smp_processor_id() & 7);
	if (s->verdict == XDP_REDIRECT)
		return bpf_redirect_map(&ports, 0, 0);
	return s->verdict;
}

char _license[] SEC("license") = "GPL";
