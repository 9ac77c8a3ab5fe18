/*
 * A TAP device in the network namespace this runs in, its frames over standard input and output, each
 * behind its length in two bytes, network order. Ends when standard input does.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LONGEST = 65535 };
static unsigned char frame[LONGEST + 2];

static int read_all(int fd, unsigned char *to, size_t len)
{
	size_t have = 0;
	while (have < len) {
		ssize_t n = read(fd, to + have, len - have);
		if (n <= 0)
			return -1;
		have += n;
	}
	return 0;
}

static int to_tap(int tap)
{
	uint16_t len;
	if (read_all(0, (unsigned char *)&len, 2) != 0 || read_all(0, frame, ntohs(len)) != 0)
		return -1;
	return write(tap, frame, ntohs(len)) < 0 ? -1 : 0;
}

static int from_tap(int tap)
{
	ssize_t len = read(tap, frame + 2, LONGEST);
	if (len <= 0)
		return -1;
	uint16_t head = htons(len);
	memcpy(frame, &head, 2);
	return write(1, frame, len + 2) == len + 2 ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int tap = open("/dev/net/tun", O_RDWR);
	if (argc != 2 || tap < 0)
		return perror("/dev/net/tun"), 1;
	strncpy(request.ifr_name, argv[1], IFNAMSIZ - 1);
	if (ioctl(tap, TUNSETIFF, &request) != 0)
		return perror("TUNSETIFF"), 1;
	struct pollfd both[2] = { { .fd = 0, .events = POLLIN }, { .fd = tap, .events = POLLIN } };
	for (;;) {
		if (poll(both, 2, -1) < 0)
			return perror("poll"), 1;
		if ((both[0].revents & (POLLIN | POLLHUP)) != 0 && to_tap(tap) != 0)
			return 0;
		if ((both[1].revents & POLLIN) != 0 && from_tap(tap) != 0)
			return perror("tap"), 1;
	}
}
