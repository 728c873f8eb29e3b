"""Find the ball in a camera's pictures, draw a box around it, and publish that as a stream of its own, until Ctrl-C.

    python overlay.py [camera's stream] [own stream]

The time of capture and the metadata of each picture travel on, with what this program has found. c-sample/camera.c is
the camera, and csharp-sample/recorder saves what this program publishes. Each of the three may start first, and may
end, be killed and start again at any time.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np
import shmcv

SIZE = 640 * 480 * 3
GREEN = (0, 255, 0)


def find(picture: np.ndarray) -> list[int] | None:
    """Return left, top, right and bottom of what is red in a picture, as the yellow ball is and the waves are not."""
    red = picture[..., 2] > 128
    columns, rows = red.any(axis=0).nonzero()[0], red.any(axis=1).nonzero()[0]
    return [int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1] if columns.size else None


def draw(picture: np.ndarray, box: list[int], width: int = 3) -> None:
    """Draw a green line around a box."""
    left, top, right, bottom = box
    outer = slice(max(top - width, 0), bottom + width), slice(max(left - width, 0), right + width)
    inner = slice(top, bottom), slice(left, right)
    inside = picture[inner].copy()
    picture[outer] = GREEN
    picture[inner] = inside


parser = argparse.ArgumentParser(description="Draw a box around the ball that the camera sees.")
parser.add_argument("camera", nargs="?", default="camera", help="the stream to read")
parser.add_argument("overlay", nargs="?", default="overlay", help="the stream to write")
names = parser.parse_args()

number = 0
try:
    print(f"the overlay draws on frames of {names.camera} and publishes {names.overlay}, until Ctrl-C", flush=True)
    # Room for a second of frames, for readers that want each. The stream of an overlay that was killed serves too.
    with (
        shmcv.Stream.open_or_create(names.overlay, SIZE, slots=32, clear_on_close=True) as overlay,
        shmcv.Stream.open(names.camera, timeout=None) as camera,  # waits for one
    ):
        for seen in camera.frames(follow=True):  # the newest frame each time, also of the next camera's stream
            began = time.perf_counter_ns()
            with overlay.begin() as drawn:
                drawn.write(seen.array)
                box = find(seen.array)
                if box:
                    draw(drawn.array, box)
                found = {"frame": number, "box": box, "took_us": (time.perf_counter_ns() - began) // 1000}
                drawn.describe({**seen.mapping, "overlay": found}, capture_time_ns=seen.capture_time_ns)
            number += 1
except KeyboardInterrupt:
    print(f"the overlay has published {number} frames")
except shmcv.ShmcvError as problem:  # another program writes to the stream, or shared memory is full
    sys.exit(str(problem))
