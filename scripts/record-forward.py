#!/usr/bin/env python3
"""Records what the running kernel does, as a router, with each frame of test/machine/forwardCases.ts.

A network namespace of its own has two veths with the addresses of the tests' machine, and forwards.
Each frame is sent in at eth0; what comes out of either, why it was dropped and which counters moved
is the answer. Then once more with examples/bpf/router.o on eth0, as generic XDP. Those of
test/machine/rpFilterCases.ts are judged with each reverse path filter. Needs root, iproute2, ethtool and
tracefs. Writes forward.json, forwardXdp.json and rpFilter.json to test/vectors; of them, with
arguments, those alone that are named.
"""
import json
import os
import re
import select
import socket
import subprocess
import sys
import time

PID = os.getpid() % 10000
NS, OUTER = f"rsfwd{PID}", (f"rsfa{PID}", f"rsfb{PID}")
TRACE = f"/sys/kernel/tracing/instances/{NS}"
PRINT = """import('./test/machine/forwardCases.ts').then((cases) => {
  const hex = (frame) => Buffer.from(frame).toString('hex');
  const frames = Object.entries(cases.FORWARD_CASES).map(([n, f]) => [n, [hex(f)]]);
  const series = Object.entries(cases.FORWARD_SERIES).map(([n, l]) => ['series: ' + n, l.map(hex)]);
  process.stdout.write(JSON.stringify([cases.ROUTES, cases.NEIGHBOURS, [...frames, ...series]]));
});"""
RP_PRINT = """import('./test/machine/rpFilterCases.ts').then((cases) => {
  const all = { ...cases.RP_FILTER_CASES, ...cases.RP_FILTER_QUESTIONS };
  const frames = Object.entries(all).map(([n, f]) => [n, Buffer.from(f).toString('hex')]);
  process.stdout.write(JSON.stringify(frames));
});"""
GROUPS = ("Ip", "Icmp", "IpExt", "TcpExt")
LEFT_OUT = re.compile(r"Octets|ECTPkts|CEPkts")
UNANSWERED = "a neighbour who does not answer"


def sh(command, check=True):
    return subprocess.run(command.split(), check=check, capture_output=True, text=True).stdout


def inside(command, check=True):
    return sh(f"ip netns exec {NS} {command}", check)


def build(routes, neighbours):
    sysctl = ["net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1"]
    sysctl += [f"net.ipv4.conf.{scope}.rp_filter=0" for scope in ("all", "default")]
    inside("sysctl -q -w " + " ".join(sysctl))
    for i, outer in enumerate(OUTER):
        mtu = 3000 if i == 0 else 1500
        sh(f"ip link add {outer} mtu {mtu} type veth peer name eth{i} mtu {mtu} netns {NS}")
        sh(f"sysctl -q -w net.ipv6.conf.{outer}.disable_ipv6=1")
        sh(f"ethtool -K {outer} rx off tx off", check=False)
        inside(f"ethtool -K eth{i} rx off tx off", check=False)
        inside(f"ip link set eth{i} address 02:00:00:00:00:0{i + 1}")
        inside(f"ip link set eth{i} promisc on up")
        sh(f"ip link set {outer} up")
        inside(f"ip addr add 10.0.{i}.1/24 brd + dev eth{i}")
        inside(f"ip neigh add 10.0.{i}.254 lladdr 02:00:00:00:00:fe dev eth{i} nud permanent")
    inside("ip link set lo up")
    inside("sysctl -q -w net.ipv4.ip_forward=1")
    inside("ip route add default via 10.0.0.254 dev eth0")
    for route in routes:
        inside(f"ip route add {route}")
    for neighbour in neighbours:
        inside(f"ip neigh add {neighbour} nud permanent")
    time.sleep(2)
    os.makedirs(TRACE, exist_ok=True)
    for event in ("skb/kfree_skb", "skb/consume_skb", "net/netif_receive_skb", "net/net_dev_queue"):
        with open(f"{TRACE}/events/{event}/enable", "w") as enable:
            enable.write("1")


