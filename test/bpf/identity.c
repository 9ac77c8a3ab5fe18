// What depends on the machine: time, CPU, random numbers, interface. Compared by property only.
#include "prog.h"

PROGRAM(identity)
{
	__u64 t0 = bpf_ktime_get_ns(), t1 = bpf_ktime_get_ns();
	note(0, t1 >= t0);
	note(1, bpf_ktime_get_boot_ns() >= t0);
	note(2, bpf_ktime_get_coarse_ns() <= bpf_ktime_get_ns());
	note(3, bpf_jiffies64() > 0);
	note(4, bpf_get_smp_processor_id());
	note(5, bpf_get_numa_node_id() <= 0);
	add(6, bpf_get_prandom_u32() >> 31);
	note(7, ctx->ingress_ifindex);
	note(8, ctx->rx_queue_index);
	return XDP_PASS;
}
