"""Measures how long Python takes to tell another process, which sleeps, of a frame.

frames.py calls it. It prints "key value" lines.

multiprocessing cannot tell when a shared_memory has changed, so people use an Event or a Condition, and the bench does
too. Neither copies anything. Neither is safe: the writer has one buffer, and may write while a reader reads.
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
    """Set the event whenever the reader has gone to sleep again. The frame's first bytes hold the time."""
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


def stream_writer(turn: Any, name: str, count: int) -> None:
    """Publish whenever the reader has gone to sleep again."""
    with shmcv.Stream.open(name) as stream:
        image = shmcv.ImageInfo(WIDTH, HEIGHT)
        for _ in range(count):
            turn.acquire()
            time.sleep(0.001)
            with stream.begin() as frame:
                frame.image = image


def main(count: int) -> None:
    """Let a stream, an Event and a Condition take turns, so that the machine's other work disturbs all alike."""
    context = multiprocessing.get_context("spawn")
    name = f"shmcv-bench-{multiprocessing.current_process().pid}"
    memory = shared_memory.SharedMemory(create=True, size=WIDTH * HEIGHT * 3)
    event, condition = context.Event(), context.Condition()
    turns = [context.Semaphore(0) for _ in range(3)]
    stream = shmcv.Stream.create(name, WIDTH * HEIGHT * 3)
    total = WARM_UP + count
    writers = [
        context.Process(target=stream_writer, args=(turns[0], name, total)),
        context.Process(target=event_writer, args=(turns[1], event, memory.name, total)),
        context.Process(target=event_writer, args=(turns[2], condition, memory.name, total)),
    ]
    for writer in writers:
        writer.start()

    def by_stream(newest: int) -> int:
        turns[0].release()
        with stream.wait(newest) as frame:
            return time.monotonic_ns() - frame.time_ns

    def told_at() -> int:
        return int.from_bytes(memory.buf[:8], "little")

    def by_event() -> int:
        turns[1].release()
        event.wait()
        here = time.monotonic_ns()
        event.clear()
        return here - told_at()

    def by_condition() -> int:
        with condition:
            turns[2].release()
            condition.wait()
            return time.monotonic_ns() - told_at()

    times = [(by_stream(number), by_event(), by_condition()) for number in range(total)][WARM_UP:]
    for writer in writers:
        writer.join()
    stream.close()
    stream.clear()
    memory.close()
    memory.unlink()
    for key, measured in zip(("python", "event", "condition"), zip(*times)):
        print(key, round(statistics.median(measured)))


if __name__ == "__main__":
    main(int(sys.argv[1]))
