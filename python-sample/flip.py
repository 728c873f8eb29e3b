"""Flip a photograph in shared memory, and look at both.

    python flip.py [--headless] [photograph] [output]

The program makes two segments. Any other program of this user, in Python, C, C++ or C#, can open them by their names.
"""

from __future__ import annotations

import argparse
import uuid
from pathlib import Path

import shmcv


def look_at(photograph: shmcv.Segment, flipped: shmcv.Segment) -> None:
    """Show both images for 3 seconds, or until a key is pressed. Without a display, say so."""
    try:
        photograph.show("photograph")
        shmcv.delay(1)  # windows are drawn while the program waits
        flipped.show("flipped")
        shmcv.delay(3000)
        print("showed both")
    except shmcv.NoDisplayError as reason:
        print(f"showed nothing: {reason}")


here = Path(__file__).resolve().parent
parser = argparse.ArgumentParser(description="Flip a photograph in shared memory.")
parser.add_argument("--headless", action="store_true", help="open no windows")
parser.add_argument("photograph", nargs="?", type=Path, default=here.parent / "testdata" / "photograph.jpg")
parser.add_argument("output", nargs="?", type=Path, default=Path("flipped-python.png"))
arguments = parser.parse_args()

# Room for a 4K image with three channels of one byte. The image that is loaded may be smaller.
SIZE = 3840 * 2160 * 3

# All processes share the names, so the program takes names that no other program has. The end of the "with" block
# closes the segments. The names, and the memory behind them, stay until they are cleared.
try:
    with (
        shmcv.Segment.create(str(uuid.uuid4()), SIZE) as photograph,
        shmcv.Segment.create(str(uuid.uuid4()), SIZE) as flipped,
    ):
        # The file is decoded straight into the shared memory: 8-bit BGR, as cv2.imread gives it.
        image = photograph.load(arguments.photograph)
        print(f"loaded {arguments.photograph}: {image.width} x {image.height}, {image.channels} channels")
        print(f"  in segment {photograph.name}")

        # From one segment into the other. photograph.flip(...) would flip in place.
        photograph.flip_into(flipped, shmcv.FlipCode.HORIZONTAL)
        print(f"flipped it horizontally into segment {flipped.name}")

        # The pixels are a numpy array, which is no copy: every process sees what is written to it.
        print(f"its first pixel is {flipped.array[0, 0]}, the last of the row was {photograph.array[0, -1]}")

        if arguments.headless:
            print("showed nothing: --headless")
        else:
            look_at(photograph, flipped)

        # The extension chooses the format. The file appears under its name when it is whole.
        flipped.save(arguments.output)
        print(f"saved it as {arguments.output.resolve()}")
finally:
    shmcv.close_windows()
    shmcv.clear_all()
