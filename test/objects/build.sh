#!/usr/bin/env bash
# Rebuilds the objects of this folder with Debian's clang-14, clang-16 and clang-19.
set -e
cd "$(dirname "$0")"
bpf() { # bpf CLANG OUT SOURCE FLAGS...
  local clang=$1 out=$2 source=$3
  shift 3
  "$clang" -target bpf -O2 -g -fdebug-prefix-map="$PWD"=. -fdebug-compilation-dir=. \
    -I/usr/include/x86_64-linux-gnu "$@" -c "$source" -o "$out"
  "llvm-strip${clang#clang}" -g "$out"
}
for version in 14 16 19; do
  bpf clang-$version counter-$version.o counter.bpf.c
  bpf clang-$version core-$version.o core.bpf.c "$([ $version != 14 ] && echo -DMATCHES || echo -DPLAIN)"
  bpf clang-$version maps-$version.o maps.bpf.c
done
bpf clang-19 counter-19-v4.o counter.bpf.c -mcpu=v4
bpf clang-14 sections.o sections.bpf.c
for bytes in 20 28 36; do bpf clang-14 legacy$bytes.o legacy.bpf.c -DLEGACY=$bytes -g0; done
bpf clang-14 steer.o steer.bpf.c
bpf clang-16 types.o types.bpf.c
bpf clang-16 ksyms.o ksyms.bpf.c
bpf clang-14 runConfig.o runConfig.bpf.c
bpf clang-16 exception.o exception.bpf.c
bpf clang-19 kernel.o kernel.c
