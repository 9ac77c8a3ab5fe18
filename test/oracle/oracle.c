/*
 * The running kernel as judge of raw eBPF instructions, over bpf(2) alone.
 *
 * Reads cases as lines of words from standard input and answers each with one line of JSON. Numbers
 * are decimal, bytes are hex ("-" for none). A case:
 *
 *   case NAME
 *   btf HEX                                                  .BTF section, optional
 *   map TYPE KEYSIZE VALUESIZE MAXENTRIES FLAGS INNER EXTRA KEYTYPE VALUETYPE
 *                                                            INNER: number of an earlier map, or -1;
 *                                                            the last two are BTF type ids, or 0
 *   value MAP KEYHEX VALUEHEX                                user space's update; a value of "@N" is map N
 *   freeze MAP
 *   insns HEX                                                ld_imm64 of maps carry the map's number
 *   funcs HEX | lines HEX                                    func_info (8 bytes each), line_info (16)
 *   load TYPE ATTACH FLAGS LOGLEVEL CAPS LICENSE             CAPS: all, noperfmon or none
 *   tail MAP KEYHEX                                          put the program into a prog_array
 *   run REPEAT DATAHEX                                       BPF_PROG_TEST_RUN
 *   dump MAP KEYHEX                                          user space's look-up
 *   end
 *
 * The answer: {"name","mapErrno":[...],"errno","log","runs":[{"errno","retval","ns","data"}],"dumps":[...]}
 * errno 0 means the program was accepted. The first line names the kernel.
 *
 *   cc -O2 -o oracle oracle.c
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#define MAX_MAPS 64
#define MAX_ANSWERS 64
#define LOG_BYTES (64u << 20)

struct bytes {
	uint8_t *at;
	uint32_t len;
};

struct run {
	int err;
	uint32_t retval, ns;
	struct bytes out;
};

/* Everything one case holds; freed at its end. */
struct work {
	char name[256];
	struct bytes btf, insns, funcs, lines;
	int btf_fd, prog_fd, load_errno;
	int maps[MAX_MAPS], map_errno[MAX_MAPS], map_value_size[MAX_MAPS], n_maps;
	struct run runs[MAX_ANSWERS];
	struct run dumps[MAX_ANSWERS];
	int n_runs, n_dumps;
};

static char *log_buf;

static int bpf(int cmd, union bpf_attr *attr)
{
	int ret = (int)syscall(__NR_bpf, cmd, attr, sizeof(*attr));
	return ret < 0 ? -errno : ret;
}

static void fail(const char *what, const char *detail)
{
	fprintf(stderr, "oracle: %s: %s\n", what, detail);
	exit(2);
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9') return c - '0';
	if (c >= 'a' && c <= 'f') return c - 'a' + 10;
	fail("not a hex digit", (char[]){ c, 0 });
	return 0;
}

static struct bytes from_hex(const char *text)
{
	struct bytes b = { NULL, 0 };
	if (text == NULL || strcmp(text, "-") == 0) return b;
	b.len = strlen(text) / 2;
	b.at = malloc(b.len + 8);
	for (uint32_t i = 0; i < b.len; i++)
		b.at[i] = (uint8_t)(nibble(text[2 * i]) << 4 | nibble(text[2 * i + 1]));
	return b;
}

static void put_hex(struct bytes b)
{
	putchar('"');
	for (uint32_t i = 0; i < b.len; i++) printf("%02x", b.at[i]);
	putchar('"');
}

static void put_text(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c == '"' || c == '\\') printf("\\%c", c);
		else if (c == '\n') printf("\\n");
		else if (c < 0x20 || c > 0x7e) printf("\\u%04x", c);
		else putchar(c);
	}
	putchar('"');
}

static char *word(void)
{
	char *w = strtok(NULL, " \n");
	if (w == NULL) fail("a word is missing", "at the end of a line");
	return w;
}

static long number(void)
{
	return strtol(word(), NULL, 10);
}

static int map_at(struct work *w)
{
	long n = number();
	if (n < 0 || n >= w->n_maps) fail("no such map in case", w->name);
	return (int)n;
}

static void make_map(struct work *w)
{
	union bpf_attr attr;
	if (w->n_maps == MAX_MAPS) fail("too many maps in case", w->name);
	memset(&attr, 0, sizeof(attr));
	attr.map_type = (uint32_t)number();
	attr.key_size = (uint32_t)number();
	attr.value_size = (uint32_t)number();
	attr.max_entries = (uint32_t)number();
	attr.map_flags = (uint32_t)number();
	long inner = number();
	if (inner >= 0) attr.inner_map_fd = (uint32_t)w->maps[inner];
	attr.map_extra = (uint64_t)number();
	attr.btf_key_type_id = (uint32_t)number();
	attr.btf_value_type_id = (uint32_t)number();
	if (attr.btf_key_type_id || attr.btf_value_type_id) attr.btf_fd = (uint32_t)w->btf_fd;
	w->map_value_size[w->n_maps] = (int)attr.value_size;
	int fd = bpf(BPF_MAP_CREATE, &attr);
	w->map_errno[w->n_maps] = fd < 0 ? -fd : 0;
	w->maps[w->n_maps++] = fd;
}

