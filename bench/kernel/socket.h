/* The kernel's own way of a datagram from a veth to a program on another CPU; see socket.c. */
#ifndef SOCKET_H
#define SOCKET_H
#include <stdint.h>

#define SOCKET_FRAME 60

/* A UDP datagram for the reader: 64 bytes with the FCS that the NIC would have cut. */
extern uint8_t socket_frame[SOCKET_FRAME];

/* Address the device, open the socket, start the reader on the first allowed CPU. -1: errno says why. */
int socket_open(const char *device);

/* Datagrams that the reader has read so far. */
uint64_t socket_read(void);

#endif
