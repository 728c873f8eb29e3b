"""Streams: readers get what was published, frames keep their pixels, and a wait can be ended."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from support import PATIENCE, PHOTOGRAPH, clear, environment
from system import died_of_a_fault, file_of_a_segment, interrupt_us, kept_by_nobody, present
from system_linux import SHM

import shmcv
from shmcv import _native
from shmcv._check import check
from shmcv._library import library

SHAPE = (48, 64, 3)
SIZE = 48 * 64 * 3


@pytest.fixture
def stream(name: str) -> Iterator[shmcv.Stream]:
    """A stream of four small frames."""
    with shmcv.Stream.create(name, SIZE) as made:
        yield made
    clear(name)


def picture(mark: int) -> np.ndarray:
    """Return an array for a frame. Every sample of it is ``mark``."""
    return np.full(SHAPE, mark, np.uint8)


def test_published_frame_is_what_readers_get(stream: shmcv.Stream) -> None:
    before = time.perf_counter_ns()
    with shmcv.Stream.open(stream.name) as reader:
        assert [stream.publish(picture(mark)) for mark in (1, 2, 3)] == [1, 2, 3]
        with reader.wait() as frame:
            assert (frame.sequence, frame.missed) == (3, 2)
            assert before < frame.time_ns < time.perf_counter_ns()
            np.testing.assert_array_equal(frame.array, picture(3))
            np.testing.assert_array_equal(frame.read(shmcv.ColorOrder.GRAY), picture(3)[..., 0])
            assert frame.image == shmcv.ImageInfo(64, 48)
        assert reader.info.slots == 4
        assert reader.info.image == shmcv.ImageInfo(64, 48)
        with pytest.raises(TimeoutError, match=stream.name):
            reader.wait(3, timeout=0.001)
        with pytest.raises(shmcv.TimeoutError):
            reader.wait(3, timeout=0)


def test_frame_is_the_shared_pixels_and_read_only(stream: shmcv.Stream) -> None:
    stream.publish(picture(5))
    with stream.wait() as frame:
        assert not frame.array.flags.writeable
        assert not frame.array.flags.owndata
        assert frame.buffer.readonly
        with pytest.raises(ValueError, match="read-only"):
            frame.array[0, 0] = 1
        with pytest.raises(shmcv.PermissionError, match="to be read"):
            frame.flip_into(frame, shmcv.FlipCode.BOTH)
        with pytest.raises(shmcv.PermissionError, match="to be read"):
            frame.convert_into(frame, shmcv.ColorOrder.GRAY)
        with pytest.raises(AttributeError):
            frame.image = shmcv.ImageInfo(4, 4)
        layout, pixels = ctypes.byref(frame.image._to_native()), picture(1).ctypes.data
        with pytest.raises(shmcv.PermissionError, match="to be read"):
            check(library().shmcv_write(frame._handle, layout, pixels, SIZE, shmcv.ColorOrder.BGR))
        assert (frame.array == 5).all()


def test_memory_of_a_frame_that_is_written_to_faults(stream):
    stream.publish(picture(5))
    wrong = """
import ctypes, signal, sys, shmcv
stream = shmcv.Stream.open(sys.argv[1])
frame = stream.wait()
assert (frame.array == 5).all()
signal.signal(signal.SIGSEGV, signal.SIG_DFL)
ctypes.memset(frame.array.ctypes.data + int(sys.argv[2]), 6, 1)
"""
    for at in (0, SIZE - 1):
        done = subprocess.run(
            [sys.executable, "-c", wrong, stream.name, str(at)],
            env=environment(), capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert died_of_a_fault(done), done.stderr
    with stream.wait() as frame:
        assert (frame.array == 5).all()


def members(kind: type) -> set[str]:
    """Return the names of a class's public members."""
    return {name for name in dir(kind) if name[0] != "_"}


def test_frame_has_all_members_that_read_and_none_that_writes() -> None:
    reading = members(shmcv.Pixels)
    writing = members(shmcv.WritablePixels) - reading
    assert reading == {
        *("name", "size", "closed", "info", "image", "array", "buffer", "read", "save", "show"),
        *("flip_into", "convert_into", "copy_into", "resize_into", "rotate_into", "view"),
        *("encode", "encode_into", "close"),
    }
    assert writing == {"load", "decode", "write", "flip", "rotate"}
    assert shmcv.Pixels.image.fset is None
    assert shmcv.WritablePixels.image.fset is not None
    assert issubclass(shmcv.Frame, shmcv.Pixels)
    assert not issubclass(shmcv.Frame, shmcv.WritablePixels)
    told = {"sequence", "time_ns", "missed", "capture_time_ns", "metadata", "mapping", "held", "check"}
    assert members(shmcv.Frame) == reading | told
    for kind in (shmcv.Segment, shmcv.NewFrame):
        assert issubclass(kind, shmcv.WritablePixels)
        assert members(kind) >= reading | writing


