/* What the kernel counts for a device anyway, so that no measured program has to. */
#ifndef COUNTERS_H
#define COUNTERS_H

#include <stdint.h>

struct counter {
  const char *device;
  uint32_t index; /* of the statistic, among `count` */
  uint32_t count;
};

/* Opens what the others need, in the caller's network namespace. Below 0: see errno. */
int open_counters(void);

/* Finds an ethtool statistic by name. Below 0: the device has none of that name. */
int find_counter(struct counter *c, const char *device, const char *name);

uint64_t read_counter(const struct counter *c);

/* Packets that the core took from the device and freed; 32 bits that wrap. */
uint32_t core_dropped(const char *device);

/* Below 0: see errno. */
int gro_off(const char *device);

#endif
