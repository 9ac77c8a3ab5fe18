/* Stands for a kernel: the types of core.bpf.c as another version has them. Only its BTF is used. */
typedef unsigned char __u8;
typedef short __s16;
typedef unsigned int __u32;
typedef unsigned long long __u64;

enum colour { RED = 1, GREEN = 22 };
enum colour___more { YELLOW = 4 };
enum colours { VIOLET = 19 };
enum wide { WIDE_ONE = 1, WIDE_MANY = 0x9876543210ull };

struct part {
	long pad;
	int a;
	int b;
};

struct device {
	char name[16];
	__s16 signed_half;
	struct {
		int ifindex;
		struct {
			unsigned int before : 13;
			unsigned int kind : 6;
			int level : 9;
			unsigned int flags : 3;
		};
	};
	struct part parts[8];
	union {
		__u64 pad;
		__u32 word;
		__u8 bytes[8];
	};
	struct part *next;
	__u32 shrinks;
};

typedef int (*callback)(struct device *device);
typedef struct {
	int x;
	int y;
} anonymous_t;

struct device the_device;
callback the_callback;
anonymous_t the_anonymous;
enum colour the_colour;
enum colour___more the_more;
enum colours the_colours;
enum wide the_wide;
