// The kernel as judge of real objects: loads one with libbpf, fills its maps, runs a program on
// packets with BPF_PROG_TEST_RUN, and says what came of it.
//
//   objrun OBJECT < commands > answers
//
// Commands, one a line, names as in the object, bytes in hex ("-" for none):
//   prog NAME              the program that runs from here on
//   set MAP KEY VALUE      update an element; a per-CPU value is given once, for CPU 0
//   tail MAP INDEX PROG    put a program into a program array
//   inner MAP KEY INNER    put a map of the object into a map of maps
//   packet HEX             run once
//   events MAP             what a ring buffer or perf event array holds, and empty it
//   dump                   all elements of all maps that can be read, each in the kernel's order
//
// Answers, one a line: "run RETVAL HEX", "event HEX", "elem MAP KEY VALUE", "error TEXT". A per-CPU
// value is CPU 0's: the process stays there. Values of queues and stacks have no key.
//
//   cc -O2 -o objrun objrun.c -lbpf
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define MAX_PACKET 4096
#define MAX_VALUE (256 * 1024)

static struct bpf_object *object;

static void refuse(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	printf("error ");
	vprintf(format, args);
	printf("\n");
	va_end(args);
}

static size_t parse_hex(const char *text, uint8_t *out, size_t room)
{
	size_t n = 0;
	unsigned int byte;
	while (n < room && sscanf(text + 2 * n, "%2x", &byte) == 1)
		out[n++] = byte;
	return n;
}

static void print_hex(const uint8_t *bytes, size_t len)
{
	if (len == 0)
		putchar('-');
	for (size_t i = 0; i < len; i++)
		printf("%02x", bytes[i]);
}

static struct bpf_map *map_named(const char *name)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, name);
	if (!map)
		refuse("no map %s", name);
	return map;
}

static void set(const char *name, const char *key_hex, const char *value_hex)
{
	static uint8_t key[4096], value[MAX_VALUE];
	struct bpf_map *map = map_named(name);
	if (!map)
		return;
	memset(value, 0, sizeof(value));
	size_t key_len = parse_hex(key_hex, key, sizeof(key));
	parse_hex(value_hex, value, bpf_map__value_size(map));
	if (bpf_map_update_elem(bpf_map__fd(map), key_len ? key : NULL, value, BPF_ANY))
		refuse("set %s: %s", name, strerror(errno));
}

static void put_fd(const char *name, uint32_t key, int fd)
{
	struct bpf_map *map = map_named(name);
	if (map && bpf_map_update_elem(bpf_map__fd(map), &key, &fd, BPF_ANY))
		refuse("%s[%u]: %s", name, key, strerror(errno));
}

static void run(int prog_fd, const char *hex)
{
	static uint8_t in[MAX_PACKET], out[2 * MAX_PACKET];
	size_t len = parse_hex(hex, in, sizeof(in));
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in, .data_size_in = len, .data_out = out,
		    .data_size_out = sizeof(out), .repeat = 1);
	if (bpf_prog_test_run_opts(prog_fd, &opts)) {
		refuse("run: %s", strerror(errno));
		return;
	}
	printf("run %u ", opts.retval);
	print_hex(out, opts.data_size_out);
	printf("\n");
}

static int on_record(void *ctx, void *data, size_t len)
{
	printf("event ");
	print_hex(data, len);
	printf("\n");
	return 0;
}

static void on_sample(void *ctx, int cpu, void *data, __u32 len)
{
	on_record(ctx, data, len);
}

static void events(const char *name, struct perf_buffer *perf)
{
	struct bpf_map *map = map_named(name);
	if (!map)
		return;
	if (perf) {
		perf_buffer__consume(perf);
		return;
	}
	struct ring_buffer *ring = ring_buffer__new(bpf_map__fd(map), on_record, NULL, NULL);
	if (!ring) {
		refuse("events %s: %s", name, strerror(errno));
		return;
	}
	ring_buffer__consume(ring);
	ring_buffer__free(ring);
}

static void print_elem(const struct bpf_map *map, const uint8_t *key, const uint8_t *value)
{
	printf("elem %s ", bpf_map__name(map));
	print_hex(key, bpf_map__key_size(map));
	printf(" ");
	print_hex(value, bpf_map__value_size(map));
	printf("\n");
}

static void dump(const struct bpf_map *map)
{
	static uint8_t key[4096], next[4096], value[MAX_VALUE];
	int fd = bpf_map__fd(map);
	enum bpf_map_type type = bpf_map__type(map);
	if (type == BPF_MAP_TYPE_QUEUE || type == BPF_MAP_TYPE_STACK) {
		while (bpf_map_lookup_and_delete_elem(fd, NULL, value) == 0)
			print_elem(map, NULL, value);
		return;
	}
	if (type == BPF_MAP_TYPE_ARRAY_OF_MAPS || type == BPF_MAP_TYPE_HASH_OF_MAPS ||
	    type == BPF_MAP_TYPE_PROG_ARRAY)
		return; // their values are numbers that the kernel gave
	void *previous = NULL;
	while (bpf_map_get_next_key(fd, previous, next) == 0) {
		memcpy(key, next, sizeof(key));
		previous = key;
		memset(value, 0, sizeof(value));
		if (bpf_map_lookup_elem(fd, key, value) == 0)
			print_elem(map, key, value);
	}
}

static struct perf_buffer *open_perf(void)
{
	struct bpf_map *map;
	bpf_object__for_each_map(map, object)
		if (bpf_map__type(map) == BPF_MAP_TYPE_PERF_EVENT_ARRAY)
			return perf_buffer__new(bpf_map__fd(map), 64, on_sample, NULL, NULL, NULL);
	return NULL;
}

int main(int argc, char **argv)
{
	cpu_set_t first;
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	sched_setaffinity(0, sizeof(first), &first);
	if (argc != 2) {
		fprintf(stderr, "usage: objrun OBJECT < commands\n");
		return 2;
	}
	object = bpf_object__open_file(argv[1], NULL);
	if (!object || bpf_object__load(object)) {
		fprintf(stderr, "objrun: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	struct perf_buffer *perf = open_perf();

	static char line[4 * MAX_PACKET], name[128], a[4 * MAX_PACKET], b[4 * MAX_PACKET];
	int prog_fd = -1;
	while (fgets(line, sizeof(line), stdin)) {
		unsigned int index;
		if (sscanf(line, "prog %127s", name) == 1) {
			struct bpf_program *prog = bpf_object__find_program_by_name(object, name);
			if (!prog)
				refuse("no program %s", name);
			prog_fd = prog ? bpf_program__fd(prog) : -1;
		} else if (sscanf(line, "set %127s %s %s", name, a, b) == 3) {
			set(name, a, b);
		} else if (sscanf(line, "tail %127s %u %s", name, &index, a) == 3) {
			put_fd(name, index, bpf_program__fd(bpf_object__find_program_by_name(object, a)));
		} else if (sscanf(line, "inner %127s %u %s", name, &index, a) == 3) {
			put_fd(name, index, bpf_map__fd(bpf_object__find_map_by_name(object, a)));
		} else if (sscanf(line, "packet %s", a) == 1) {
			run(prog_fd, a);
		} else if (sscanf(line, "events %127s", name) == 1) {
			events(name, perf);
		} else if (strcmp(line, "dump\n") == 0) {
			struct bpf_map *map;
			bpf_object__for_each_map(map, object)
				dump(map);
		} else {
			refuse("unknown command: %s", line);
		}
	}
	return 0;
}
