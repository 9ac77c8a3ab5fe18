#!/usr/bin/env bash
# Records what bpftool reads out of the type information of test/objects.
set -e
cd "$(dirname "$0")"
for object in counter-14 counter-19 core-16 core-19 maps-14 sections types kernel; do
  bpftool -j btf dump file "../../objects/$object.o" >"$object.json"
done
bpftool version | head -1 >bpftool.version
