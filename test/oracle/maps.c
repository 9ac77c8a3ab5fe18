/*
 * Operations of user space on the running kernel's maps: reads a script on standard input and
 * answers each line with one line.
 *
 *   map TYPE KEYSIZE VALUESIZE MAXENTRIES FLAGS EXTRA INNER   a map; maps are numbered from 0;
 *                                                             INNER is a map's number or -1
 *   prog ATTACHTYPE FLAGS                                     an XDP program, numbered from 0
 *   u MAP KEY VALUE FLAGS          update
 *   l MAP KEY FLAGS [VALUE]        lookup; VALUE for a bloom filter, which is asked with one
 *   d MAP KEY                      delete
 *   t MAP KEY FLAGS                lookup and delete
 *   n MAP KEY                      next key; KEY - is none
 *   f MAP                          freeze
 *   bl MAP TOKEN COUNT FLAGS       lookup batch; TOKEN - is none; bt: lookup and delete batch
 *   bu MAP COUNT KEYS VALUES FLAGS update batch
 *   bd MAP COUNT KEYS FLAGS        delete batch
 *
 * Keys and values are hex, - for none. A value @N is map N's descriptor, $N program N's; where a
 * map answers with the id of a map or a program, the number is printed the same way. The answer is
 * 0 or a negative errno, then what was read. Runs on CPU 0. The first line of output is the
 * kernel's release and the number of possible CPUs.
 *
 *   cc -O1 -o maps maps.c
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#define MAX 4096
#define BUFFER (1 << 20)

static struct { int fd; unsigned id, key, value, type; } maps[MAX];
static struct { int fd; unsigned id; } progs[MAX];
static int nmaps, nprogs, ncpus;
static unsigned char keys[BUFFER], values[BUFFER], token[512], token2[512];

static long bpf(int cmd, union bpf_attr *attr)
{
	long rc = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return rc < 0 ? -errno : rc;
}

static int hexval(int c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

/* Hex, or @N, or $N. */
static unsigned parse(const char *text, unsigned char *out)
{
	unsigned n = 0;

	if (*text == '@' || *text == '$') {
		int i = atoi(text + 1), fd = *text == '@' ? maps[i].fd : progs[i].fd;

		memcpy(out, &fd, 4);
		return 4;
	}
	if (*text == '-')
		return 0;
	for (; text[0] && text[1]; text += 2)
		out[n++] = hexval(text[0]) << 4 | hexval(text[1]);
	return n;
}

static void print_bytes(const unsigned char *bytes, unsigned n)
{
	putchar(' ');
	for (unsigned i = 0; i < n; i++)
		printf("%02x", bytes[i]);
	if (n == 0)
		putchar('-');
}

