"""Publish images as a stream, for viewers in any language: a photograph that moves to the left, 4 pixels a frame.

    python producer.py [--frames N] [--fps N] [stream] [photograph]

Then run python viewer.py, or the C# viewer, in another terminal. Viewers and producers may come and go at any time.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import shmcv

here = Path(__file__).resolve().parent
parser = argparse.ArgumentParser(description="Publish a moving photograph as a stream.")
parser.add_argument("--frames", type=int, default=0, help="how many; for ever unless given")
parser.add_argument("--fps", type=float, default=30, help="frames a second")
parser.add_argument("stream", nargs="?", default="shmcv-sample")
parser.add_argument("photograph", nargs="?", type=Path, default=here.parent / "testdata" / "photograph.jpg")
arguments = parser.parse_args()

image = shmcv.probe(arguments.photograph)
with shmcv.Segment.from_file(f"{arguments.stream}-photograph", arguments.photograph, clear_on_close=True) as photograph:
    picture = photograph.array.copy()

# One slot for each of four viewers, and 2 more: the one to fill, and the newest frame. An earlier producer's stream
# serves too: this one goes on with the next number.
stream = shmcv.Stream.open_or_create(arguments.stream, image.size, slots=6)

with stream:
    number = 0
    while not arguments.frames or number < arguments.frames:
        # The frame is a slot in shared memory. The end of the block publishes it. No viewer sees it before that.
        with stream.begin() as frame:
            frame.image = image
            shift = 4 * number % image.width
            pixels = frame.array
            pixels[:, : image.width - shift] = picture[:, shift:]
            pixels[:, image.width - shift :] = picture[:, :shift]
        number += 1
        time.sleep(1 / arguments.fps)
    print(f"published {number} frames in stream {arguments.stream}, the last one as number {frame.sequence}")
