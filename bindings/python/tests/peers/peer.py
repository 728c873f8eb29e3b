"""One party of test_peers.py, which describes what it does."""

from __future__ import annotations

import sys

import shmcv


def produce(stream: shmcv.Stream) -> None:
    """Publish as many frames as each line says."""
    sequence = 0
    for line in sys.stdin:
        for _ in range(int(line)):
            with stream.begin() as frame:
                frame.image = shmcv.ImageInfo(64 + (sequence + 1) % 3, 48, shmcv.ColorOrder.GRAY)
                frame.array[:] = (sequence + 1) & 0xFF
            assert frame.sequence is not None
            sequence = frame.sequence
        print(sequence, flush=True)


def consume(stream: shmcv.Stream, last: int) -> None:
    """Look at each frame."""
    for frame in stream.frames():
        pixels = frame.array
        whole = pixels.shape == (48, 64 + frame.sequence % 3) and (pixels == frame.sequence & 0xFF).all()
        print(frame.sequence, "whole" if whole else "torn", flush=True)
        if frame.sequence >= last:
            return


role, name, end = sys.argv[1:]
with shmcv.Stream.open(name) as opened:
    print("ready", flush=True)
    if role == "produce":
        produce(opened)
    else:
        consume(opened, int(end))
