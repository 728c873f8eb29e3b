"""Streams whose name another stream gets: readers are told, and may follow. Waiting for a stream to appear."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from support import clear
from system import WINDOWS, interrupt_us
from system_linux import SHM

import shmcv


def put(stream: shmcv.Stream, mark: int) -> int:
    return stream.publish(np.full((8, 8), mark, np.uint8))


def make(name: str) -> shmcv.Stream:
    return shmcv.Stream.create(name, 4096)


@pytest.fixture
def cleared(name: str) -> Iterator[str]:
    """A name. The end of the test clears it."""
    yield name
    clear(name)


def test_reader_of_a_replaced_stream_is_told_and_follows(cleared: str) -> None:
    with make(cleared) as old, shmcv.Stream.open(cleared) as reader:
        reader.deliver(shmcv.Delivery.EVERY)
        with pytest.raises(shmcv.NotFoundError, match="still"):
            reader.follow(0)
        with pytest.raises(TimeoutError, match=r"no stream .* within 0.01 s"):
            reader.follow(0.01)
        put(old, 1)
        old.clear()
        put(old, 2)  # those who have it open still read it
        with make(cleared) as new:
            assert [reader.wait().sequence, reader.wait().sequence] == [1, 2]
            with pytest.raises(shmcv.ReplacedError, match="frame 2 was the last") as told:
                reader.wait()
            assert isinstance(told.value, OSError)
            with pytest.raises(shmcv.ReplacedError):
                asyncio.run(reader.wait_async())
            with pytest.raises(shmcv.ReplacedError):
                old.begin()
            old.close()
            with pytest.raises(shmcv.ReplacedError):
                reader.wait_writer()
            put(new, 3)
            put(new, 4)
            with reader.follow() as follower:
                assert [follower.wait().sequence, follower.wait().sequence] == [1, 2]  # every frame, as before
                assert asyncio.run(reader.follow_async()).info.uuid == new.info.uuid


@pytest.mark.parametrize("how", ["cleared"] if WINDOWS else ["cleared", "removed by another program"])
@pytest.mark.parametrize("kind", ["for", "async for"])
def test_loop_goes_on_with_the_new_stream(cleared: str, how: str, kind: str) -> None:
    generations, frames_each = 4, 3

    def write() -> None:
        for generation in range(generations):
            with make(cleared) as stream:
                for mark in range(frames_each):
                    put(stream, 10 * generation + mark)
                    assert seen.acquire(timeout=60)  # so that the reader of the newest frame gets each
                if generation < generations - 1:
                    shmcv.clear(cleared) if how == "cleared" else (SHM / cleared).unlink()
                else:
                    stream.end()

    told: list[tuple[int, int]] = []
    streams: list[shmcv.Stream] = []

    def note(frame: shmcv.Frame) -> None:
        told.append((frame.sequence, int(frame.array[0, 0])))
        if not streams or frame.stream is not streams[-1]:
            streams.append(frame.stream)
        seen.release()

    async def loop(stream: shmcv.Stream) -> None:
        async for frame in stream.frames(timeout=60, follow=True):
            note(frame)

    seen = threading.Semaphore(0)
    writer = threading.Thread(target=write)
    writer.start()
    with shmcv.Stream.open(cleared, 60) as reader:
        if kind == "for":
            for frame in reader.frames(timeout=60, follow=True):
                note(frame)
        else:
            asyncio.run(loop(reader))
    writer.join()
    assert told == [(n + 1, 10 * g + n) for g in range(generations) for n in range(frames_each)]
    assert len(streams) == generations
    assert all(stream.closed for stream in streams[1:])


def test_loop_that_does_not_follow_is_told(cleared: str) -> None:
    with make(cleared) as old, shmcv.Stream.open(cleared) as reader:
        put(old, 1)
        old.clear()
        with make(cleared), pytest.raises(shmcv.ReplacedError):
            for _ in reader.frames():
                pass


def test_closing_the_first_stream_ends_a_loop_that_has_followed(cleared: str) -> None:
    with make(cleared) as old, shmcv.Stream.open(cleared) as reader:
        old.clear()
        with make(cleared) as new:
            put(new, 1)
            for frame in reader.frames(follow=True):
                assert frame.stream is not reader
                closer = threading.Thread(target=reader.close)
                closer.start()
            closer.join()
            assert frame.stream.closed


def test_loop_that_heeds_the_writer_waits_for_the_first_one_of_a_new_stream(cleared: str) -> None:
    with make(cleared) as old, shmcv.Stream.open(cleared) as reader:
        reader.heed_writer()
        put(old, 1)
        frames = reader.frames(follow=True, timeout=60)
        next(frames)
        old.clear()
        with make(cleared) as new:
            writer = threading.Timer(0.05, put, (new, 2))
            writer.start()
            assert next(frames).array[0, 0] == 2
            writer.join()
            new.close()
            with pytest.raises(shmcv.WriterGoneError):
                next(frames)


def test_open_waits_for_the_stream(cleared: str) -> None:
    with pytest.raises(shmcv.NotFoundError) as none:
        shmcv.Stream.open(cleared)
    assert none.value.filename == cleared
    for timeout in (0.01, 0.0001):
        with pytest.raises(TimeoutError, match=f'no stream "{cleared}"'):
            shmcv.Stream.open(cleared, timeout)
    with pytest.raises(shmcv.NotFoundError):
        asyncio.run(shmcv.Stream.open_async(cleared, 0))
    with pytest.raises(TimeoutError):
        asyncio.run(shmcv.Stream.open_async(cleared, 0.01))
    with pytest.raises(shmcv.InvalidError):  # an error that no waiting mends
        shmcv.Stream.open("not/plain", None)
    with pytest.raises(shmcv.InvalidError, match="NaN"):
        shmcv.Stream.open(cleared, float("nan"))

    made: list[shmcv.Stream] = []
    maker = threading.Timer(0.05, lambda: made.append(make(cleared)))
    maker.start()
    with shmcv.Stream.open(cleared, None) as opened:
        maker.join()
        assert opened.info.uuid == made[0].info.uuid
    assert asyncio.run(shmcv.Stream.open_async(cleared)).info.uuid == made[0].info.uuid
    made[0].close()


def test_control_c_ends_a_wait_for_a_stream() -> None:
    threading.Timer(0.05, interrupt_us).start()
    before = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        shmcv.Stream.open("shmcv-test-never-made", 60)
    assert time.monotonic() - before < 30
