/*
 * The kernel's own XDP path, measured: live frames redirected into a veth whose peer natively
 * drops, transmits back, redirects into a second veth that drops, or passes to the stack.
 *
 * A server on stdin and stdout. After set-up it prints {"ready":true}. Each line `<scenario>
 * <packets>` is answered by one JSON line, wall nanoseconds and the packets that the kernel's
 * counters saw reach their end; what cannot be done is answered by {"error":"..."}.
 *
 *   feeder --redirect--> drop0 ~ drop1 DROP
 *   feeder --redirect--> tx0   ~ tx1   TX, back to tx0 DROP
 *   feeder --redirect--> hop0  ~ hop1  REDIRECT --> end0 ~ end1 DROP
 *   feeder --redirect--> pass0 ~ pass1 PASS, freed by the stack: no protocol takes the frame
 *   feeder --redirect--> sock0 ~ sock1 PASS, read from a UDP socket by a thread on another CPU
 *   feeder --redirect--> obj0  ~ obj1  the first object file named on the command line, which drops
 *   feeder --redirect--> lb0   ~ lb1   the second, which transmits back to lb0 DROP
 *
 * Wherever two forms are open, the one that is faster for the kernel is taken: devmap instead of
 * plain redirects, programs that count nothing (veth counts anyway), one queue, GRO off, and a
 * frame whose skb the stack frees as soon as it has found no protocol handler for it.
 *
 * Everything lies in a network namespace of this process and goes when the process ends.
 *
 * @linux bpf_test_run_xdp_live; net/bpf/test_run.c, veth_poll; drivers/net/veth.c
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "counters.h"
#include "socket.h"

#define BATCH 64
#define PACKETS_MAX 10000000
#define QUIET_NS 200000000ull /* no packet moved for this long: what is missing was lost */

#define SLOT_FEED 0 /* where the feeder sends; set before each round */
#define SLOT_END 1  /* where hop1 sends: end0 */

struct scenario {
  const char *name;
  const char *into;    /* the feeder's frames go in here */
  const char *counted; /* and come to their end here */
  const char *stat;    /* counted by this statistic of veth's single queue */
};

static const struct scenario scenarios[] = {
  { "drop", "drop0", "drop1", "rx_queue_0_xdp_drops" },
  { "tx", "tx0", "tx0", "rx_queue_0_xdp_drops" },
  { "redirect", "hop0", "end1", "rx_queue_0_xdp_drops" },
  { "pass", "pass0", "pass1", "rx_queue_0_xdp_packets" },
  { "count", "obj0", "obj1", "rx_queue_0_xdp_drops" },
  { "l4lb", "lb0", "lb0", "rx_queue_0_xdp_drops" },
};
#define SCENARIOS (sizeof(scenarios) / sizeof(scenarios[0]))

/* 64 bytes with the FCS that the NIC would have cut; 0x88b5 is IEEE's local experimental type. */
static uint8_t frame[60] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5 };

static int peers; /* devmap */
static int feeder;
static int feeder_eth; /* puts the Ethernet header back first: the kernel sends the same pages again and again */

/* Always -1. */
static int fail(const char *format, ...)
{
  va_list args;

  va_start(args, format);
  printf("{\"error\":\"");
  vprintf(format, args);
  printf("\"}\n");
  va_end(args);
  return -1;
}

static void die(const char *what)
{
  fail("%s: %s", what, strerror(errno));
  exit(1);
}

static uint64_t now_ns(void)
{
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/* Programs */

static int load(const struct bpf_insn *insns, size_t count)
{
  int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "path", "Dual MIT/GPL", insns, count, NULL);

  if (fd < 0)
    die("loading an XDP program");
  return fd;
}

static int load_verdict(int action)
{
  const struct bpf_insn insns[] = {
    { .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = action },
    { .code = BPF_JMP | BPF_EXIT },
  };

  return load(insns, sizeof(insns) / sizeof(insns[0]));
}

static int load_redirect(int slot)
{
  const struct bpf_insn insns[] = {
    { .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = BPF_REG_1, .src_reg = BPF_PSEUDO_MAP_FD,
      .imm = peers },
    { .code = 0 }, /* upper half of the 64-bit load */
    { .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = slot },
    { .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = 0 },
    { .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_map },
    { .code = BPF_JMP | BPF_EXIT },
  };

  return load(insns, sizeof(insns) / sizeof(insns[0]));
}

