"""Windows: plain sections, whole pages, both loops of asyncio, the clock, Ctrl-C, and a package without its library."""

from __future__ import annotations

import asyncio
import ctypes
import mmap
import os
import selectors
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import shared_memory
from pathlib import Path

import numpy as np
import pytest
from support import TESTDATA, Process, environment, python
from system import interrupt, library_file

import shmcv
from shmcv import _system

LOOPS = [asyncio.ProactorEventLoop, asyncio.SelectorEventLoop]

each_loop = pytest.mark.parametrize("loop", LOOPS, ids=lambda kind: kind.__name__)


@pytest.fixture
def stream(name: str) -> Iterator[shmcv.Stream]:
    with shmcv.Stream.create(name, 4096, clear_on_close=True) as made:
        yield made


def put(stream: shmcv.Stream, mark: int) -> int:
    return stream.publish(np.full((8, 8), mark, np.uint8))


def test_package_has_its_library() -> None:
    assert shmcv.version() == shmcv.__version__
    if "SHMCV_LIBRARY" not in os.environ:
        assert library_file().samefile(Path(shmcv.__file__).with_name("libshmcv.dll"))


def test_plain_shared_memory_and_mmap_see_the_pixels(create: Callable[..., shmcv.Segment]) -> None:
    """They see whole pages: more than the pixels, and not how many bytes the pixels are."""
    segment = create(240 * 120 * 3)
    image = segment.load(TESTDATA / "patches.png")
    plain = shared_memory.SharedMemory(segment.name)
    tagged = mmap.mmap(-1, image.size, tagname=segment.name)
    try:
        assert plain.size % mmap.PAGESIZE == 0
        assert plain.size >= image.size
        for memory in (plain.buf, tagged):
            pixels = np.frombuffer(memory, np.uint8, image.size).reshape(image.shape)
            np.testing.assert_array_equal(pixels, segment.array)
            pixels[5, 5] = (1, 2, 3)
            assert segment.array[5, 5].tolist() == [1, 2, 3]
            segment.flip(shmcv.FlipCode.BOTH)
            np.testing.assert_array_equal(pixels, segment.array)
            del pixels
    finally:
        del memory
        plain.close()
        tagged.close()


@each_loop
def test_tasks_wait_on_either_loop(loop: type[asyncio.AbstractEventLoop], name: str, stream: shmcv.Stream) -> None:
    async def read(follower: shmcv.Stream) -> list[int]:
        return [frame.sequence async for frame in follower.frames()]

    async def main() -> list[int]:
        with await shmcv.Stream.open_async(name) as reader:
            reader.deliver(shmcv.Delivery.EVERY)
            task = asyncio.create_task(read(reader))
            threads = threading.active_count()
            for mark in range(3):
                await asyncio.sleep(0)
                put(stream, mark)
                (await stream.wait_async(mark)).close()
            stream.end()
            assert threading.active_count() <= threads + 1
            return await task

    runner = loop()
    try:
        assert runner.run_until_complete(main()) == [1, 2, 3]
    finally:
        runner.close()


@each_loop
def test_there_is_no_descriptor_and_the_error_says_what_to_use(
    loop: type[asyncio.AbstractEventLoop], stream: shmcv.Stream
) -> None:
    for use in (stream.fileno, lambda: selectors.DefaultSelector().register(stream, selectors.EVENT_READ)):
        with pytest.raises(shmcv.IOError, match=rf'"{stream.name}".*async for.*wait_async'):
            use()
    waiting = loop()
    try:
        # The Proactor's loop has no add_reader, and does not ask the stream.
        with pytest.raises(shmcv.IOError if loop is asyncio.SelectorEventLoop else NotImplementedError):
            waiting.add_reader(stream, print)
    finally:
        waiting.close()
    stream.close()
    with pytest.raises(shmcv.ClosedError):
        stream.fileno()


def test_times_of_frames_are_perf_counters(stream: shmcv.Stream) -> None:
    before = time.perf_counter_ns()
    with stream.begin() as frame:
        frame.write(np.zeros((2, 2), np.uint8))
        frame.describe(capture_time_ns=before)
    with stream.wait() as seen:
        assert before == seen.capture_time_ns
        assert before <= seen.time_ns <= time.perf_counter_ns()
        assert abs(stream.utc(seen.time_ns).timestamp() - time.time()) < 3600


