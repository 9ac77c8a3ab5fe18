"""The kernel's side of the TAP test: what a program of its namespace says to the machine behind the TAP.

   echo4|echo6 FROM TO STEP    ICMP echo of each size, waiting for the reply
   udp FROM TO STEP            a datagram of each size to the machine's echo port 7
   serve                       answer datagrams on port 7777 until killed
"""
import os, socket, struct, sys

def ones_sum(data):
    data += b"\0" * (len(data) & 1)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total >> 16) + (total & 0xffff)
    return ~total & 0xffff

def payload(size):
    return bytes((size + i) & 0xff for i in range(size))

def retried(send, receive, what):
    for _ in range(5):
        send()
        try:
            return receive()
        except socket.timeout:
            continue
    sys.exit(f"{what}: no answer")

def echo4(size):
    head = struct.pack(">BBHHH", 8, 0, 0, 77, size)
    head = struct.pack(">BBHHH", 8, 0, ones_sum(head + payload(size)), 77, size)
    def receive():
        while True:
            packet = raw4.recv(65536)
            packet = packet[(packet[0] & 15) * 4:]
            if packet[0] == 0 and packet[4:] == head[4:] + payload(size):
                return
    retried(lambda: raw4.sendto(head + payload(size), ("10.0.0.1", 0)), receive, f"ping {size}")

def echo6(size):
    head = struct.pack(">BBHHH", 128, 0, 0, 77, size)
    def receive():
        while True:
            packet = raw6.recv(65536)
            if packet[0] == 129 and packet[4:] == head[4:] + payload(size):
                return
    retried(lambda: raw6.sendto(head + payload(size), ("fd00::1", 0)), receive, f"ping -6 {size}")

def udp_to(sock, address, size):
    def receive():
        while sock.recv(65536) != payload(size):
            pass
    retried(lambda: sock.sendto(payload(size), (address, 7)), receive, f"udp {size}")

def udp(size):
    udp_to(udp4, "10.0.0.1", size)

def udp6(size):
    udp_to(udp_over6, "fd00::1", size)

what = sys.argv[1]
if what == "serve":
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("10.0.0.10", 7777))
    print("ready", flush=True)
    while True:
        data, who = server.recvfrom(65536)
        server.sendto(data, who)
raw4 = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
raw6 = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
udp4 = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp_over6 = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
for s in (raw4, raw6, udp4, udp_over6):
    s.settimeout(1)
done = 0
first, last, step = (int(n) for n in sys.argv[2:5])
for size in sorted({*range(first, last + 1, step), last}):
    {"echo4": echo4, "echo6": echo6, "udp": udp, "udp6": udp6}[what](size)
    done += 1
print(done)
