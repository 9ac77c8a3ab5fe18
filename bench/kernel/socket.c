/*
 * The reader behind the scenario `socket`: a UDP socket, drained by a thread on a CPU of its own
 * with recvmmsg, 32 datagrams a call, as our own sink is. Its buffer holds a whole round, so that
 * nothing is lost when the two CPUs are not equally quick.
 */
#define _GNU_SOURCE
#include "socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 32
#define PORT 9
#define RCVBUF (1 << 29)

uint8_t socket_frame[SOCKET_FRAME] = {
  2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0,                            /* Ethernet */
  0x45, 0, 0, 46, 0, 0, 0x40, 0, 64, 17, 0, 0, 10, 77, 0, 2, 10, 77, 0, 1, /* IPv4, checksum below */
  0xc0, 0, 0, PORT, 0, 26, 0, 0,                                       /* UDP, none */
};

static int fd;
static _Atomic uint64_t datagrams;

static void ip_checksum(void)
{
  uint32_t sum = 0;

  for (int i = 14; i < 34; i += 2)
    sum += (uint32_t)(socket_frame[i] << 8 | socket_frame[i + 1]);
  sum = (sum >> 16) + (sum & 0xffff);
  sum = ~((sum >> 16) + sum) & 0xffff;
  socket_frame[24] = (uint8_t)(sum >> 8);
  socket_frame[25] = (uint8_t)sum;
}

static void *drain(void *unused)
{
  static char bytes[BATCH][64];
  struct mmsghdr messages[BATCH];
  struct iovec pieces[BATCH];

  (void)unused;
  memset(messages, 0, sizeof(messages));
  for (int i = 0; i < BATCH; i++) {
    pieces[i] = (struct iovec){ .iov_base = bytes[i], .iov_len = sizeof(bytes[i]) };
    messages[i].msg_hdr.msg_iov = &pieces[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  for (;;) {
    int n = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
    if (n > 0)
      datagrams += (uint64_t)n;
    else if (errno != EINTR)
      return NULL;
  }
}

/* On the first CPU; the feeder has the last. */
static int start_reader(void)
{
  pthread_attr_t attr;
  pthread_t thread;
  cpu_set_t first;
  long cpus = sysconf(_SC_NPROCESSORS_ONLN);

  if (cpus < 2)
    return errno = ENODEV, -1;
  CPU_ZERO(&first);
  CPU_SET(0, &first);
  pthread_attr_init(&attr);
  pthread_attr_setaffinity_np(&attr, sizeof(first), &first);
  errno = pthread_create(&thread, &attr, drain, NULL);
  return errno ? -1 : 0;
}

int socket_open(const char *device)
{
  struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(PORT) };
  int size = RCVBUF;
  char command[160];

  snprintf(command, sizeof(command),
           "ip link set %s address 02:00:00:00:00:01 && ip addr add 10.77.0.1/24 dev %s", device,
           device);
  if (system(command) != 0)
    return errno = ENODEV, -1;
  ip_checksum();
  fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0 ||
      bind(fd, (struct sockaddr *)&here, sizeof(here)) < 0)
    return -1;
  return start_reader();
}

uint64_t socket_read(void)
{
  return datagrams;
}
