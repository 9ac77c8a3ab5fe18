#!/usr/bin/env bash
# Rebuild the eBPF objects that lie beside their sources, with Debian's clang and libbpf-dev:
#
#   scripts/build-bpf.sh [CLANG]        CLANG: clang-14 unless given
#
# Beside them it writes objects.json: which compiler, and the hash of each source and object, so
# that a test can tell when one was changed without the other.
set -euo pipefail
cd "$(dirname "$0")/.."
clang=${1:-clang-14}
strip=llvm-strip${clang#clang}
include=$(dirname "$(find /usr/include -path '*-linux-gnu/asm/types.h' | head -1)")/..

for dir in examples/bpf test/bpf test/bpf/refused bench/bpf; do
  [ -d "$dir" ] || continue
  (
    cd "$dir"
    for source in *.c; do
      # no path of this machine goes into the object
      "$clang" -O2 -g -target bpf -mcpu=v3 -Wall -Werror -ffile-prefix-map="$PWD=." \
        -fdebug-compilation-dir=. -I"$include" -I. -c "$source" -o "${source%.c}.o"
      "$strip" -g "${source%.c}.o"
    done
    {
      printf '{\n  "compiler": "%s",\n  "files": {\n' "$("$clang" --version | head -1)"
      find . -maxdepth 1 -name "*.[cho]" -exec sha256sum {} + | sort -k2 |
        sed -E 's#^([0-9a-f]+) +\./(.*)$#    "\2": "\1",#; $ s/,$//'
      printf '  }\n}\n'
    } >objects.json
  )
done
