#!/usr/bin/env bash
# Handing frames over between processes; see handover.c and handover.py. Run by ./build.sh bench, or by itself after
# ./build.sh build: scripts/bench/handover.sh [SECONDS [COUNT]]
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
build="$root/build"
seconds="${1:-30}" count="${2:-2000}"
readers=8
python="$build/venv/bin/python"
[ -x "$python" ] || python=python3
export SHMCV_LIBRARY="$build/libshmcv.so" PYTHONPATH="$root/bindings/python/src"

program="$build/bench/handover"
mkdir -p "$build/bench"
cc -std=c11 -O3 -Wall -Wextra -Werror "$root/scripts/bench/handover.c" -I"$root/include" -L"$build" -lshmcv -Wl,-rpath,"$build" -o "$program"

# value KEY TEXT: the number behind a key.
value() { sed -n "s/^$1 //p" <<<"$2" | head -n 1; }
row() { awk -v what="$1" -v ns="$2" -v base="$3" 'BEGIN { printf "  %-58s %8.1f us %7.2f\n", what, ns / 1000, ns / base }'; }

name="shmcv-bench-$$"
trap '"$python" -c "import shmcv; shmcv.sweep()"' EXIT

measured="$("$program" hand_over "$name" "$count")"
plain="$(value plain "$measured")"
fromPython="$("$python" "$root/scripts/bench/handover.py" "$((count / 4))")"

echo "From publishing to the reader that sleeps, one way, median of $count; ratio to plain C:"
row "plain C: a futex word, no frame" "$plain" "$plain"
row "shmcv in C: a frame of 3 KiB" "$(value small "$measured")" "$plain"
row "shmcv in C: a 4K frame, 24.9 MB" "$(value large "$measured")" "$plain"
row "shmcv in Python: a 4K frame" "$(value python "$fromPython")" "$plain"
row "multiprocessing.shared_memory with an Event" "$(value event "$fromPython")" "$plain"
row "multiprocessing.shared_memory with a Condition" "$(value condition "$fromPython")" "$plain"
echo "Memory of the stream (99.5 MB) that $((count + 200)) such hand-overs have touched, pixels and metadata:"
echo "  by the reader $(value reader_touched "$measured") KiB, by the writer $(value writer_touched "$measured") KiB"

"$python" - "$name" "$((readers + 2))" <<'PYTHON'
import sys

import shmcv

shmcv.Stream.create(sys.argv[1], 3840 * 2160 * 3, slots=int(sys.argv[2])).close()
PYTHON
jobs=()
for ((i = 0; i < readers; i++)); do
    "$program" read "$name" >"$build/bench/reader-$i.txt" &
    jobs+=("$!")
done
published="$(value published "$("$program" write "$name" "$seconds")")"
wait "${jobs[@]}"
echo "1 writer, $readers readers, 4K frames, each looked at to the last byte, for $seconds s on $(nproc) processors:"
echo "  $published frames published"
cat "$build"/bench/reader-*.txt | awk '{
    seen += $3; torn += $5; p50 = $9 > p50 ? $9 : p50; max = $11 > max ? $11 : max
    printf "  reader %d: %5d seen, %5d skipped, %d torn, lag p50 %.1f ms\n", NR, $3, $7, $5, $9 / 1e6
} END { printf "  %d torn of %d\n", torn, seen; exit torn > 0 || seen == 0 }'
