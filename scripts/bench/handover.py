"""Measures how long a frame takes from one Python process to another.

frames.py starts a reader and a writer, and tells what they have to do:
`handover.py reader|writer LIBRARY waits|spins asleep|busy NAME COUNT`. They print "key value" lines.

multiprocessing cannot tell when a shared_memory has changed, so people use an Event or a Condition, and the bench does
too. Neither is safe: the writer has one buffer, and may write while a reader reads.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import multiprocessing
import os
import struct
import sys
import time
from typing import Any

WIDTH, HEIGHT = 3840, 2160
SIZE = WIDTH * HEIGHT * 3
PAUSE_NS = 3_000_000
STAMP = struct.Struct("<8Q")  # the time just before the frame is sent, the frame's number, and six words of filling


def pause_for(pause: str) -> None:
    """Let the time between two frames pass: busy, or asleep."""
    if pause == "asleep":
        time.sleep(PAUSE_NS / 1e9)
    else:
        end = time.monotonic_ns() + PAUSE_NS
        while time.monotonic_ns() < end:
            pass


def put_stamp(pixels: memoryview, number: int) -> None:
    STAMP.pack_into(pixels, 0, time.monotonic_ns(), number, *[number] * 6)


class Times:
    """How long each frame has taken. A frame is recorded when the reader has its pixels."""

    def __init__(self) -> None:
        self.times: list[int] = []
        self.number = 0

    def record(self, pixels: memoryview) -> None:
        here = time.monotonic_ns()
        sent_at, number, *_ = STAMP.unpack_from(pixels)
        if number != self.number:  # an Event may be set once more than there are frames
            self.times.append(here - sent_at)
            self.number = number


def say(*words: object) -> None:
    print(*words, flush=True)


def shmcv_reader(way: str, name: str, count: int) -> Times:
    import shmcv

    times, newest = Times(), 0
    with shmcv.Stream.create(name, SIZE, clear_on_close=True) as stream:
        if way == "spins":
            stream.spin(1)
        say("ready")
        while times.number < count:
            with stream.wait(newest) as frame:
                times.record(frame.buffer)
                newest = frame.sequence
    return times


def shmcv_writer(_way: str, pause: str, name: str, count: int) -> None:
    import shmcv

    image = shmcv.ImageInfo(WIDTH, HEIGHT)
    with shmcv.Stream.open(name) as stream:
        for number in range(1, count + 1):
            pause_for(pause)
            with stream.begin() as frame:
                frame.image = image
                put_stamp(frame.buffer, number)
        sys.stdin.read()  # the reader may still read the last frame


def iceoryx2_open(name: str) -> tuple[Any, Any, Any]:
    """Return the node, the service of the frames and the service of the events.

    All files of a run begin with its name, or are in a folder of that name, so that the bench can remove them. The
    reader gets the newest frame alone, as in iceoryx2's own benchmark. There is memory for one reader.
    """
    import iceoryx2

    iceoryx2.set_log_level(iceoryx2.LogLevel.Error)
    config = iceoryx2.config.default()
    config.global_cfg.prefix = iceoryx2.FileName.new(f"{name}_")
    config.global_cfg.root_path = iceoryx2.Path.new(f"/tmp/{name}/")  # noqa: S108 # a path of a socket has to be short
    node = (
        iceoryx2.NodeBuilder.new()
        .config(config)
        .signal_handling_mode(iceoryx2.SignalHandlingMode.Disabled)
        .create(iceoryx2.ServiceType.Ipc)
    )
    service = iceoryx2.ServiceName.new(name)
    frames = (
        node.service_builder(service)
        .publish_subscribe(iceoryx2.Slice[ctypes.c_uint8])
        .max_publishers(1)
        .max_subscribers(1)
        .history_size(0)
        .subscriber_max_buffer_size(1)
        .subscriber_max_borrowed_samples(1)
        .enable_safe_overflow(True)  # its only argument
        .open_or_create()
    )
    return node, frames, node.service_builder(service).event().open_or_create()


def iceoryx2_reader(way: str, name: str, count: int) -> Times:
    _node, frames, events = iceoryx2_open(name)
    listener, subscriber = events.listener_builder().create(), frames.subscriber_builder().create()
    times = Times()
    say("ready")
    while times.number < count:
        if way == "waits":
            listener.blocking_wait()
        sample = subscriber.receive()
        if sample is not None:
            times.record(sample.payload().as_memory_view())
            sample.delete()
    say("versions", f"iceoryx2-python={importlib.metadata.version('iceoryx2')}")
    return times


def iceoryx2_writer(way: str, pause: str, name: str, count: int) -> None:
    _node, frames, events = iceoryx2_open(name)
    notifier = events.notifier_builder().create()
    publisher = frames.publisher_builder().initial_max_slice_len(SIZE).create()
    for number in range(1, count + 1):
        pause_for(pause)
        sample = publisher.loan_slice_uninit(SIZE)
        put_stamp(sample.payload().as_memory_view(), number)
        sample.assume_init().send()
        if way == "waits":
            notifier.notify()
    sys.stdin.read()


class ByEvent:
    """Tells by a multiprocessing.Event that there is a frame."""

    def __init__(self, context: Any) -> None:
        self._event = context.Event()

    def tell(self) -> None:
        self._event.set()

    def told(self, times: Times, pixels: memoryview) -> None:
        self._event.wait()
        self._event.clear()
        times.record(pixels)


class ByCondition:
    """Tells by a multiprocessing.Condition that there is a frame."""

    def __init__(self, context: Any) -> None:
        self._condition = context.Condition()

    def tell(self) -> None:
        with self._condition:
            self._condition.notify_all()

    def told(self, times: Times, pixels: memoryview) -> None:
        with self._condition:
            self._condition.wait_for(lambda: STAMP.unpack_from(pixels)[1] != times.number)
            times.record(pixels)


def teller_reader(kind: type[ByEvent | ByCondition], pause: str, name: str, count: int) -> Times:
    """Start the writer as a child, because multiprocessing hands its objects to children alone."""
    from multiprocessing import shared_memory

    say("alone")
    context = multiprocessing.get_context("spawn")
    memory = shared_memory.SharedMemory(name, create=True, size=SIZE)
    teller, times = kind(context), Times()
    pixels = memoryview(memory.buf)
    writer = context.Process(target=teller_writer, args=(teller, pause, name, count))
    writer.start()
    while times.number < count:
        teller.told(times, pixels)
    writer.join()
    pixels.release()
    memory.close()
    memory.unlink()
    return times


def teller_writer(teller: ByEvent | ByCondition, pause: str, name: str, count: int) -> None:
    from multiprocessing import shared_memory

    os.sched_setaffinity(0, {int(os.environ["SHMCV_BENCH_WRITER_PROCESSOR"])})
    memory = shared_memory.SharedMemory(name)
    for number in range(1, count + 1):
        pause_for(pause)
        put_stamp(memory.buf, number)
        teller.tell()
    memory.close()


READERS = {"shmcv": shmcv_reader, "iceoryx2": iceoryx2_reader}
WRITERS = {"shmcv": shmcv_writer, "iceoryx2": iceoryx2_writer}
TELLERS = {"Event": ByEvent, "Condition": ByCondition}


def main(role: str, library: str, way: str, pause: str, name: str, count: int) -> None:
    """Do the part of one side."""
    if role == "writer":
        WRITERS[library](way, pause, name, count)
        return
    if library in TELLERS:
        times = teller_reader(TELLERS[library], pause, name, count)
    else:
        times = READERS[library](way, name, count)
    say("times", *times.times)


if __name__ == "__main__":
    main(*sys.argv[1:6], int(sys.argv[6]))  # type: ignore[misc]