static int percpu(unsigned type)
{
	return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_ARRAY ||
	       type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

static unsigned value_bytes(int map)
{
	return percpu(maps[map].type) ? (maps[map].value + 7) / 8 * 8 * ncpus : maps[map].value;
}

static void print_value(int map, const unsigned char *value)
{
	unsigned id, type = maps[map].type;

	memcpy(&id, value, 4);
	if (type == BPF_MAP_TYPE_ARRAY_OF_MAPS || type == BPF_MAP_TYPE_HASH_OF_MAPS) {
		for (int i = 0; i < nmaps; i++)
			if (maps[i].fd >= 0 && maps[i].id == id) {
				printf(" @%d", i);
				return;
			}
	} else if (type == BPF_MAP_TYPE_PROG_ARRAY) {
		for (int i = 0; i < nprogs; i++)
			if (progs[i].id == id) {
				printf(" $%d", i);
				return;
			}
	}
	print_bytes(value, value_bytes(map));
}

static unsigned id_of(int fd, int is_map)
{
	struct bpf_map_info map = {};
	struct bpf_prog_info prog = {};
	union bpf_attr attr = {};

	attr.info.bpf_fd = fd;
	attr.info.info_len = is_map ? sizeof(map) : sizeof(prog);
	attr.info.info = is_map ? (unsigned long)&map : (unsigned long)&prog;
	bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
	return is_map ? map.id : prog.id;
}

static void create(char *args)
{
	union bpf_attr attr = {};
	int inner = -1;
	long rc;

	sscanf(args, "%u %u %u %u %u %llu %d", &attr.map_type, &attr.key_size, &attr.value_size,
	       &attr.max_entries, &attr.map_flags, (unsigned long long *)&attr.map_extra, &inner);
	if (attr.map_type == BPF_MAP_TYPE_ARRAY_OF_MAPS || attr.map_type == BPF_MAP_TYPE_HASH_OF_MAPS)
		attr.inner_map_fd = inner >= 0 ? maps[inner].fd : -1;
	rc = bpf(BPF_MAP_CREATE, &attr);
	maps[nmaps].fd = rc;
	maps[nmaps].key = attr.key_size;
	maps[nmaps].value = attr.value_size;
	maps[nmaps].type = attr.map_type;
	if (rc >= 0)
		maps[nmaps].id = id_of(rc, 1);
	nmaps++;
	printf("%ld\n", rc < 0 ? rc : 0);
}

static void load(char *args)
{
	struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 2 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {};
	long rc;

	attr.prog_type = BPF_PROG_TYPE_XDP;
	attr.insns = (unsigned long)insns;
	attr.insn_cnt = 2;
	attr.license = (unsigned long)"GPL";
	sscanf(args, "%u %u", &attr.expected_attach_type, &attr.prog_flags);
	rc = bpf(BPF_PROG_LOAD, &attr);
	progs[nprogs].fd = rc;
	if (rc >= 0)
		progs[nprogs].id = id_of(rc, 0);
	nprogs++;
	printf("%ld\n", rc < 0 ? rc : 0);
}

static void element(char op, char *args)
{
	static char a[BUFFER], b[BUFFER];
	union bpf_attr attr = {};
	unsigned long long flags = 0;
	int map, commands[128] = { ['u'] = BPF_MAP_UPDATE_ELEM, ['l'] = BPF_MAP_LOOKUP_ELEM,
		['d'] = BPF_MAP_DELETE_ELEM, ['t'] = BPF_MAP_LOOKUP_AND_DELETE_ELEM,
		['n'] = BPF_MAP_GET_NEXT_KEY, ['f'] = BPF_MAP_FREEZE };
	long rc;

	a[0] = b[0] = '-', a[1] = b[1] = 0;
	memset(values, 0, 65536);
	if (op == 'u')
		sscanf(args, "%d %s %s %llu", &map, a, b, &flags);
	else
		sscanf(args, "%d %s %llu %s", &map, a, &flags, b);
	parse(a, keys);
	parse(b, values);
	attr.map_fd = maps[map].fd;
	if (op != 'f') {
		attr.key = *a == '-' ? 0 : (unsigned long)keys;
		attr.value = op == 'd' ? 0 : (unsigned long)values;
		attr.flags = op == 'd' || op == 'n' ? 0 : flags;
	}
	rc = bpf(commands[(int)op], &attr);
	printf("%ld", rc);
	if (rc == 0 && (op == 'l' || op == 't'))
		print_value(map, values);
	if (rc == 0 && op == 'n')
		print_bytes(values, maps[map].key);
	putchar('\n');
}

static void batch(char op, char *args)
{
	static char a[BUFFER], b[BUFFER];
	union bpf_attr attr = {};
	unsigned count;
	unsigned long long flags = 0;
	int map;
	long rc;

	a[0] = b[0] = '-', a[1] = b[1] = 0;
	if (op == 'l' || op == 't')
		sscanf(args, "%d %s %u %llu", &map, a, &count, &flags);
	else if (op == 'u')
		sscanf(args, "%d %u %s %s %llu", &map, &count, a, b, &flags);
	else
		sscanf(args, "%d %u %s %llu", &map, &count, a, &flags);
	attr.batch.map_fd = maps[map].fd;
	attr.batch.keys = (unsigned long)keys;
	attr.batch.values = op == 'd' ? 0 : (unsigned long)values;
	attr.batch.count = count;
	attr.batch.elem_flags = flags;
	if (op == 'l' || op == 't') {
		memset(token2, 0, sizeof(token2));
		attr.batch.in_batch = parse(a, token) ? (unsigned long)token : 0;
		attr.batch.out_batch = (unsigned long)token2;
		rc = bpf(op == 'l' ? BPF_MAP_LOOKUP_BATCH : BPF_MAP_LOOKUP_AND_DELETE_BATCH, &attr);
		/* what is refused at once leaves the count as it was given */
		printf("%ld %u", rc, rc < 0 && rc != -ENOENT ? 0 : attr.batch.count);
		if (rc == 0 || rc == -ENOENT) {
			print_bytes(token2, maps[map].key > 4 ? maps[map].key : 4);
			print_bytes(keys, attr.batch.count * maps[map].key);
			for (unsigned i = 0; i < attr.batch.count; i++)
				print_value(map, values + i * value_bytes(map));
		}
	} else {
		parse(a, keys);
		parse(b, values);
		rc = bpf(op == 'u' ? BPF_MAP_UPDATE_BATCH : BPF_MAP_DELETE_BATCH, &attr);
		printf("%ld %u", rc, rc < 0 && attr.batch.count == count ? 0 : attr.batch.count);
	}
	putchar('\n');
}

int main(void)
{
	static char line[2 * BUFFER];
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY }, files = { 65536, 65536 };
	struct utsname system;
	cpu_set_t set;
	FILE *possible = fopen("/sys/devices/system/cpu/possible", "r");
	int last = 0;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	sched_setaffinity(0, sizeof(set), &set);
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	setrlimit(RLIMIT_NOFILE, &files);
	if (possible && fscanf(possible, "0-%d", &last) == 1)
		ncpus = last + 1;
	else
		ncpus = 1;
	uname(&system);
	printf("%s %d\n", system.release, ncpus);
	while (fgets(line, sizeof(line), stdin)) {
		if (!strncmp(line, "map ", 4))
			create(line + 4);
		else if (!strncmp(line, "prog ", 5))
			load(line + 5);
		else if (!strncmp(line, "reset", 5)) {
			for (int i = 0; i < nmaps; i++)
				if (maps[i].fd >= 0)
					close(maps[i].fd);
			nmaps = 0;
			puts("0");
		} else if (line[0] == 'b')
			batch(line[1], line + 3);
		else
			element(line[0], line + 2);
	}
	return 0;
}
