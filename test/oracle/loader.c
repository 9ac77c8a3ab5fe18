/*
 * The judge of src/xdp/loader: opens an object with libbpf, loads it into the running kernel, and
 * prints what libbpf made of it: map definitions, and instructions with everything relocated.
 *
 *   cc -O2 -o loader loader.c -lbpf && ./loader OBJECT.o [FILE-WITH-BTF]
 *
 * In place of a map's file descriptor stands 0, and the map's name beside it. An object that the
 * kernel refuses is printed all the same, as long as it has one map at most: `loaded` tells.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return getenv("LOUD") ? vfprintf(stderr, format, args) : 0;
}

static const char *map_of_fd(struct bpf_object *object, int fd)
{
	struct bpf_map *map, *only = NULL;
	int count = 0;

	bpf_object__for_each_map(map, object) {
		if (bpf_map__fd(map) == fd)
			return bpf_map__name(map);
		only = map;
		count++;
	}
	return count == 1 ? bpf_map__name(only) : "?";
}

static void print_maps(struct bpf_object *object)
{
	struct bpf_map *map;
	const char *comma = "";

	printf("\"maps\":[");
	bpf_object__for_each_map(map, object) {
		printf("%s\n{\"name\":\"%s\",\"type\":%d,\"keySize\":%u,\"valueSize\":%u,", comma,
		       bpf_map__name(map), bpf_map__type(map), bpf_map__key_size(map),
		       bpf_map__value_size(map));
		printf("\"maxEntries\":%u,\"flags\":%u,\"mapExtra\":%llu}", bpf_map__max_entries(map),
		       bpf_map__map_flags(map), (unsigned long long)bpf_map__map_extra(map));
		comma = ",";
	}
	printf("],\n");
}

static void print_insns(struct bpf_object *object, const struct bpf_program *program)
{
	const struct bpf_insn *insns = bpf_program__insns(program);
	size_t count = bpf_program__insn_cnt(program);
	const char *comma = "";

	printf("\"insns\":\"");
	for (size_t i = 0; i < count; i++) {
		struct bpf_insn insn = insns[i];

		if (insn.code == (BPF_LD | BPF_IMM | BPF_DW) && (insn.src_reg == 1 || insn.src_reg == 2))
			insn.imm = 0;
		for (size_t b = 0; b < sizeof(insn); b++)
			printf("%02x", ((unsigned char *)&insn)[b]);
	}
	printf("\",\"refs\":{");
	for (size_t i = 0; i < count; i++) {
		if (insns[i].code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if (insns[i].src_reg == 1 || insns[i].src_reg == 2) {
			printf("%s\"%zu\":\"%s\"", comma, i, map_of_fd(object, insns[i].imm));
			comma = ",";
		}
		i++;
	}
	printf("}");
}

int main(int argc, char **argv)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = argc > 2 ? argv[2] : NULL);
	struct bpf_object *object;
	struct bpf_program *program;
	const char *comma = "";
	int error;

	libbpf_set_print(quiet);
	object = bpf_object__open_file(argv[1], &opts);
	if (!object) {
		perror(argv[1]);
		return 1;
	}
	error = bpf_object__load(object);
	printf("{\"libbpf\":\"%s\",\"loaded\":%s,", libbpf_version_string(), error ? "false" : "true");
	print_maps(object);
	printf("\"programs\":[");
	bpf_object__for_each_program(program, object) {
		printf("%s\n{\"name\":\"%s\",\"section\":\"%s\",\"type\":%d,\"attachType\":%d,", comma,
		       bpf_program__name(program), bpf_program__section_name(program),
		       bpf_program__type(program), bpf_program__expected_attach_type(program));
		print_insns(object, program);
		printf("}");
		comma = ",";
	}
	printf("]}\n");
	bpf_object__close(object);
	return 0;
}
