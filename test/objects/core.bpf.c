/* CO-RE relocations of every kind, against types that kernel.c lays out differently. */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define CORE __attribute__((preserve_access_index))

enum colour { RED = 1, GREEN = 2, BLUE = 3 };
enum colour___more { VIOLET = 9 };
enum wide { WIDE_ONE = 1, WIDE_MANY = 0x1234567890ull };

struct part {
	int a;
	int b;
} CORE;

struct device {
	int ifindex;
	unsigned int flags : 3;
	unsigned int kind : 5;
	int level : 7;
	struct part parts[4];
	union {
		__u32 word;
		__u8 bytes[4];
	};
	struct part *next;
	__s16 signed_half;
	__u64 shrinks;
	__u64 gone;
} CORE;

struct device___v2 {
	__u64 added;
} CORE;

struct absent {
	int field;
} CORE;

typedef int (*callback)(struct device *device);
typedef struct { int x; } anonymous_t;

__u64 results[64];

#define KEEP(n, expr) (results[n] = (__u64)(expr))

SEC("xdp")
int relocations(struct xdp_md *ctx)
{
	struct device *device = (void *)0;
	struct device___v2 *v2 = (void *)0;
	struct absent *absent = (void *)0;

	KEEP(0, __builtin_preserve_field_info(device->ifindex, BPF_FIELD_BYTE_OFFSET));
	KEEP(1, __builtin_preserve_field_info(device->parts[2].b, BPF_FIELD_BYTE_OFFSET));
	KEEP(2, __builtin_preserve_field_info(device->bytes[3], BPF_FIELD_BYTE_OFFSET));
	KEEP(3, __builtin_preserve_field_info(device->kind, BPF_FIELD_BYTE_OFFSET));
	KEEP(4, __builtin_preserve_field_info(device->kind, BPF_FIELD_BYTE_SIZE));
	KEEP(5, __builtin_preserve_field_info(device->kind, BPF_FIELD_LSHIFT_U64));
	KEEP(6, __builtin_preserve_field_info(device->kind, BPF_FIELD_RSHIFT_U64));
	KEEP(7, __builtin_preserve_field_info(device->level, BPF_FIELD_SIGNED));
	KEEP(8, __builtin_preserve_field_info(device->signed_half, BPF_FIELD_SIGNED));
	KEEP(9, __builtin_preserve_field_info(device->shrinks, BPF_FIELD_BYTE_SIZE));
	KEEP(10, bpf_core_field_exists(device->gone));
	KEEP(11, bpf_core_field_exists(device->shrinks));
	KEEP(12, bpf_core_field_exists(v2->added));
	KEEP(13, __builtin_preserve_field_info(v2->added, BPF_FIELD_BYTE_OFFSET));
	KEEP(14, bpf_core_type_exists(struct device));
	KEEP(15, bpf_core_type_exists(struct absent));
	KEEP(16, bpf_core_type_size(struct device));
	KEEP(17, bpf_core_type_id_local(struct device));
	KEEP(18, bpf_core_type_id_kernel(struct device));
	KEEP(19, bpf_core_enum_value_exists(enum colour, BLUE));
	KEEP(20, bpf_core_enum_value(enum colour, GREEN));
	KEEP(21, bpf_core_enum_value_exists(enum colour, RED));
	KEEP(22, bpf_core_enum_value(enum colour___more, VIOLET));
#if __clang_major__ >= 15 /* before it BTF had 32 bits for a value */
	KEEP(23, bpf_core_enum_value(enum wide, WIDE_MANY));
#endif
	KEEP(24, __builtin_preserve_field_info(device->parts[1].b, BPF_FIELD_LSHIFT_U64));
	KEEP(25, __builtin_preserve_field_info(device->next, BPF_FIELD_BYTE_OFFSET));
	KEEP(26, bpf_core_type_exists(callback));
	KEEP(27, bpf_core_type_size(anonymous_t));
#ifdef MATCHES
	KEEP(28, bpf_core_type_matches(struct part));
	KEEP(29, bpf_core_type_matches(struct device));
#endif
	if (bpf_core_field_exists(absent->field))
		KEEP(30, __builtin_preserve_field_info(absent->field, BPF_FIELD_BYTE_OFFSET));
	return XDP_PASS;
}

SEC("xdp")
int accesses(struct xdp_md *ctx)
{
	struct device *device = (void *)results;

	results[40] = device->parts[1].a;
	results[41] = device->shrinks;
	results[42] = device->signed_half;
	results[43] = device->word;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
