/*
 * What the benchmark's programs cost in the kernel, and as native code.
 *
 * A server on stdin and stdout: `programs OBJECT`. After the object is loaded it prints
 * {"ready":true}. A line `kernel <program> <runs>` is answered with the kernel's own average of
 * BPF_PROG_TEST_RUN; `native <program> <runs>` with the wall time of as many calls of the same C,
 * compiled here, through a pointer that the compiler cannot see behind. The packet is given as hex
 * by a line `packet <hex>`. What cannot be done is answered by {"error":"..."}.
 *
 * @linux bpf_prog_test_run_xdp; net/bpf/test_run.c
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct packet {
  unsigned char *data;
  unsigned char *data_end;
};

#define CONTEXT struct packet
#define DATA(ctx) ((ctx)->data)
#define DATA_END(ctx) ((ctx)->data_end)
#define PROGRAM(name) static __attribute__((noinline)) int native_##name(CONTEXT *ctx)

#include "../bpf/work.h"

#define PACKET_MAX 2048

static unsigned char bytes[PACKET_MAX];
static unsigned packet_len;

static const struct {
  const char *name;
  int (*run)(struct packet *);
} natives[] = {
  { "nop", native_nop },
  { "drop", native_drop },
  { "parse", native_parse },
  { "hash", native_hash },
};

static void answer(const char *format, ...) {
  va_list args;
  va_start(args, format);
  vprintf(format, args);
  va_end(args);
  putchar('\n');
  fflush(stdout);
}

static uint64_t now_ns(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec * 1000000000ull + at.tv_nsec;
}

static void take_packet(const char *hex) {
  packet_len = 0;
  for (unsigned byte; packet_len < PACKET_MAX && sscanf(hex, "%2x", &byte) == 1; hex += 2)
    bytes[packet_len++] = byte;
  answer("{\"bytes\":%u}", packet_len);
}

static void run_kernel(struct bpf_object *object, const char *name, unsigned runs) {
  struct bpf_program *program = bpf_object__find_program_by_name(object, name);
  unsigned char out[PACKET_MAX];
  LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = bytes, .data_size_in = packet_len,
              .data_out = out, .data_size_out = sizeof(out), .repeat = runs);
  if (!program)
    return answer("{\"error\":\"no program %s\"}", name);
  if (bpf_prog_test_run_opts(bpf_program__fd(program), &opts))
    return answer("{\"error\":\"%s: %s\"}", name, strerror(errno));
  answer("{\"ns\":%u,\"retval\":%u}", opts.duration, opts.retval);
}

static void run_native(const char *name, unsigned runs) {
  struct packet packet = { bytes, bytes + packet_len };
  int retval = 0;
  for (size_t i = 0; i < sizeof(natives) / sizeof(natives[0]); i++) {
    if (strcmp(natives[i].name, name))
      continue;
    int (*volatile run)(struct packet *) = natives[i].run;
    uint64_t start = now_ns();
    for (unsigned n = 0; n < runs; n++) {
      retval = run(&packet);
      __asm__ volatile("" ::: "memory");
    }
    return answer("{\"ns\":%f,\"retval\":%d}", (double)(now_ns() - start) / runs, retval);
  }
  answer("{\"error\":\"no program %s\"}", name);
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args) {
  return 0;
}

int main(int argc, char **argv) {
  static char line[2 * PACKET_MAX + 64];
  char side[16], name[32];
  unsigned runs;
  libbpf_set_print(quiet);
  struct bpf_object *object = argc == 2 ? bpf_object__open_file(argv[1], NULL) : NULL;
  if (!object || bpf_object__load(object)) {
    answer("{\"error\":\"the object does not load: %s\"}", strerror(errno));
    return 1;
  }
  answer("{\"ready\":true}");
  while (fgets(line, sizeof(line), stdin)) {
    line[strcspn(line, "\n")] = 0;
    if (!strncmp(line, "packet ", 7))
      take_packet(line + 7);
    else if (sscanf(line, "%15s %31s %u", side, name, &runs) != 3 || runs == 0)
      answer("{\"error\":\"not a command: %.40s\"}", line);
    else if (!strcmp(side, "kernel"))
      run_kernel(object, name, runs);
    else
      run_native(name, runs);
  }
  return 0;
}