def test_every_member_that_reads_works_on_a_frame(
    stream: shmcv.Stream, create: Callable[..., shmcv.Segment], tmp_path: Path
) -> None:
    stream.publish(picture(5))
    segment, other = create(SIZE), create(SIZE)
    segment.write(picture(5))
    with stream.wait() as frame:
        assert (frame.name, frame.closed, frame.size) == (stream.name, False, frame.info.size)
        assert frame.size >= SIZE
        assert frame.image == frame.info.image == segment.image
        assert frame.info.slots == 4
        np.testing.assert_array_equal(frame.read(), segment.array)
        assert bytes(frame.buffer[:SIZE]) == segment.array.tobytes()
        frame.save(tmp_path / "frame.png")
        segment.save(tmp_path / "segment.png")
        assert (tmp_path / "frame.png").read_bytes() == (tmp_path / "segment.png").read_bytes()
        frame.flip_into(other, shmcv.FlipCode.VERTICAL)
        np.testing.assert_array_equal(other.array, segment.array)
        frame.copy_into(other)
        np.testing.assert_array_equal(other.array, segment.array)
        frame.resize_into(other, 16, 12)
        frame.rotate_into(other, shmcv.RotateCode.ROTATE_90_CLOCKWISE)
        assert (other.image.width, other.image.height) == (segment.image.height, segment.image.width)
        frame.convert_into(other, shmcv.ColorOrder.GRAY)
        assert other.image.order == shmcv.ColorOrder.GRAY
    assert frame.closed
    with pytest.raises(shmcv.ClosedError, match=f'frame of stream "{stream.name}" is closed'):
        _ = frame.array


def test_handles_of_another_kind_are_refused_at_run_time(
    stream: shmcv.Stream, create: Callable[..., shmcv.Segment]
) -> None:
    native = library()
    stream.publish(picture(3))
    segment, of_stream = create(SIZE, image=shmcv.ImageInfo(64, 48)), stream._open.number
    with stream.wait() as to_read, stream.begin() as to_fill:
        frames = to_read._handle, to_fill._handle
        info, out = ctypes.byref(_native.ShmcvSegmentInfo()), ctypes.byref(ctypes.c_uint64())
        refused = {
            "load of a stream": native.shmcv_load(of_stream, bytes(PHOTOGRAPH), 0, None),
            "data of a stream": native.shmcv_data(of_stream, None, out),
            "info of a stream": native.shmcv_info(of_stream, info),
            "flip into a stream": native.shmcv_flip(segment._handle, of_stream, 1),
            "close of a stream": native.shmcv_close(of_stream),
            "frame_publish of a stream": native.shmcv_frame_publish(of_stream, None),
            "frame_close of a stream": native.shmcv_frame_close(of_stream),
            "stream_close of a segment": native.shmcv_stream_close(segment._handle),
            "stream_info of a segment": native.shmcv_stream_info(segment._handle, info),
            "stream_begin of a segment": native.shmcv_stream_begin(segment._handle, 0, out),
            "stream_wait of a segment": native.shmcv_stream_wait(segment._handle, 0, 0, out, None),
            "frame_publish of a segment": native.shmcv_frame_publish(segment._handle, None),
            "frame_close of a segment": native.shmcv_frame_close(segment._handle),
            "close of a frame to read": native.shmcv_close(frames[0]),
            "close of a frame to fill": native.shmcv_close(frames[1]),
            "stream_close of a frame to read": native.shmcv_stream_close(frames[0]),
            "stream_close of a frame to fill": native.shmcv_stream_close(frames[1]),
        }
        assert {use: status for use, status in refused.items() if status != shmcv.ErrorCode.INVALID} == {}
        assert native.shmcv_frame_publish(to_read._handle, None) == shmcv.ErrorCode.PERMISSION
        # None of the calls has closed or published anything.
        assert segment.image == to_read.image == shmcv.ImageInfo(64, 48)
        to_fill.write(picture(4))
        assert to_fill.publish() == 2
    assert stream.info.image == shmcv.ImageInfo(64, 48)


