"""How long Python takes to tell another process, which sleeps, of a frame.

Called by handover.sh; prints "key value" lines.

multiprocessing has nothing to tell when a shared_memory has changed, so it is given what people use: an Event or a
Condition. Nothing is copied in either, and nothing is safe: the writer has one buffer, and may write while it is read.
"""

from __future__ import annotations

import multiprocessing
import statistics
import sys
import time
from multiprocessing import shared_memory
from typing import Any

import shmcv

WARM_UP = 50
WIDTH, HEIGHT = 3840, 2160


def event_writer(turn: Any, told: Any, name: str, count: int) -> None:
    """Set the event whenever the reader has gone to sleep again; the time is in the frame's first bytes."""
    memory = shared_memory.SharedMemory(name)
    for _ in range(count):
        turn.acquire()
        time.sleep(0.001)
        memory.buf[:8] = time.monotonic_ns().to_bytes(8, "little")
        if hasattr(told, "notify_all"):
            with told:
                told.notify_all()
        else:
            told.set()
    memory.close()


def measure_multiprocessing(kind: str, count: int) -> None:
    """Print the median time of an Event's or Condition's way."""
    context = multiprocessing.get_context("spawn")
    memory = shared_memory.SharedMemory(create=True, size=WIDTH * HEIGHT * 3)
    turn, told = context.Semaphore(0), context.Event() if kind == "event" else context.Condition()
    writer = context.Process(target=event_writer, args=(turn, told, memory.name, WARM_UP + count))
    writer.start()
    times = []
    for _ in range(WARM_UP + count):
        if kind == "event":
            turn.release()
            told.wait()
            here = time.monotonic_ns()
            told.clear()
        else:
            with told:
                turn.release()
                told.wait()
                here = time.monotonic_ns()
        times.append(here - int.from_bytes(memory.buf[:8], "little"))
    writer.join()
    memory.close()
    memory.unlink()
    print(kind, round(statistics.median(times[WARM_UP:])))


def stream_writer(turn: Any, name: str, count: int) -> None:
    """Publish whenever the reader has gone to sleep again."""
    with shmcv.Stream.open(name) as stream:
        image = shmcv.Image(WIDTH, HEIGHT)
        for _ in range(count):
            turn.acquire()
            time.sleep(0.001)
            with stream.begin() as frame:
                frame.image = image


def measure_stream(count: int) -> None:
    """Print the median time of a stream's way, and of the same to where the array is at hand."""
    context = multiprocessing.get_context("spawn")
    name = f"shmcv-bench-{multiprocessing.current_process().pid}"
    turn = context.Semaphore(0)
    with shmcv.Stream.create(name, WIDTH * HEIGHT * 3) as stream:
        writer = context.Process(target=stream_writer, args=(turn, name, WARM_UP + count))
        writer.start()
        times = []
        newest = 0
        for _ in range(WARM_UP + count):
            turn.release()
            with stream.wait(newest) as frame:
                times.append(time.monotonic_ns() - frame.time_ns)
                newest = frame.sequence
        writer.join()
    shmcv.clear(name)
    print("python", round(statistics.median(times[WARM_UP:])))


if __name__ == "__main__":
    number = int(sys.argv[1])
    measure_stream(number)
    measure_multiprocessing("event", number)
    measure_multiprocessing("condition", number)