#: Waits in the way that is asked for, until Ctrl-C.
WAITS = """
import asyncio, sys, shmcv
with shmcv.Stream.open(sys.argv[1]) as stream:
    async def loop():
        async for frame in stream.frames():
            pass
    waits = {
        "wait": stream.wait,
        "for": lambda: next(stream.frames()),
        "open": lambda: shmcv.Stream.open(sys.argv[1] + "-none", 600),
        "delay": lambda: shmcv.delay(600_000),
        "async for": lambda: asyncio.run(loop()),
    }
    try:
        print("waiting")
        waits[sys.argv[2]]()
    except KeyboardInterrupt:
        print("interrupted")
    print(stream.info.slots)
"""


@pytest.mark.parametrize("way", ["wait", "for", "open", "delay", "async for"])
def test_ctrl_c_ends_a_wait(way: str, stream: shmcv.Stream) -> None:
    with Process(WAITS, stream.name, way) as process:
        assert process.hear() == "waiting"
        interrupt(process.child)
        assert process.hear() == "interrupted"
        assert process.end().split() == ["4"]


def test_library_that_cannot_be_loaded_says_what_is_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _system.refusal() == ""
    monkeypatch.setattr(_system.platform, "machine", lambda: "ARM64")
    assert "Windows 10 or later on x64" in _system.refusal()
    assert "Windows on ARM64" in _system.refusal()
    wrong = tmp_path / "wrong.dll"
    wrong.write_bytes(b"no library")
    program = "import shmcv\ntry:\n    shmcv.version()\nexcept shmcv.LibraryError as problem:\n    print(problem)"
    said = python(program, env=environment(SHMCV_LIBRARY=str(wrong))).stdout
    assert str(wrong) in said
    assert "SHMCV_LIBRARY" in said


def test_names_are_utf8_whatever_python_takes_for_files(tmp_path: Path, create: Callable[..., shmcv.Segment]) -> None:
    """PYTHONLEGACYWINDOWSFSENCODING gives Python another encoding of file names."""
    segment = create(image=shmcv.ImageInfo(2, 2))
    program = """
import pathlib, sys, shmcv
assert sys.getfilesystemencoding() == "mbcs"
with shmcv.Segment.open(sys.argv[1]) as segment:
    segment.save(pathlib.Path(sys.argv[2]) / "\\u732b.png")
"""
    python(program, segment.name, tmp_path, env=environment(PYTHONLEGACYWINDOWSFSENCODING="1"))
    assert [path.name for path in tmp_path.iterdir()] == ["猫.png"]


def test_half_of_a_surrogate_pair_is_no_name() -> None:
    for use in (shmcv.Segment.open, lambda name: shmcv.Segment.create(name, 16), shmcv.clear):
        with pytest.raises(shmcv.InvalidError):
            use("half-\ud83d")
    with pytest.raises(ValueError, match="UTF-8"):
        shmcv.probe("half-\ud83d.png")


def test_slashes_of_both_kinds_and_long_paths(tmp_path: Path, create: Callable[..., shmcv.Segment]) -> None:
    segment = create(image=shmcv.ImageInfo(2, 2))
    for path in (f"{tmp_path}\\a.png", f"{tmp_path.as_posix()}/b.png"):
        segment.save(path)
        assert segment.load(path) == shmcv.ImageInfo(2, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png"]


def test_picture_that_another_program_holds_open_is_an_error_that_says_so(
    tmp_path: Path, create: Callable[..., shmcv.Segment]
) -> None:
    segment, target = create(image=shmcv.ImageInfo(2, 2)), tmp_path / "held.png"
    segment.save(target)
    alone, reading, existing = 0, 0x80000000, 3
    ctypes.windll.kernel32.CreateFileW.restype = ctypes.c_void_p
    held = ctypes.windll.kernel32.CreateFileW(str(target), reading, alone, None, existing, 0, None)
    try:
        with pytest.raises((shmcv.PermissionError, shmcv.BusyError), match=r"held\.png"):
            segment.save(target)
    finally:
        ctypes.windll.kernel32.CloseHandle(ctypes.c_void_p(held))
    segment.save(target)
    assert [path.name for path in tmp_path.iterdir()] == ["held.png"]