def test_array_holds_the_lease_and_the_memory(name: str) -> None:
    stream = shmcv.Stream.create(name, SIZE, slots=2)
    stream.publish(picture(1))
    array = stream.wait().array
    stream.publish(picture(2))
    with pytest.raises(shmcv.BusyError, match="more slots"):
        stream.publish(picture(3))
    np.testing.assert_array_equal(array, picture(1))
    stream.close()
    stream.clear()
    np.testing.assert_array_equal(array, picture(1))
    del array, stream
    gc.collect()


def test_slot_is_free_when_the_last_array_is_gone(name: str) -> None:
    with shmcv.Stream.create(name, SIZE, slots=2) as stream:
        for mark in range(20):
            stream.publish(picture(mark))
            frame = stream.wait(mark)
            array = frame.array
            frame.close()
            assert array[0, 0, 0] == mark
            del array
    clear(name)


def test_with_block_publishes_or_gives_back(stream: shmcv.Stream) -> None:
    with stream.begin() as frame:
        frame.image = shmcv.ImageInfo(64, 48)
        frame.array[:] = 7
        array = frame.array
    assert frame.sequence == 1
    assert frame.closed
    assert array[0, 0, 0] == 7  # still mapped
    with pytest.raises(FileNotFoundError), stream.begin() as frame:  # noqa: PT012 # the block is what is tested
        frame.write(picture(8))
        frame.load("missing.png")
    with pytest.raises(shmcv.NoImageError), stream.begin():
        pass
    with stream.begin() as frame:
        frame.close()
    with stream.wait() as newest:
        assert newest.sequence == 1
        assert newest.array[0, 0, 0] == 7


def test_second_writer_is_refused_until_the_first_closes(stream: shmcv.Stream) -> None:
    stream.publish(picture(1))
    with shmcv.Stream.open(stream.name) as second:
        with pytest.raises(shmcv.BusyError, match="one writer"):
            second.begin()
        name = stream.name
        stream.close()
        assert second.publish(picture(2)) == 2
        with pytest.raises(shmcv.ClosedError, match=name):
            stream.begin()


def test_operations_work_from_frame_to_frame(name: str, create: Callable[..., shmcv.Segment]) -> None:
    image = shmcv.probe(PHOTOGRAPH)
    segment = create(image=image)
    segment.load(PHOTOGRAPH)
    with shmcv.Stream.create(name, image.size) as stream:
        with stream.begin() as frame:
            frame.load(PHOTOGRAPH)
        with stream.wait() as source, stream.begin() as target:
            source.flip_into(target, shmcv.FlipCode.HORIZONTAL)
        with stream.wait(1) as flipped:
            np.testing.assert_array_equal(flipped.array, segment.array[:, ::-1])
    clear(name)


def test_iterator_gives_each_new_frame_once(stream: shmcv.Stream) -> None:
    def write() -> None:
        for mark in range(1, 301):
            stream.publish(picture(mark % 256))

    with shmcv.Stream.open(stream.name) as reader:
        writer = threading.Thread(target=write)
        writer.start()
        seen = []
        for frame in reader.frames():
            assert (frame.array == frame.sequence % 256).all()
            assert frame.missed == frame.sequence - 1 - (seen[-1] if seen else 0)
            seen.append(frame.sequence)
            if frame.sequence == 300:
                frame.close()
                break
        writer.join()
    assert seen == sorted(set(seen))
    with pytest.raises(TimeoutError):
        next(stream.frames(300, timeout=0.001))


def test_iterator_ends_when_the_stream_is_closed(stream: shmcv.Stream) -> None:
    reader = shmcv.Stream.open(stream.name)
    ended = threading.Event()

    def read() -> None:
        for _ in reader.frames():
            raise AssertionError
        ended.set()

    thread = threading.Thread(target=read)
    thread.start()
    reader.close()
    thread.join()
    assert ended.is_set()


def test_asynchronous_iterator_lets_other_tasks_run(stream: shmcv.Stream) -> None:
    async def read(reader: shmcv.Stream, wanted: asyncio.Event) -> list[int]:
        seen = []
        async for frame in reader.frames():
            assert (frame.array == frame.sequence).all()
            seen.append(frame.sequence)
            wanted.set()
            if frame.sequence == 20:
                frame.close()
                break
        return seen

    async def both() -> list[int]:
        wanted = asyncio.Event()  # Python 3.9 ties it to the loop that runs now.
        with shmcv.Stream.open(stream.name) as reader:
            task = asyncio.create_task(read(reader, wanted))
            for mark in range(1, 21):
                wanted.clear()
                stream.publish(picture(mark))
                await wanted.wait()
            return await task

    assert asyncio.run(both()) == list(range(1, 21))


