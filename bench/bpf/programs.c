// The benchmark's programs for BPF.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define CONTEXT struct xdp_md
#define DATA(ctx) ((u8 *)(long)(ctx)->data)
#define DATA_END(ctx) ((u8 *)(long)(ctx)->data_end)
#define PROGRAM(name) SEC("xdp") int name(CONTEXT *ctx)

#include "work.h"

char LICENSE[] SEC("license") = "MIT";
