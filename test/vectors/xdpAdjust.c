/*
 * Asks the running kernel about bpf_xdp_adjust_head, _tail and _meta, and prints JSON vectors:
 * each case is a packet length and a list of [op, delta, errno, length after, metadata after].
 *
 *   clang -O2 -g -target bpf -c xdpAdjust.bpf.c -o xdpAdjust.bpf.o
 *   cc xdpAdjust.c -lbpf -o xdpAdjust && sudo ./xdpAdjust > xdpAdjust.json
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#define STEPS 24

struct step {
	int op, delta, err, len, metalen;
};

struct bss {
	struct step steps[STEPS];
	int count;
};

static unsigned int seed = 12345;

static int below(int n)
{
	seed = seed * 1103515245u + 12345u;
	return (int)((seed >> 16) % (unsigned int)n);
}

static int delta(int op)
{
	static const int edges[] = { 0, -216, -217, -256, -252, 46, 47, -46, -47,
				     0x7fffffff, -0x7fffffff - 1, 3460, 3461 };
	switch (below(5)) {
	case 0:
		return edges[below(sizeof(edges) / sizeof(edges[0]))];
	case 1:
		return below(8192) - 4096;
	case 2:
		return 4 * (below(60) - 30);
	default:
		return op == 2 ? 4 * (below(20) - 12) : below(160) - 80;
	}
}

int main(void)
{
	struct bpf_object *obj = bpf_object__open_file("xdpAdjust.bpf.o", NULL);
	if (!obj || bpf_object__load(obj)) return 1;
	int prog = bpf_program__fd(bpf_object__find_program_by_name(obj, "adjust"));
	int map = bpf_map__fd(bpf_object__find_map_by_name(obj, ".bss"));
	static const int lens[] = { 14, 15, 60, 64, 128, 1514, 3000, 3520 };
	struct utsname name;
	uname(&name);
	printf("{\"kernel\":\"%.*s\",\"cases\":[", (int)strcspn(name.release, "-"), name.release);
	for (int c = 0; c < 240; c++) {
		unsigned char in[4096] = { 0 }, out[4096];
		struct bss bss = { .count = 4 + below(8) };
		int key = 0, len = lens[c % 8];
		for (int i = 0; i < bss.count; i++) {
			bss.steps[i].op = below(3);
			bss.steps[i].delta = delta(bss.steps[i].op);
		}
		if (bpf_map_update_elem(map, &key, &bss, 0)) return 2;
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in, .data_size_in = len,
			    .data_out = out, .data_size_out = sizeof(out));
		if (bpf_prog_test_run_opts(prog, &opts)) return 3;
		if (bpf_map_lookup_elem(map, &key, &bss)) return 4;
		printf("%s\n{\"len\":%d,\"steps\":[", c ? "," : "", len);
		for (int i = 0; i < bss.count; i++) {
			struct step *s = &bss.steps[i];
			printf("%s[%d,%d,%d,%d,%d]", i ? "," : "", s->op, s->delta, s->err,
			       s->len, s->metalen);
		}
		printf("]}");
	}
	printf("\n]}\n");
	return 0;
}