static void load_btf(struct work *w)
{
	union bpf_attr attr;
	w->btf = from_hex(word());
	memset(&attr, 0, sizeof(attr));
	attr.btf = (uint64_t)(uintptr_t)w->btf.at;
	attr.btf_size = w->btf.len;
	attr.btf_log_buf = (uint64_t)(uintptr_t)log_buf;
	attr.btf_log_size = 1 << 16;
	attr.btf_log_level = 1;
	w->btf_fd = bpf(BPF_BTF_LOAD, &attr);
	if (w->btf_fd < 0) fprintf(stderr, "oracle: case %s: BTF refused: %s\n", w->name, log_buf);
}

static void update(struct work *w)
{
	int map = map_at(w);
	struct bytes key = from_hex(word());
	char *text = word();
	struct bytes value;
	uint32_t fd = 0;
	if (text[0] == '@') {
		fd = (uint32_t)w->maps[atoi(text + 1)];
		value = (struct bytes){ (uint8_t *)&fd, 4 };
	} else {
		value = from_hex(text);
	}
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)w->maps[map];
	attr.key = (uint64_t)(uintptr_t)key.at;
	attr.value = (uint64_t)(uintptr_t)value.at;
	int err = bpf(BPF_MAP_UPDATE_ELEM, &attr);
	if (err) fprintf(stderr, "oracle: case %s: update refused: %d\n", w->name, -err);
	free(key.at);
	if (text[0] != '@') free(value.at);
}

static void tail(struct work *w)
{
	int map = map_at(w);
	struct bytes key = from_hex(word());
	uint32_t fd = (uint32_t)w->prog_fd;
	if (w->prog_fd < 0) return;
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)w->maps[map];
	attr.key = (uint64_t)(uintptr_t)key.at;
	attr.value = (uint64_t)(uintptr_t)&fd;
	bpf(BPF_MAP_UPDATE_ELEM, &attr);
	free(key.at);
}

static void freeze(struct work *w)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)w->maps[map_at(w)];
	bpf(BPF_MAP_FREEZE, &attr);
}

/* Map numbers in ld_imm64 become descriptors. */
static void place_maps(struct work *w)
{
	struct bpf_insn *insns = (struct bpf_insn *)w->insns.at;
	uint32_t n = w->insns.len / sizeof(*insns);
	for (uint32_t i = 0; i < n; i++) {
		if (insns[i].code != (BPF_LD | BPF_IMM | BPF_DW)) continue;
		int src = insns[i].src_reg;
		if (src != BPF_PSEUDO_MAP_FD && src != BPF_PSEUDO_MAP_VALUE) continue;
		if (insns[i].imm >= 0 && insns[i].imm < w->n_maps) insns[i].imm = w->maps[insns[i].imm];
	}
}

/* Keep only the capabilities a case asks for; the permitted set lets us take them back. */
static void set_caps(const char *which)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];
	if (syscall(SYS_capget, &head, data)) fail("capget", strerror(errno));
	data[0].effective = data[0].permitted;
	data[1].effective = data[1].permitted;
	if (strcmp(which, "all") != 0) {
		data[0].effective &= ~(1u << CAP_SYS_ADMIN);
		data[1].effective &= ~(1u << (CAP_PERFMON - 32));
		if (strcmp(which, "none") == 0) {
			data[0].effective &= ~(1u << CAP_NET_ADMIN);
			data[1].effective &= ~(1u << (CAP_BPF - 32));
		}
	}
	if (syscall(SYS_capset, &head, data)) fail("capset", strerror(errno));
}

static void load(struct work *w)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = (uint32_t)number();
	attr.expected_attach_type = (uint32_t)number();
	attr.prog_flags = (uint32_t)number();
	attr.log_level = (uint32_t)number();
	char *caps = word();
	attr.license = (uint64_t)(uintptr_t)word();
	place_maps(w);
	attr.insns = (uint64_t)(uintptr_t)w->insns.at;
	attr.insn_cnt = w->insns.len / 8;
	log_buf[0] = 0;
	if (attr.log_level) {
		attr.log_buf = (uint64_t)(uintptr_t)log_buf;
		attr.log_size = LOG_BYTES;
	}
	memcpy(attr.prog_name, "oracle", 7);
	if (w->funcs.len || w->lines.len) {
		attr.prog_btf_fd = (uint32_t)w->btf_fd;
		attr.func_info_rec_size = 8;
		attr.func_info = (uint64_t)(uintptr_t)w->funcs.at;
		attr.func_info_cnt = w->funcs.len / 8;
		attr.line_info_rec_size = 16;
		attr.line_info = (uint64_t)(uintptr_t)w->lines.at;
		attr.line_info_cnt = w->lines.len / 16;
	}
	set_caps(caps);
	w->prog_fd = bpf(BPF_PROG_LOAD, &attr);
	set_caps("all");
	w->load_errno = w->prog_fd < 0 ? -w->prog_fd : 0;
}

