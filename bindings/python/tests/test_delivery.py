"""Streams: every frame in order, what the writer does when a reader is behind, a frame's story, and the end."""

from __future__ import annotations

import asyncio
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from support import clear

import shmcv

Make = Callable[..., shmcv.Stream]


@pytest.fixture
def make(name: str) -> Iterator[Make]:
    """A function that creates a stream of small frames."""

    def create(slots: int = 4, when_behind: shmcv.WhenBehind = shmcv.WhenBehind.DROP) -> shmcv.Stream:
        return shmcv.Stream.create(name, 4096, slots=slots, when_behind=when_behind)

    yield create
    clear(name)


def put(stream: shmcv.Stream, mark: int, **arguments: object) -> int:
    return stream.publish(np.full((8, 8), mark, np.uint8), **arguments)


def test_every_frame_is_got_in_order_however_slow_the_reader(make: Make) -> None:
    with make(3, shmcv.WhenBehind.BLOCK) as stream, shmcv.Stream.open(stream.name) as reader:
        reader.deliver(shmcv.Delivery.EVERY)

        def write() -> None:
            for mark in range(100):
                put(stream, mark, timeout=60)
            stream.end()

        writer = threading.Thread(target=write)
        writer.start()
        seen = []
        for frame in reader.frames(timeout=60):
            assert (frame.array == frame.sequence - 1).all()
            assert frame.missed == 0
            seen.append(frame.sequence)
        writer.join()
        assert seen == list(range(1, 101))


def test_reader_that_is_behind_is_told_what_it_missed(make: Make) -> None:
    with make(4) as stream, shmcv.Stream.open(stream.name) as reader:
        reader.deliver(shmcv.Delivery.EVERY)
        for mark in range(20):
            put(stream, mark)
        stream.end()
        told = [(frame.sequence, frame.missed) for frame in reader.frames()]
        assert len(told) + sum(missed for _, missed in told) == 20
        assert told[-1] == (20, 0)
        assert told[0][1] > 0


def test_writer_is_told_that_a_reader_is_behind(make: Make) -> None:
    with make(3, shmcv.WhenBehind.FAIL) as stream, shmcv.Stream.open(stream.name) as reader:
        reader.deliver(shmcv.Delivery.EVERY)
        for mark in range(3):
            put(stream, mark)
        with pytest.raises(shmcv.BusyError, match="every frame"):
            stream.begin()
        reader.deliver(shmcv.Delivery.NEWEST)
        assert put(stream, 3) == 4
        assert stream.info.when_behind is shmcv.WhenBehind.FAIL


def test_writer_waits_for_a_slot_no_longer_than_it_wants(make: Make) -> None:
    with make(2, shmcv.WhenBehind.BLOCK) as stream, shmcv.Stream.open(stream.name) as reader:
        reader.deliver(shmcv.Delivery.EVERY)
        put(stream, 1)
        put(stream, 2)
        with pytest.raises(shmcv.BusyError):
            stream.begin(timeout=0)
        with pytest.raises(shmcv.TimeoutError, match=r"0\.06 s"):
            stream.begin(timeout=0.06)
        reader.wait().close()
        assert put(stream, 3) == 3


def test_late_reader_begins_at_the_oldest_frame(make: Make) -> None:
    with make(16) as stream:
        for mark in range(5):
            put(stream, mark)
        with shmcv.Stream.open(stream.name) as reader:
            reader.deliver(shmcv.Delivery.OLDEST)
            stream.end()
            assert [frame.sequence for frame in reader.frames()] == [1, 2, 3, 4, 5]


def test_frame_travels_with_its_story(make: Make) -> None:
    with make() as stream:
        captured = time.perf_counter_ns()
        put(stream, 1, metadata={"exposure": 7, "name": "Ä"}, capture_time_ns=captured)
        with stream.wait() as frame:
            assert frame.mapping == {"exposure": 7, "name": "Ä"}
            assert frame.capture_time_ns == captured
            age = datetime.now(timezone.utc) - stream.utc(frame.capture_time_ns)
            assert abs(age) < timedelta(hours=1)
        with stream.begin() as begun:
            begun.write(np.zeros((8, 8), np.uint8))
            begun.describe(bytes(range(256)) * 4)
            with pytest.raises(shmcv.LimitError, match="1025"):
                begun.describe(bytes(1025))
        with stream.wait(1) as frame:
            assert frame.metadata == bytes(range(256)) * 4
            with pytest.raises(ValueError, match=r"utf-8|Expecting"):
                _ = frame.mapping
        put(stream, 3)
        with stream.wait(2) as frame:
            assert (frame.metadata, frame.mapping, frame.capture_time_ns) == (b"", {}, 0)


def test_end_ends_every_wait(make: Make) -> None:
    with make() as stream, shmcv.Stream.open(stream.name) as reader:
        put(stream, 1)

        async def last() -> list[int]:
            return [frame.sequence async for frame in reader.frames()]

        ender = threading.Timer(0.05, stream.end)
        ender.start()
        assert asyncio.run(last()) == [1]
        ender.join()
        with pytest.raises(shmcv.EndedError, match="frame 1 was the last"):
            reader.wait(1)
        with pytest.raises(EOFError):
            reader.wait(1)
        assert put(stream, 2) == 2
        reader.wait(1).close()
        assert reader.info.writer is not None