/* As load_redirect(SLOT_FEED), after the frame's first 14 bytes have been written anew. */
static int load_restoring_redirect(const uint8_t *eth)
{
  int32_t words[3];
  int16_t type;

  memcpy(words, eth, 12);
  memcpy(&type, eth + 12, 2);
  const struct bpf_insn insns[] = {
    { .code = BPF_LDX | BPF_W | BPF_MEM, .dst_reg = BPF_REG_2, .src_reg = BPF_REG_1, .off = 4 },
    { .code = BPF_LDX | BPF_W | BPF_MEM, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_1, .off = 0 },
    { .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_3, .src_reg = BPF_REG_1 },
    { .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_3, .imm = 14 },
    { .code = BPF_JMP | BPF_JGT | BPF_X, .dst_reg = BPF_REG_3, .src_reg = BPF_REG_2, .off = 4 },
    { .code = BPF_ST | BPF_W | BPF_MEM, .dst_reg = BPF_REG_1, .off = 0, .imm = words[0] },
    { .code = BPF_ST | BPF_W | BPF_MEM, .dst_reg = BPF_REG_1, .off = 4, .imm = words[1] },
    { .code = BPF_ST | BPF_W | BPF_MEM, .dst_reg = BPF_REG_1, .off = 8, .imm = words[2] },
    { .code = BPF_ST | BPF_H | BPF_MEM, .dst_reg = BPF_REG_1, .off = 12, .imm = type },
    { .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = BPF_REG_1, .src_reg = BPF_PSEUDO_MAP_FD,
      .imm = peers },
    { .code = 0 },
    { .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = SLOT_FEED },
    { .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = 0 },
    { .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_map },
    { .code = BPF_JMP | BPF_EXIT },
  };

  return load(insns, sizeof(insns) / sizeof(insns[0]));
}

/* The first program of an object file. */
static int load_object(const char *file)
{
  struct bpf_object *object = bpf_object__open_file(file, NULL);
  struct bpf_program *prog;

  if (!object || bpf_object__load(object) < 0)
    die(file);
  prog = bpf_object__next_program(object, NULL);
  if (!prog)
    die(file);
  return bpf_program__fd(prog);
}

static void attach(const char *device, int prog)
{
  errno = -bpf_xdp_attach((int)if_nametoindex(device), prog, XDP_FLAGS_DRV_MODE, NULL);
  if (errno)
    die(device);
}

static int point(uint32_t slot, const char *device)
{
  uint32_t ifindex = if_nametoindex(device);

  return bpf_map_update_elem(peers, &slot, &ifindex, BPF_ANY);
}

/* One round */

static int feed(int prog, const uint8_t *bytes, uint32_t packets)
{
  LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = bytes, .data_size_in = sizeof(frame),
              .repeat = (int)packets, .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);

  return bpf_prog_test_run_opts(prog, &opts);
}

/*
 * Waits until `packets` have come to their end, or no more come. Almost always they have already:
 * NAPI polls between two batches, on this CPU. When it was handed over to ksoftirqd, that thread
 * shares this CPU, and yielding lets it finish inside the timed interval.
 */
static uint64_t settle(const struct counter *c, uint64_t before, uint32_t packets, uint64_t *end_ns)
{
  uint64_t done = read_counter(c) - before;

  *end_ns = now_ns();
  while (done < packets && now_ns() - *end_ns < QUIET_NS) {
    sched_yield();
    uint64_t next = read_counter(c) - before;
    if (next != done)
      *end_ns = now_ns();
    done = next;
  }
  return done;
}

static int run_round(const struct scenario *s, uint32_t packets)
{
  struct counter c;

  if (find_counter(&c, s->counted, s->stat) < 0)
    return fail("%s has no statistic %s", s->counted, s->stat);
  if (point(SLOT_FEED, s->into) < 0)
    return fail("devmap: %s", strerror(errno));

  uint32_t dropped = core_dropped(c.device);
  uint64_t before = read_counter(&c), end_ns, start_ns = now_ns();
  int is_ip = strcmp(s->name, "count") == 0 || strcmp(s->name, "l4lb") == 0;
  if (feed(is_ip ? feeder_eth : feeder, is_ip ? socket_frame : frame, packets) < 0)
    return fail("live frames (Linux 5.18 and later): %s", strerror(errno));
  uint64_t processed = settle(&c, before, packets, &end_ns);

  /* The driver's counter says that the frame was let through, this one that the core got it. */
  uint32_t taken = core_dropped(c.device) - dropped;
  if (strcmp(s->name, "pass") == 0 && taken < processed)
    processed = taken;
  printf("{\"scenario\":\"%s\",\"packets\":%u,\"processed\":%llu,\"wallNs\":%llu}\n", s->name,
         packets, (unsigned long long)processed, (unsigned long long)(end_ns - start_ns));
  return 0;
}

/* The reader runs beside us; its count is what came to its end. */
static int run_socket_round(uint32_t packets)
{
  if (point(SLOT_FEED, "sock0") < 0)
    return fail("devmap: %s", strerror(errno));

  uint64_t before = socket_read(), done = 0, start_ns = now_ns(), end_ns = start_ns;
  if (feed(feeder, socket_frame, packets) < 0)
    return fail("live frames (Linux 5.18 and later): %s", strerror(errno));
  end_ns = now_ns();
  while ((done = socket_read() - before) < packets && now_ns() - end_ns < QUIET_NS)
    sched_yield();
  if (done == packets)
    end_ns = now_ns();
  printf("{\"scenario\":\"socket\",\"packets\":%u,\"processed\":%llu,\"wallNs\":%llu}\n", packets,
         (unsigned long long)done, (unsigned long long)(end_ns - start_ns));
  return 0;
}