static void test_run(struct work *w)
{
	if (w->n_runs == MAX_ANSWERS) fail("too many runs in case", w->name);
	struct run *r = &w->runs[w->n_runs];
	uint32_t repeat = (uint32_t)number();
	struct bytes data = from_hex(word());
	if (w->prog_fd < 0) return;
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	r->out = (struct bytes){ malloc(1 << 16), 1 << 16 };
	attr.test.prog_fd = (uint32_t)w->prog_fd;
	attr.test.repeat = repeat;
	attr.test.data_in = (uint64_t)(uintptr_t)data.at;
	attr.test.data_size_in = data.len;
	attr.test.data_out = (uint64_t)(uintptr_t)r->out.at;
	attr.test.data_size_out = r->out.len;
	int ret = bpf(BPF_PROG_TEST_RUN, &attr);
	r->err = ret < 0 ? -ret : 0;
	r->retval = attr.test.retval;
	r->ns = attr.test.duration;
	r->out.len = ret < 0 ? 0 : attr.test.data_size_out;
	w->n_runs++;
	free(data.at);
}

static void dump(struct work *w)
{
	if (w->n_dumps == MAX_ANSWERS) fail("too many dumps in case", w->name);
	struct run *r = &w->dumps[w->n_dumps++];
	int map = map_at(w);
	struct bytes key = from_hex(word());
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	r->out = (struct bytes){ calloc(1, 1 << 20), (uint32_t)w->map_value_size[map] };
	attr.map_fd = (uint32_t)w->maps[map];
	attr.key = (uint64_t)(uintptr_t)key.at;
	attr.value = (uint64_t)(uintptr_t)r->out.at;
	int ret = bpf(BPF_MAP_LOOKUP_ELEM, &attr);
	r->err = ret < 0 ? -ret : 0;
	if (ret < 0) r->out.len = 0;
	free(key.at);
}

static void answer(struct work *w)
{
	printf("{\"name\":");
	put_text(w->name);
	printf(",\"mapErrno\":[");
	for (int i = 0; i < w->n_maps; i++) printf("%s%d", i ? "," : "", w->map_errno[i]);
	printf("],\"errno\":%d,\"log\":", w->load_errno);
	put_text(log_buf);
	printf(",\"runs\":[");
	for (int i = 0; i < w->n_runs; i++) {
		struct run *r = &w->runs[i];
		printf("%s{\"errno\":%d,\"retval\":%u,\"ns\":%u,\"data\":", i ? "," : "", r->err, r->retval, r->ns);
		put_hex(r->out);
		putchar('}');
	}
	printf("],\"dumps\":[");
	for (int i = 0; i < w->n_dumps; i++) {
		printf("%s", i ? "," : "");
		put_hex(w->dumps[i].out);
	}
	printf("]}\n");
	fflush(stdout);
}

static void finish(struct work *w)
{
	for (int i = 0; i < w->n_maps; i++)
		if (w->maps[i] >= 0) close(w->maps[i]);
	if (w->prog_fd >= 0) close(w->prog_fd);
	if (w->btf_fd >= 0) close(w->btf_fd);
	for (int i = 0; i < w->n_runs; i++) free(w->runs[i].out.at);
	for (int i = 0; i < w->n_dumps; i++) free(w->dumps[i].out.at);
	free(w->btf.at);
	free(w->insns.at);
	free(w->funcs.at);
	free(w->lines.at);
}

static void begin(struct work *w)
{
	memset(w, 0, sizeof(*w));
	w->btf_fd = w->prog_fd = -1;
	log_buf[0] = 0;
	snprintf(w->name, sizeof(w->name), "%s", word());
}

int main(void)
{
	static struct work w;
	char *line = NULL;
	size_t room = 0;
	struct utsname name;
	log_buf = malloc(LOG_BYTES);
	w.btf_fd = w.prog_fd = -1;
	uname(&name);
	printf("{\"kernel\":\"%.*s\"}\n", (int)strcspn(name.release, "-"), name.release);
	while (getline(&line, &room, stdin) > 0) {
		char *verb = strtok(line, " \n");
		if (verb == NULL) continue;
		if (strcmp(verb, "case") == 0) begin(&w);
		else if (strcmp(verb, "btf") == 0) load_btf(&w);
		else if (strcmp(verb, "map") == 0) make_map(&w);
		else if (strcmp(verb, "value") == 0) update(&w);
		else if (strcmp(verb, "freeze") == 0) freeze(&w);
		else if (strcmp(verb, "insns") == 0) w.insns = from_hex(word());
		else if (strcmp(verb, "funcs") == 0) w.funcs = from_hex(word());
		else if (strcmp(verb, "lines") == 0) w.lines = from_hex(word());
		else if (strcmp(verb, "load") == 0) load(&w);
		else if (strcmp(verb, "tail") == 0) tail(&w);
		else if (strcmp(verb, "run") == 0) test_run(&w);
		else if (strcmp(verb, "dump") == 0) dump(&w);
		else if (strcmp(verb, "end") == 0) { answer(&w); finish(&w); }
		else fail("unknown word", verb);
	}
	free(line);
	free(log_buf);
	return 0;
}
