/*
 * The running kernel's verifier as judge of the programs of an object: each is loaded by itself, as type
 * XDP, whatever its section says.
 *
 *   cc -O2 -o objverify objverify.c -lbpf && ./objverify OBJECT.o [LOG_LEVEL]
 *
 * One line of JSON a program: {"name","errno","log"}; errno 0 means it was accepted.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PROGRAMS 256
#define MAX_NAME 128

static char log_buf[64 << 20];

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return getenv("LOUD") ? vfprintf(stderr, format, args) : 0;
}

static struct bpf_object *opened(const char *file)
{
	struct bpf_object *object = bpf_object__open_file(file, NULL);

	if (object)
		return object;
	perror(file);
	exit(1);
}

static void print_text(const char *text)
{
	for (putchar('"'); *text; text++) {
		unsigned char c = *text;

		if (c < ' ' || c == '"' || c == '\\' || c > '~')
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void judge(const char *file, const char *name, int log_level)
{
	struct bpf_object *object = opened(file);
	struct bpf_program *program;
	int error;

	log_buf[0] = '\0';
	bpf_object__for_each_program(program, object) {
		int wanted = strcmp(bpf_program__name(program), name) == 0;

		bpf_program__set_autoload(program, wanted);
		if (!wanted)
			continue;
		bpf_program__set_type(program, BPF_PROG_TYPE_XDP);
		bpf_program__set_expected_attach_type(program, 0);
		bpf_program__set_log_level(program, log_level);
		bpf_program__set_log_buf(program, log_buf, sizeof(log_buf));
	}
	error = bpf_object__load(object);
	printf("{\"name\":");
	print_text(name);
	printf(",\"errno\":%d,\"log\":", -error);
	print_text(log_buf);
	printf("}\n");
	bpf_object__close(object);
}

int main(int argc, char **argv)
{
	static char names[MAX_PROGRAMS][MAX_NAME];
	struct bpf_object *object;
	struct bpf_program *program;
	int count = 0;

	libbpf_set_print(quiet);
	object = opened(argv[1]);
	bpf_object__for_each_program(program, object) {
		if (count < MAX_PROGRAMS)
			snprintf(names[count++], MAX_NAME, "%s", bpf_program__name(program));
	}
	bpf_object__close(object);
	for (int i = 0; i < count; i++)
		judge(argv[1], names[i], argc > 2 ? atoi(argv[2]) : 1);
	return 0;
}
