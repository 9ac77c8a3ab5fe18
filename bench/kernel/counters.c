#include "counters.h"

#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define STATS_MAX 128

static int control = -1; /* any socket of the namespace carries the ioctl */

int open_counters(void)
{
  control = socket(AF_INET, SOCK_DGRAM, 0);
  return control;
}

static int ethtool(const char *device, void *request)
{
  struct ifreq ifr = { .ifr_data = request };

  strncpy(ifr.ifr_name, device, IFNAMSIZ - 1);
  return ioctl(control, SIOCETHTOOL, &ifr);
}

/* The kernel answers only requests that name the right number of statistics. */
static uint32_t count_stats(const char *device)
{
  struct { struct ethtool_sset_info head; uint32_t lens[1]; } info = {
    .head = { .cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ull << ETH_SS_STATS } };

  if (ethtool(device, &info) < 0 || info.lens[0] > STATS_MAX)
    return 0;
  return info.lens[0];
}

int find_counter(struct counter *c, const char *device, const char *name)
{
  struct { struct ethtool_gstrings head; char names[STATS_MAX][ETH_GSTRING_LEN]; } strings = {
    .head = { .cmd = ETHTOOL_GSTRINGS, .string_set = ETH_SS_STATS } };

  c->device = device;
  c->count = strings.head.len = count_stats(device);
  if (ethtool(device, &strings) < 0)
    return -1;
  for (c->index = 0; c->index < c->count; c->index++)
    if (strncmp(strings.names[c->index], name, ETH_GSTRING_LEN) == 0)
      return 0;
  return -1;
}

uint64_t read_counter(const struct counter *c)
{
  struct { struct ethtool_stats head; uint64_t values[STATS_MAX]; } stats = {
    .head = { .cmd = ETHTOOL_GSTATS, .n_stats = c->count } };

  return ethtool(c->device, &stats) < 0 ? 0 : stats.values[c->index];
}

uint32_t core_dropped(const char *device)
{
  struct ifaddrs *list = NULL;
  uint32_t dropped = 0;

  if (getifaddrs(&list) < 0)
    return 0;
  for (const struct ifaddrs *at = list; at; at = at->ifa_next)
    if (at->ifa_addr && at->ifa_addr->sa_family == AF_PACKET && !strcmp(at->ifa_name, device))
      dropped = ((const struct rtnl_link_stats *)at->ifa_data)->rx_dropped;
  freeifaddrs(list);
  return dropped;
}

int gro_off(const char *device)
{
  struct ethtool_value off = { .cmd = ETHTOOL_SGRO, .data = 0 };

  return ethtool(device, &off);
}
