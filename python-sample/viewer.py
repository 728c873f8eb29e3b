"""Look at a stream that a producer in any language publishes, until Escape or q is pressed or no frame comes any more.

python viewer.py [--headless] [--frames N] [stream]
"""

from __future__ import annotations

import argparse
import sys
import time

import shmcv

parser = argparse.ArgumentParser(description="Show a stream in a window.")
parser.add_argument("--headless", action="store_true", help="open no window")
parser.add_argument("--frames", type=int, default=0, help="how many; until Escape or q is pressed unless given")
parser.add_argument("stream", nargs="?", default="shmcv-sample")
arguments = parser.parse_args()

seen = skipped = 0
try:
    with shmcv.Stream.open(arguments.stream) as stream:
        for frame in stream.frames(timeout=5):
            # frame.array is no copy. The slot does not change before the loop asks for the next frame.
            age = (time.perf_counter_ns() - frame.time_ns) / 1e6
            print(f"\rframe {frame.sequence}, {age:.2f} ms old, first pixel {frame.array[0, 0]}  ", end="", flush=True)
            if seen:
                skipped += frame.missed
            seen += 1
            if not arguments.headless:
                frame.show(arguments.stream)
                # Other keys do not count: the one that has started this program may still be down.
                if shmcv.delay(1) in (shmcv.KEY_ESCAPE, ord("q")):
                    break
            if seen == arguments.frames:
                break
except shmcv.TimeoutError:
    print("\nno frame has come for 5 seconds", end="")
except (shmcv.NotFoundError, shmcv.NoDisplayError) as reason:
    sys.exit(f"\n{reason}")
finally:
    shmcv.close_windows()
print(f"\nsaw {seen} frames, skipped {skipped}")
