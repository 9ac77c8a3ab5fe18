#!/usr/bin/env bash
# Records what libbpf makes of the objects in test/objects; needs root, libbpf and a kernel with BPF.
set -e
cd "$(dirname "$0")"
objects=../../objects
cc -O2 -o /tmp/ringscope-loader ../../oracle/loader.c -lbpf
for object in counter-14 counter-16 counter-19 counter-19-v4 maps-14 maps-19 sections types; do
  /tmp/ringscope-loader $objects/$object.o >$object.json
done
for object in core-14 core-16 core-19; do
  /tmp/ringscope-loader $objects/$object.o $objects/kernel.o >$object.json
done
