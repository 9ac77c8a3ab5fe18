// What the programs of this folder share: maps, the frame, kernel functions. They are for the verifiers
// to judge; nothing runs them. Names that begin with `bad_` are refused by Linux.
#pragma once

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define MAP(name, kind, k, v, n)                                                                 \
	struct {                                                                                     \
		__uint(type, BPF_MAP_TYPE_##kind);                                                       \
		__uint(max_entries, n);                                                                  \
		__type(key, k);                                                                          \
		__type(value, v);                                                                        \
	} name SEC(".maps")

#define DATA(ctx) ((__u8 *)(long)(ctx)->data)
#define END(ctx) ((__u8 *)(long)(ctx)->data_end)
// The header of this type at `at`, or out.
#define NEED(at, type, ctx, out)                                                                 \
	if ((void *)((type *)(at) + 1) > (void *)END(ctx))                                           \
	return out

char LICENSE[] SEC("license") = "GPL";