/* Set-up */

/* Feeder, softirq and ksoftirqd share one CPU, the last one: the first takes most interrupts. */
static void pin_to_last_cpu(void)
{
  cpu_set_t allowed, one;
  int cpu = CPU_SETSIZE - 1;

  if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
    die("sched_getaffinity");
  while (cpu > 0 && !CPU_ISSET(cpu, &allowed))
    cpu--;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  if (sched_setaffinity(0, sizeof(one), &one) < 0)
    die("sched_setaffinity");
}

/* Without IPv6 the kernel sends nothing of its own over the pairs. */
static void silence_ipv6(void)
{
  FILE *f = fopen("/proc/sys/net/ipv6/conf/default/disable_ipv6", "w");

  if (!f)
    return;
  fputs("1", f);
  fclose(f);
}

static void make_pairs(void)
{
  static const char *const pairs[] = { "drop", "tx", "hop", "end", "pass", "sock", "obj", "lb" };
  FILE *ip = popen("ip -batch - 2>/dev/null >/dev/null", "w");

  if (!ip)
    die("popen");
  for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
    fprintf(ip,
            "link add %s0 numtxqueues 1 numrxqueues 1 type veth"
            " peer name %s1 numtxqueues 1 numrxqueues 1\n"
            "link set %s0 up\nlink set %s1 up\n",
            pairs[i], pairs[i], pairs[i], pairs[i]);
  if (pclose(ip) == 0)
    return;
  fail("ip link cannot make veth pairs (no iproute2, or no veth in this kernel)");
  exit(1);
}

/*
 * The feeder is attached too, to a device that receives nothing. An attached program already has
 * its place in the XDP dispatcher; any other is put there and taken out by each test run, and
 * that waits for RCU grace periods: several ticks a round that have nothing to do with packets.
 */
static void attach_programs(char **objects)
{
  int drop = load_verdict(XDP_DROP);

  feeder = load_redirect(SLOT_FEED);
  feeder_eth = load_restoring_redirect(socket_frame);
  attach("drop0", feeder);
  attach("obj0", feeder_eth);
  attach("obj1", load_object(objects[0]));
  attach("lb1", load_object(objects[1]));
  attach("lb0", drop);
  attach("drop1", drop);
  attach("tx1", load_verdict(XDP_TX));
  attach("tx0", drop);
  attach("hop1", load_redirect(SLOT_END));
  attach("end1", drop);
  attach("pass1", load_verdict(XDP_PASS));
  attach("sock1", load_verdict(XDP_PASS));

  /* veth turns GRO on with the first program; no frame here could be merged. */
  if (gro_off("pass1") < 0 || gro_off("sock1") < 0)
    die("turning GRO off");
}

static void set_up(char **objects)
{
  pin_to_last_cpu();
  if (unshare(CLONE_NEWNET) < 0)
    die("a network namespace of its own");
  silence_ipv6();
  make_pairs();
  if (open_counters() < 0)
    die("socket");
  peers = bpf_map_create(BPF_MAP_TYPE_DEVMAP, "peers", sizeof(uint32_t), sizeof(uint32_t), 2, NULL);
  if (peers < 0)
    die("creating a BPF map");
  if (point(SLOT_FEED, "drop0") < 0 || point(SLOT_END, "end0") < 0)
    die("devmap");
  attach_programs(objects);
  if (socket_open("sock1") < 0)
    die("a UDP socket and two CPUs");
}

static int answer(const char *line)
{
  char name[16];
  unsigned packets;

  if (sscanf(line, "%15s %u", name, &packets) != 2)
    return fail("not of the form: scenario packets");
  if (packets < 1 || packets > PACKETS_MAX)
    return fail("packets must be 1 to %u", PACKETS_MAX);
  for (size_t i = 0; i < SCENARIOS; i++)
    if (strcmp(scenarios[i].name, name) == 0)
      return run_round(&scenarios[i], packets);
  if (strcmp(name, "socket") == 0)
    return run_socket_round(packets);
  return fail("scenario must be drop, tx, redirect, pass, count, l4lb or socket");
}

int main(int argc, char **argv)
{
  char line[128];

  setvbuf(stdout, NULL, _IOLBF, 0);
  libbpf_set_print(NULL);
  if (argc != 3) {
    fail("two object files are needed");
    return 1;
  }
  set_up(argv + 1);
  printf("{\"ready\":true}\n");
  while (fgets(line, sizeof(line), stdin))
    answer(line);
  return 0;
}