def test_reader_may_spin(make: Make) -> None:
    with make() as stream, shmcv.Stream.open(stream.name) as reader:
        reader.spin(10)
        writer = threading.Timer(0.02, put, (stream, 1))
        writer.start()
        reader.wait(timeout=60).close()
        writer.join()
        with pytest.raises(shmcv.InvalidError):
            reader.spin(-1)
        reader.spin(0)
        with pytest.raises(shmcv.TimeoutError):
            reader.wait(1, timeout=0.001)


def test_numbers_that_mean_nothing_are_refused(make: Make) -> None:
    with make() as stream:
        with pytest.raises(ValueError, match="7"):
            stream.deliver(7)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="9"):
            shmcv.Stream.create("x", 1, when_behind=9)  # type: ignore[arg-type]


def test_reader_that_heeds_the_writer_is_told_that_there_is_none(make: Make) -> None:
    with make() as stream, shmcv.Stream.open(stream.name) as reader:
        reader.heed_writer()
        with pytest.raises(shmcv.WriterGoneError, match="newest frame is 0") as gone:
            reader.wait()
        assert isinstance(gone.value, ConnectionResetError)
        with pytest.raises(TimeoutError, match="nobody has begun to write"):
            reader.wait_writer(0.01)
        put(stream, 1)
        reader.wait_writer()
        reader.wait().close()
        closer = threading.Timer(0.05, stream.close)
        closer.start()
        with pytest.raises(shmcv.WriterGoneError):
            asyncio.run(reader.wait_async(1))
        closer.join()
        reader.heed_writer(False)
        with pytest.raises(TimeoutError):
            reader.wait(1, timeout=0.01)


def test_reader_that_only_reads_is_told_that_it_was_overtaken(make: Make, create: Callable[..., shmcv.Segment]) -> None:
    with make(2) as stream, shmcv.Stream.open_read_only(stream.name) as reader:
        put(stream, 1)
        with stream.wait() as held:
            assert held.held
        frame = reader.wait()
        assert not frame.held
        assert (frame.array == 1).all()
        frame.check()
        put(stream, 2)
        put(stream, 3)
        elsewhere = create(64)
        for look in (
            frame.check,
            frame.read,
            lambda: frame.array,
            lambda: frame.buffer,
            lambda: np.asarray(frame),
            lambda: frame.flip_into(elsewhere, 1),
            lambda: frame.save("null.png"),
        ):
            with pytest.raises(shmcv.OvertakenError, match="frame 1"):
                look()
        assert "sequence 1" in repr(frame)
        with pytest.raises(shmcv.OvertakenError), frame:
            pass
        assert frame.closed
        frame.close()
        frame = reader.wait(1)
        put(stream, 4)
        put(stream, 5)
        with pytest.raises(ZeroDivisionError), frame:  # which hides nothing
            raise ZeroDivisionError
        with pytest.raises(shmcv.PermissionError, match="read-only"):
            reader.begin()
        again = pickle.loads(pickle.dumps(reader))
        with again, again.wait() as frame:
            assert not frame.held
            assert frame.sequence == 5


def test_metadata_of_an_overtaken_frame_are_not_given(make: Make) -> None:
    with make(2) as stream, shmcv.Stream.open_read_only(stream.name) as reader:
        put(stream, 1, metadata=b"one")
        frame = reader.wait()
        assert frame.metadata == b"one"
        put(stream, 2, metadata=b"two")
        put(stream, 3, metadata=b"three")
        with pytest.raises(shmcv.OvertakenError):
            _ = frame.metadata


@pytest.mark.parametrize("delivery", list(shmcv.Delivery))
def test_loop_of_a_reader_that_only_reads(make: Make, delivery: shmcv.Delivery) -> None:
    """A frame that was judged whole is whole, at the writer's full speed, in two slots."""
    with make(2) as stream, shmcv.Stream.open_read_only(stream.name) as reader:
        put(stream, 1)
        reader.deliver(delivery)

        def write() -> None:
            for sequence in range(2, 5000):
                put(stream, sequence % 251)
            stream.end()

        writer = threading.Thread(target=write)
        writer.start()
        whole, torn = 0, 0
        for frame in reader.frames(timeout=60):
            try:
                with frame:
                    differs = not (frame.array == frame.sequence % 251).all()
                torn += differs
                whole += 1
            except shmcv.OvertakenError:
                continue
        writer.join()
        assert torn == 0
        assert whole > 0


def test_reader_that_only_reads_cannot_hold_the_writer_up(make: Make) -> None:
    with make(2, shmcv.WhenBehind.BLOCK) as stream, shmcv.Stream.open_read_only(stream.name) as reader:
        with pytest.raises(shmcv.PermissionError, match="0660"):
            reader.deliver(shmcv.Delivery.EVERY)

        async def waits() -> None:
            waiting = asyncio.ensure_future(reader.wait_async(timeout=60))
            await asyncio.sleep(0)
            put(stream, 1)
            with await waiting as frame:
                assert frame.sequence == 1

        asyncio.run(waits())
