#!/usr/bin/env bash
# Asks tshark about every frame of the captures in a folder and prints verdicts.json; see README.md.
# Usage: judge.sh FOLDER FILE...
set -euo pipefail
cd "$1"
shift
separator='{'
for file in "$@"; do
  printf '%s\n  "%s": "' "$separator" "$file"
  separator=','
  tshark -r "$file" -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE \
    -o udp.check_checksum:TRUE -o ip.defragment:FALSE -o ipv6.defragment:FALSE \
    -T fields -E occurrence=f -e frame.protocols -e frame.cap_len -e ip.hdr_len -e ip.len \
    -e ipv6.plen -e ip.checksum.status -e tcp.checksum.status -e udp.checksum.status 2>/dev/null |
    awk -F'\t' '
      function letter(status) { return status == 1 ? "G" : status == 0 || status == 4 ? "B" : "-" }
      function emit(code) {
        if (code == last) { run++; return }
        flush_run(); last = code; run = 1
      }
      function flush_run() {
        if (run > 0) printf "%s%s%s", sep, last, (run > 1 ? "*" run : "")
        if (run > 0) sep = " "
      }
      {
        n = split($1, layer, ":"); l2 = 14; i = 3
        while (layer[i] == "vlan" || layer[i] == "ieee8021ad") { l2 += 4; i += 2 }
        kind = layer[i]
        if (layer[1] != "eth" || (kind != "ip" && kind != "ipv6")) { emit("--"); next }
        total = kind == "ip" ? $4 : $5 + 40
        if (total == "" || l2 + total > $2 || (kind == "ip" && total < $3)) { emit("MM"); next }
        while (layer[++i] ~ /^(ipv6\.|ah$)/) ;
        l4 = layer[i] == "tcp" ? $7 : layer[i] == "udp" ? $8 : ""
        emit((kind == "ip" ? letter($6 == "" ? 2 : $6) : "-") letter(l4 == "" ? 2 : l4))
      }
      END { flush_run() }'
  printf '"'
done
printf '\n}\n'
