#!/usr/bin/env python3
"""Records why the running kernel drops each frame of test/machine/dropCases.ts.

Each frame is sent into a veth whose other end, in a network namespace of its own, has the addresses
of the tests' machine; the tracepoints of that moment say what became of it. Needs root, iproute2,
ethtool and tracefs. Of a packet in fragments it is the last that is judged.
Writes test/vectors/stackDrops.json and fragmentDrops.json.
"""
import json
import os
import re
import socket
import subprocess
import time

PID = os.getpid() % 10000
NS, OUTER, INNER = f"rsdrop{PID}", f"rsda{PID}", f"rsdb{PID}"
TRACE = f"/sys/kernel/tracing/instances/{NS}"
PRINT = """import('./test/machine/dropCases.ts').then(({ DROP_CASES, FRAGMENT_CASES }) => {
  const hex = (frame) => Buffer.from(frame).toString('hex');
  const frames = Object.entries(DROP_CASES).map(([n, f]) => [n, hex(f)]);
  const pieces = Object.entries(FRAGMENT_CASES).map(([n, list]) => [n, list.map(hex)]);
  process.stdout.write(JSON.stringify([Object.fromEntries(frames), Object.fromEntries(pieces)]));
});"""


def sh(command, check=True):
    return subprocess.run(command.split(), check=check, capture_output=True, text=True).stdout


def inside(command, check=True):
    sh(f"ip netns exec {NS} {command}", check)


def build():
    sh(f"ip link add {OUTER} type veth peer name {INNER} netns {NS}")
    sh(f"ethtool -K {OUTER} rx off tx off", check=False)
    inside(f"ethtool -K {INNER} rx off tx off", check=False)
    for scope in ("all", "default"):
        inside(f"sysctl -q -w net.ipv6.conf.{scope}.accept_dad=0 net.ipv4.conf.{scope}.rp_filter=0")
    inside(f"ip link set {INNER} address 02:00:00:00:00:01")
    inside(f"ip link set {INNER} promisc on up")
    inside("ip link set lo up")
    sh(f"sysctl -q -w net.ipv6.conf.{OUTER}.disable_ipv6=1")
    sh(f"ip link set {OUTER} up")
    inside(f"ip addr add 10.0.0.1/24 dev {INNER}")
    inside(f"ip -6 addr add fd00::1/64 dev {INNER} nodad")
    for family, gateway in (("-4", "10.0.0.254"), ("-6", "fd00::fe")):
        inside(f"ip {family} route add default via {gateway} dev {INNER}")
        inside(f"ip {family} neigh add {gateway} lladdr 02:00:00:00:00:fe dev {INNER} nud permanent")
    time.sleep(2)
    os.makedirs(TRACE, exist_ok=True)
    for event in ("skb/kfree_skb", "skb/consume_skb", "net/netif_receive_skb"):
        with open(f"{TRACE}/events/{event}/enable", "w") as enable:
            enable.write("1")


def judge(sock, frame):
    """What became of one frame: the reason it was dropped for, or CONSUMED."""
    for _ in range(8):
        with open(f"{TRACE}/trace", "w") as trace:
            trace.write("")
        sock.send(bytes.fromhex(frame))
        time.sleep(0.05)
        with open(f"{TRACE}/trace") as trace:
            text = trace.read()
        seen = re.search(rf"netif_receive_skb: dev={INNER} skbaddr=(\S+)", text)
        if seen is None:
            continue
        addr, rest = seen.group(1), text[seen.end():]
        end = re.search(rf"kfree_skb: skbaddr={addr} .*reason: (\S+)|consume_skb: skbaddr={addr}", rest)
        if end is not None:
            return end.group(1) or "CONSUMED"
    raise SystemExit(f"the kernel said nothing about {frame}")


def judge_last(sock, frames):
    """What became of the last of several frames; WAITS when nothing has."""
    with open(f"{TRACE}/trace", "w") as trace:
        trace.write("")
    for frame in frames:
        sock.send(bytes.fromhex(frame))
        time.sleep(0.05)
    with open(f"{TRACE}/trace") as trace:
        text = trace.read()
    seen = list(re.finditer(rf"netif_receive_skb: dev={INNER} skbaddr=(\S+)", text))
    assert len(seen) == len(frames), text
    addr, rest = seen[-1].group(1), text[seen[-1].end():]
    end = re.search(rf"kfree_skb: skbaddr={addr} .*reason: (\S+)|consume_skb: skbaddr={addr}", rest)
    return "WAITS" if end is None else end.group(1) or "CONSUMED"


def main():
    printed = subprocess.run(["npx", "tsx", "-e", PRINT], check=True, capture_output=True, text=True)
    frames, fragments = json.loads(printed.stdout)
    sh(f"ip netns add {NS}")
    try:
        build()
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        sock.bind((OUTER, 0))
        answers = {name: {"frame": f, "reason": judge(sock, f)} for name, f in frames.items()}
        pieces = {name: {"frames": f, "reason": judge_last(sock, f)} for name, f in fragments.items()}
    finally:
        sh(f"ip netns del {NS}", check=False)
        if os.path.isdir(TRACE):
            os.rmdir(TRACE)
    with open("test/vectors/stackDrops.json", "w") as out:
        json.dump(answers, out, indent=2)
        out.write("\n")
    with open("test/vectors/fragmentDrops.json", "w") as out:
        json.dump(pieces, out, indent=2)
        out.write("\n")


main()
