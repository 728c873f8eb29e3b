"""A stream's descriptor, on which a program's own loop waits: asyncio, selectors, epoll."""

from __future__ import annotations

import asyncio
import resource
import select
import selectors
import threading
from collections.abc import Iterator

import numpy as np
import pytest

import shmcv

MINUTE = 60


def put(stream: shmcv.Stream, mark: int) -> int:
    return stream.publish(np.full((8, 8), mark, np.uint8))


@pytest.fixture
def stream(name: str) -> Iterator[shmcv.Stream]:
    with shmcv.Stream.create(name, 4096, clear_on_close=True) as made:
        yield made


def frames_of(stream: shmcv.Stream, newer_than: int) -> Iterator[shmcv.Frame]:
    """Give the frames that are there, as a loop does that was told that the descriptor is readable."""
    while True:
        try:
            frame = stream.wait(newer_than, 0)
        except TimeoutError:
            return
        newer_than = frame.sequence
        yield frame


def test_event_loop_calls_a_reader(stream: shmcv.Stream) -> None:
    seen: list[int] = []

    async def read() -> None:
        loop, over = asyncio.get_running_loop(), asyncio.Event()

        def look() -> None:
            for frame in frames_of(stream, seen[-1] if seen else 0):
                seen.append(frame.sequence)
                frame.close()
                if frame.sequence == 20:
                    over.set()

        def write() -> None:
            for mark in range(20):
                put(stream, mark)

        loop.add_reader(stream, look)
        writer = threading.Thread(target=write)
        writer.start()
        await asyncio.wait_for(over.wait(), MINUTE)
        writer.join()
        assert loop.remove_reader(stream)

    asyncio.run(read())
    assert seen == sorted(set(seen))
    assert seen[-1] == 20


def test_one_selector_waits_for_many_streams_and_a_pipe(name: str) -> None:
    streams = [shmcv.Stream.create(f"{name}-{i}", 4096, clear_on_close=True) for i in range(20)]
    with selectors.DefaultSelector() as selector:
        for stream in streams:
            selector.register(stream, selectors.EVENT_READ, stream)
            assert not list(frames_of(stream, 0))
        assert selector.select(0) == []
        for mark, stream in enumerate(streams):
            put(stream, mark)
            ((key, _),) = selector.select(MINUTE)
            assert key.data is stream
            assert [frame.array[0, 0] for frame in frames_of(stream, 0)] == [mark]
        assert selector.select(0) == []
        for stream in streams:
            selector.unregister(stream)
            stream.close()


def test_descriptor_tells_of_the_end(stream: shmcv.Stream) -> None:
    poll = select.poll()
    poll.register(stream, select.POLLIN)
    assert stream.fileno() == stream.fileno()
    assert len(poll.poll(0)) == 1
    assert not list(frames_of(stream, 0))
    assert poll.poll(0) == []
    stream.end()
    assert len(poll.poll(MINUTE * 1000)) == 1
    with pytest.raises(shmcv.EndedError):
        stream.wait(0, 0)
    stream.close()
    with pytest.raises(shmcv.ClosedError):
        stream.fileno()


def test_reader_of_every_frame_need_not_say_which_it_has_had(stream: shmcv.Stream) -> None:
    stream.deliver(shmcv.Delivery.EVERY)
    put(stream, 1)
    assert [frame.sequence for frame in (stream.wait(),)] == [1]
    with pytest.raises(TimeoutError):
        stream.wait(timeout=0)
    assert select.select([stream], [], [], 0)[0] == [stream]  # nobody has looked since it was asked for
    with pytest.raises(TimeoutError):
        stream.wait(timeout=0)
    assert select.select([stream], [], [], 0.01)[0] == []
    put(stream, 2)
    assert select.select([stream], [], [], MINUTE)[0] == [stream]


def test_descriptors_that_are_used_up_are_an_error(stream: shmcv.Stream) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        with pytest.raises(shmcv.IOError, match="descriptor"):
            stream.fileno()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert stream.fileno() >= 0