def counters():
    """By group and name, as /proc/net/snmp and netstat have them."""
    lines = (inside("cat /proc/net/snmp") + inside("cat /proc/net/netstat")).splitlines()
    found = {}
    for names, values in zip(lines[::2], lines[1::2]):
        group, *names = names.split()
        if group[:-1] in GROUPS:
            for name, value in zip(names, values.split()[1:]):
                if LEFT_OUT.search(name) is None:
                    found[f"{group[:-1]} {name}"] = int(value)
    return found


def drain(socks, seconds):
    """Frames that came out, each with the number of its link."""
    frames, end = [], time.time() + seconds
    while (left := end - time.time()) > 0:
        for sock in select.select(socks, [], [], left)[0]:
            frame, address = sock.recvfrom(65536)
            if address[2] != socket.PACKET_OUTGOING:
                frames.append([socks.index(sock), frame.hex()])
    return frames


def judge(socks, frames, seconds, why=True):
    """What became of the frames: answers, counters, and of a single one why it was dropped."""
    drain(socks, 0.01)
    before = counters()
    with open(f"{TRACE}/trace", "w") as trace:
        trace.write("")
    out = []
    for frame in frames:
        socks[0].send(bytes.fromhex(frame))
        out += drain(socks, 0.001)
    out += drain(socks, seconds)
    with open(f"{TRACE}/trace") as trace:
        text = trace.read()
    after = counters()
    moved = {name: n - before.get(name, 0) for name, n in after.items() if n != before.get(name, 0)}
    answer = {"frames": frames, "out": out, "counters": moved}
    if len(frames) > 1 or not why:
        return answer
    seen = re.search(r"netif_receive_skb: dev=eth0 skbaddr=(\S+)", text)
    addr, rest = seen.group(1), text[seen.end():]
    end = re.search(
        rf"kfree_skb: skbaddr={addr} .*reason: (\S+)|consume_skb: skbaddr={addr}|net_dev_queue: dev=\S+ skbaddr={addr}",
        rest,
    )
    return {**answer, "reason": end.group(1)}


def rp_filtered(socks, cases):
    """Of each frame why it was dropped, or null, with rp_filter 0, 1 and 2; of ARP's whether it was answered."""
    answers = {name: [] for name, _ in cases}
    for mode in range(3):
        inside(f"sysctl -q -w net.ipv4.conf.all.rp_filter={mode}")
        for name, frame in cases:
            answer = judge(socks, [frame], 0.02)
            counted = answer["counters"].get("TcpExt IPReversePathFilter", 0)
            assert counted == (answer["reason"] == "IP_RPFILTER"), (name, answer)
            answered = any(out[24:28] == "0806" and out[40:44] == "0002" for _, out in answer["out"])
            answers[name].append("answered" if answered else answer["reason"])
    inside("sysctl -q -w net.ipv4.conf.all.rp_filter=0")
    return answers


def printed(what):
    return json.loads(subprocess.run(["npx", "tsx", "-e", what], check=True, capture_output=True, text=True).stdout)


def main():
    wanted = sys.argv[1:] or ["forward.json", "forwardXdp.json", "rpFilter.json"]
    routes, neighbours, cases = printed(PRINT)
    found = {}
    sh(f"ip netns add {NS}")
    try:
        build(routes, neighbours)
        socks = []
        for outer in OUTER:
            sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            sock.bind((outer, 3))
            socks.append(sock)
        if "rpFilter.json" in wanted:
            found["rpFilter.json"] = rp_filtered(socks, printed(RP_PRINT))
        if "forward.json" in wanted:
            found["forward.json"] = {
                n: judge(socks, f, 4.5 if UNANSWERED in n else 0.1) for n, f in cases
            }
            inside("ip neigh flush dev eth1 nud failed")
        if "forwardXdp.json" in wanted:
            inside("ip link set eth0 xdpgeneric obj examples/bpf/router.o sec xdp")
            time.sleep(0.5)
            single = [(n, f) for n, f in cases if len(f) == 1 and UNANSWERED not in n]
            found["forwardXdp.json"] = {n: judge(socks, f, 0.1, False) for n, f in single}
    finally:
        sh(f"ip netns del {NS}", check=False)
        if os.path.isdir(TRACE):
            os.rmdir(TRACE)
    for name, answers in found.items():
        path = f"test/vectors/{name}"
        with open(path, "w") as out:
            json.dump(answers, out)
        sh(f"npx prettier --write {path}")


main()
