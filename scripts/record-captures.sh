#!/usr/bin/env bash
# Records examples/captures/ anew: real programs talk over a veth pair between two network namespaces,
# and tcpdump writes down what one end sees. Needs root, iproute2, ethtool, tcpdump, ping, curl, python3.
# Offloads are off, so that frames look as they would on a wire: whole, and with their checksums.
#
#   sudo scripts/record-captures.sh [DIRECTORY]
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-examples/captures}
mkdir -p "$out" && out=$(cd "$out" && pwd)
a=ringscope-a$$ b=ringscope-b$$
work=$(mktemp -d)

cleanup() {
  for pid in $(jobs -p); do kill "$pid" 2>/dev/null || true; done
  ip netns del $a 2>/dev/null || true
  ip netns del $b 2>/dev/null || true
  rm -rf "$work" "/etc/netns/$a"
}
trap cleanup EXIT

in_a() { ip netns exec $a "$@"; }
in_b() { ip netns exec $b "$@"; }

ip netns add $a && ip netns add $b
ip -n $a link add eth0 address 02:00:00:00:00:0a type veth peer name eth0 address 02:00:00:00:00:01 netns $b
for ns in $a $b; do
  ip netns exec $ns ethtool -K eth0 tx off rx off tso off gso off gro off >/dev/null 2>&1
  ip netns exec $ns sysctl -qw net.ipv6.conf.eth0.accept_dad=0 net.ipv6.conf.eth0.router_solicitations=0
  ip -n $ns link set lo up && ip -n $ns link set eth0 up
done
ip -n $a addr add 10.0.0.10/24 dev eth0 && ip -n $a addr add fd00::a/64 dev eth0 nodad
ip -n $b addr add 10.0.0.1/24 dev eth0 && ip -n $b addr add fd00::1/64 dev eth0 nodad

# record NAME COMMAND...: COMMAND runs in the first namespace while its link is written down.
record() {
  local name=$1 pid
  shift
  ip -n $a neigh flush all && ip -n $b neigh flush all
  ip netns exec $a tcpdump -Z root -i eth0 --immediate-mode -U -w "$work/$name.pcap" 2>"$work/tcpdump.log" &
  pid=$!
  timeout 10 bash -c "until grep -q 'listening on' '$work/tcpdump.log'; do sleep 0.05; done"
  "$@" >/dev/null || echo "$name: $*: exit $?" >&2
  sleep 0.3
  kill -INT $pid && wait $pid || true
  mv "$work/$name.pcap" "$out/$name.pcap"
}

ping_sizes() {
  for size in 0 1 56 512 1472; do in_a ping -q -c 1 -s $size 10.0.0.1; done
  in_a ping -q -c 1 -b 10.0.0.255 2>/dev/null || true
}
record ping ping_sizes

ping6_sizes() { for size in 1 56 1452; do in_a ping -6 -q -c 1 -s $size fd00::1; done; }
record ipv6 ping6_sizes

fragments() {
  in_a ping -q -c 1 -s 4000 10.0.0.1
  in_a ping -6 -q -c 1 -s 4000 fd00::1
}
record fragments fragments

# DNS: the C library asks; a server of twenty lines answers with an A and an AAAA record.
cat >"$work/dns.py" <<'PY'
import socket, struct
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("10.0.0.1", 53))
while True:
    query, who = server.recvfrom(512)
    end = query.index(b"\0", 12) + 5
    kind = struct.unpack(">H", query[end - 4:end - 2])[0]
    data = {1: socket.inet_aton("10.0.0.1"), 28: socket.inet_pton(socket.AF_INET6, "fd00::1")}.get(kind)
    head = query[:2] + struct.pack(">HHHHH", 0x8580, 1, 1 if data else 0, 0, 0)
    answer = b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data if data else b""
    server.sendto(head + query[12:end] + answer, who)
PY
mkdir -p "/etc/netns/$a" && echo 'nameserver 10.0.0.1' >"/etc/netns/$a/resolv.conf"
ip netns exec $b python3 "$work/dns.py" &
listening() { timeout 20 bash -c "until ip netns exec $b ss -Hln '$1' | grep -q .; do sleep 0.1; done"; }
listening 'sport = :53'
lookups() { for host in www.example.test mail.example.test; do in_a getent ahosts $host; done; }
record dns lookups

# HTTP: curl fetches a page twice over one connection, and one that is not there.
mkdir "$work/www" && printf '<html><body>%s</body></html>\n' "$(seq -s ' ' 1 300)" >"$work/www/index.html"
ip netns exec $b python3 -m http.server --protocol HTTP/1.1 --directory "$work/www" 80 >/dev/null 2>&1 &
listening 'sport = :80'
fetch() { in_a curl -s http://10.0.0.1/ http://10.0.0.1/index.html http://10.0.0.1/nothing; }
record http fetch

# A bulk transfer over TCP, 48 KiB one way.
bulk() { in_a curl -s -o /dev/null http://10.0.0.1/bulk; }
head -c 49152 /dev/zero | tr '\0' 'r' >"$work/www/bulk"
record bulk-tcp bulk

# VLAN 7 with priority 3, and VLAN 9 inside an 802.1ad tag 100. Not every kernel has VLAN devices, so a
# bridge of thirty lines stands between a TAP device and the link: it puts the tags on and takes them off.
cat >"$work/tags.py" <<'PY'
import fcntl, os, select, socket, struct, sys
name, tags = sys.argv[1], bytes.fromhex(sys.argv[2])
tap = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tap, 0x400454CA, struct.pack("16sH22x", name.encode(), 0x1002))  # TUNSETIFF: IFF_TAP | IFF_NO_PI
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
link.bind(("eth0", 0))
link.setsockopt(263, 8, 1)  # SOL_PACKET, PACKET_AUXDATA: the kernel takes the outer tag off
while True:
    for ready in select.select([tap, link], [], [])[0]:
        if ready is tap:
            frame = os.read(tap, 2048)
            link.send(frame[:12] + tags + frame[12:])
            continue
        frame, extra, _, (_, _, kind, *_) = link.recvmsg(2048, 64)
        status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", extra[0][2][:20])
        outer = struct.pack(">HH", tpid, tci) if status & 16 else b""
        frame = frame[:12] + outer + frame[12:]
        if kind != socket.PACKET_OUTGOING and frame[12:12 + len(tags)][2:] == tags[2:]:
            os.write(tap, frame[:12] + frame[12 + len(tags):])
PY
# tagged NAME TAGS NETWORK: a TAP in each namespace, its frames tagged on the link between them.
tagged() {
  local name=$1 tags=$2 network=$3 host=1
  for ns in $b $a; do
    ip netns exec $ns python3 "$work/tags.py" "$name" "$tags" &
    timeout 10 bash -c "until ip -n $ns link show $name >/dev/null 2>&1; do sleep 0.05; done"
    ip netns exec $ns sysctl -qw "net/ipv6/conf/$name/disable_ipv6=1"
    ip -n $ns addr add "$network.$host/24" dev "$name" && ip -n $ns link set "$name" up
    host=10
  done
}
tagged tap7 81006007 10.0.7
tagged tap9 88a8006481000009 10.0.9
ping_tagged() {
  in_a ping -q -c 2 10.0.7.1
  in_a ping -q -c 2 -s 300 10.0.9.1
}
record vlan ping_tagged

ls -l "$out"
