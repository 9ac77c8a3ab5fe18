#!/usr/bin/env bash
# Rebuild the eBPF programs that the verifiers judge, test/bpf/verifier, for three instruction sets with
# three compilers, packed beside their sources; objects.json holds the hashes.
#
# Afterwards: npx tsx test/oracle/recordPrograms.ts
set -euo pipefail
cd "$(dirname "$0")/../test/bpf/verifier"
include=$(dirname "$(find /usr/include -path '*-linux-gnu/asm/types.h' | head -1)")/..
rm -f ./*.o.gz
for set in v2:14 v3:16 v4:19; do
  cpu=${set%:*} version=${set#*:}
  for source in *.c; do
    object=${source%.c}.$cpu.o
    # no path of this machine goes into the object
    "clang-$version" -O2 -g -target bpf "-mcpu=$cpu" -Wall -Wno-unused -Werror \
      -ffile-prefix-map="$PWD=." -fdebug-compilation-dir=. -I"$include" -I. \
      -c "$source" -o "$object"
    "llvm-strip-$version" -g "$object"
    gzip -9n "$object"
  done
done
{
  printf '{\n  "compilers": "clang 14 (v2), 16 (v3), 19 (v4)",\n  "files": {\n'
  find . -maxdepth 1 \( -name "*.[ch]" -o -name "*.o.gz" \) -exec sha256sum {} + | sort -k2 |
    sed -E 's#^([0-9a-f]+) +\./(.*)$#    "\2": "\1",#; $ s/,$//'
  printf '  }\n}\n'
} >objects.json
