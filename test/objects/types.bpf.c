/* Values of every shape, as keys and values of maps, for typed access. */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#define __user __attribute__((btf_type_tag("user")))
#define __tagged __attribute__((btf_decl_tag("tagged")))

enum level { LOW = -1, MIDDLE = 0, HIGH = 7 };
enum wide { NARROW = 1, WIDE = 0xffffffffffffffffull };

struct forward;

struct bits {
	__u32 three : 3;
	__s32 minus : 5;
	__u64 forty : 40;
	__u64 rest : 16;
};

struct key {
	__u8 proto;
	char name[7];
	__be16 port;
} __attribute__((packed));

struct shape {
	_Bool set;
	enum level level;
	enum wide wide;
	double number;
	float small;
	__s64 negative;
	__u64 huge;
	const volatile __u16 grid[2][3];
	union {
		__u32 word;
		__u8 bytes[4];
	};
	struct bits bits;
	struct forward *pointer;
	int __user *restrict tagged __tagged;
	struct bpf_spin_lock lock;
	__int128 large;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, struct key);
	__type(value, struct shape);
} shapes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

volatile struct shape global;

SEC("xdp")
int touch(struct xdp_md *ctx)
{
	struct key key = {};
	__u32 index = 0;
	struct shape *shape = bpf_map_lookup_elem(&shapes, &key);

	if (shape)
		shape->bits.three = 1;
	global.level = HIGH;
	return bpf_map_lookup_elem(&counts, &index) ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "GPL";