def test_asynchronous_wait_is_cancelled(stream: shmcv.Stream) -> None:
    async def wait() -> None:
        async for _ in stream.frames():
            raise AssertionError

    async def cancel() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(wait(), 0.01)

    asyncio.run(cancel())


def test_ctrl_c_ends_a_wait(stream: shmcv.Stream) -> None:
    timer = threading.Timer(0.02, interrupt_us)
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 # the signal may come before the wait, but not before the block
        timer.start()
        stream.wait()
    timer.join()


def test_stream_is_passed_by_name(stream: shmcv.Stream) -> None:
    stream.publish(picture(4))
    with pickle.loads(pickle.dumps(stream)) as again, again.wait() as frame:
        assert frame.array[0, 0, 0] == 4


def test_segment_is_no_stream_nor_the_other_way_round(
    stream: shmcv.Stream, create: Callable[..., shmcv.Segment]
) -> None:
    with pytest.raises(shmcv.InvalidError, match="no stream"):
        shmcv.Stream.open(create(10).name)
    with pytest.raises(shmcv.InvalidError, match="is a stream"):
        shmcv.Segment.open(stream.name)
    with pytest.raises(shmcv.InvalidError, match="1025 slots"):
        shmcv.Stream.create("x", 1, slots=1025)
    with pytest.raises(shmcv.InvalidError, match="out of the range"):
        shmcv.Stream.create("x", -1)


def test_changed_image_is_told_by_its_sequence(create: Callable[..., shmcv.Segment]) -> None:
    segment = create(SIZE)
    assert segment.sequence == 0
    with pytest.raises(TimeoutError):
        segment.wait(0, timeout=0.001)
    writer = threading.Thread(target=segment.write, args=(picture(1),))
    writer.start()
    assert segment.wait(0) == 1
    writer.join()


@kept_by_nobody
def test_sweep_removes_what_nobody_has_open(name: str) -> None:
    segment = shmcv.Segment.create(name, 10)
    shmcv.sweep()
    assert name in present()
    segment.close()
    del segment
    gc.collect()
    assert shmcv.sweep() >= 1
    assert name not in present()


@file_of_a_segment
def test_a_frame_of_a_file_that_is_cut_is_an_error(stream: shmcv.Stream) -> None:
    stream.publish(picture(1))
    with stream.wait() as frame:
        kept = frame.image
        os.truncate(SHM / stream.name, 4096)
        for look in (lambda: frame.array, lambda: frame.buffer, lambda: frame.size, frame.read):
            with pytest.raises(shmcv.TruncatedError):
                look()
        assert frame.image == kept
        assert frame.sequence == 1


def test_views_of_a_frame_hold_its_lease(name: str) -> None:
    with shmcv.Stream.create(name, 16, slots=2, clear_on_close=True) as stream:
        image = shmcv.ImageInfo(4, 4, shmcv.ColorOrder.GRAY)

        def publish(mark: int) -> None:
            with stream.begin() as frame:
                frame.image = image
                frame.buffer[0] = mark

        publish(1)
        view = stream.wait().buffer  # the frame itself is forgotten at once
        publish(2)
        with pytest.raises(shmcv.BusyError):
            stream.begin()
        assert view[0] == 1
        assert view.readonly
        assert view.format == "B"
        del view
        publish(3)
        assert stream.wait().array[0, 0] == 3


def test_a_spinning_reader_gets_frames_times_out_and_notices_a_close(name: str) -> None:
    with shmcv.Stream.create(name, 16, clear_on_close=True) as writer, shmcv.Stream.open(name) as reader:
        reader.spin(60)
        with pytest.raises(shmcv.TimeoutError):
            reader.wait(timeout=0.001)
        with writer.begin() as frame:
            frame.image = shmcv.ImageInfo(4, 4, shmcv.ColorOrder.GRAY)
        assert reader.wait().sequence == 1
        raised: list[Exception] = []

        def watch() -> None:
            try:
                reader.wait(1)
            except shmcv.ShmcvError as problem:
                raised.append(problem)

        watcher = threading.Thread(target=watch)
        watcher.start()
        reader.close()
        watcher.join(PATIENCE)
        assert [type(problem) for problem in raised] == [shmcv.ClosedError]
