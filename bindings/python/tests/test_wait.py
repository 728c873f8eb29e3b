"""Waiting: a task that waits occupies no thread, can be stopped at any time, and keeps no other task waiting."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from support import IMPORTED, PATIENCE, clear
from system import linux_alone, plain_memory

import shmcv
from shmcv import _waits

PIXELS = np.zeros((4, 4), np.uint8)


@pytest.fixture
def stream(name: str) -> Iterator[shmcv.Stream]:
    """A stream of four tiny frames."""
    with shmcv.Stream.create(name, 16) as made:
        yield made
    clear(name)


@pytest.fixture
def segment(create: Callable[..., shmcv.Segment]) -> shmcv.Segment:
    """A tiny segment."""
    return create(16)


def threads() -> list[str]:
    """Return the names of the process's Python threads."""
    return [thread.name for thread in threading.enumerate()]


def test_all_tasks_that_wait_take_one_thread(stream: shmcv.Stream, segment: shmcv.Segment) -> None:
    async def all_of_them() -> None:
        before = set(threads())
        frames = [asyncio.create_task(stream.wait_async()) for _ in range(60)]
        images = [asyncio.create_task(segment.wait_async(0)) for _ in range(300)]
        while _waits.count() < 360:
            await asyncio.sleep(0)
        assert set(threads()) - before <= {"shmcv waits"}
        assert threads().count("shmcv waits") == 1
        stream.publish(PIXELS)
        segment.write(PIXELS)
        for frame in await asyncio.gather(*frames):
            assert frame.sequence == 1
            frame.close()
        assert await asyncio.gather(*images) == [1] * 300

    asyncio.run(asyncio.wait_for(all_of_them(), PATIENCE))
    assert _waits.count() == 0


def test_tasks_of_several_event_loops_wait(stream: shmcv.Stream) -> None:
    async def read(ready: threading.Barrier) -> int:
        task = asyncio.create_task(stream.wait_async())
        await asyncio.sleep(0)
        ready.wait()
        with await task as frame:
            return frame.sequence

    ready, seen = threading.Barrier(5), []
    readers = [threading.Thread(target=lambda: seen.append(asyncio.run(read(ready)))) for _ in range(4)]
    for reader in readers:
        reader.start()
    ready.wait()
    stream.publish(PIXELS)
    for reader in readers:
        reader.join()
    assert seen == [1] * 4


def test_cancelled_task_leaves_nothing(stream: shmcv.Stream, segment: shmcv.Segment) -> None:
    async def cancel() -> None:
        for _ in range(100):
            tasks = [asyncio.create_task(stream.wait_async(1000)), asyncio.create_task(segment.wait_async(1000))]
            await asyncio.sleep(0)
            assert _waits.count() == 2
            stream.publish(PIXELS)
            for task in tasks:
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            assert _waits.count() == 0

    asyncio.run(cancel())


def test_loop_over_frames_that_are_always_ready_lets_others_run_and_can_be_cancelled(stream: shmcv.Stream) -> None:
    async def read() -> None:
        async for _ in stream.frames():
            turns.append("frame")
            stream.publish(PIXELS)

    async def both() -> None:
        stream.publish(PIXELS)
        task = asyncio.create_task(read())
        while turns.count("frame") < 100:
            await asyncio.sleep(0)
            turns.append("other")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    turns: list[str] = []
    asyncio.run(asyncio.wait_for(both(), PATIENCE))
    assert "frame frame frame" not in " ".join(turns)


@pytest.mark.parametrize("way", ["wait_async", "frames", "segment"])
def test_close_ends_the_waits_of_tasks(stream: shmcv.Stream, segment: shmcv.Segment, way: str) -> None:
    async def read(reader: shmcv.Stream) -> str:
        try:
            if way == "wait_async":
                await reader.wait_async()
            elif way == "segment":
                await segment.wait_async(0)
            else:
                async for _ in reader.frames():
                    raise AssertionError
                return "ended"
        except shmcv.ClosedError:
            return "closed"
        raise AssertionError

    async def close() -> list[str]:
        reader = shmcv.Stream.open(stream.name)
        tasks = [asyncio.create_task(read(reader)) for _ in range(3)]
        while _waits.count() < 3:
            await asyncio.sleep(0)
        array = np.frombuffer(segment.buffer, np.uint8)  # which keeps the handle open
        closer = threading.Thread(target=segment.close if way == "segment" else reader.close)
        closer.start()
        result = await asyncio.wait_for(asyncio.gather(*tasks), PATIENCE)
        closer.join()
        assert array[0] == 0
        return result

    assert asyncio.run(close()) == ["ended" if way == "frames" else "closed"] * 3


@pytest.mark.parametrize("of_segment", [False, True])
def test_close_ends_waits_of_threads(stream: shmcv.Stream, segment: shmcv.Segment, of_segment: bool) -> None:
    begun, ended = threading.Event(), []
    reader = shmcv.Stream.open(stream.name)

    def wait() -> None:
        begun.set()
        with pytest.raises(shmcv.ClosedError):
            segment.wait(0) if of_segment else reader.wait()
        ended.append(True)

    thread = threading.Thread(target=wait)
    thread.start()
    begun.wait()
    (segment if of_segment else reader).close()
    thread.join(PATIENCE)
    assert ended == [True]


def test_timeout_tells_the_whole_time(stream: shmcv.Stream, segment: shmcv.Segment) -> None:
    waits: list[Callable[[float], object]] = [
        lambda timeout: stream.wait(3, timeout=timeout),
        lambda timeout: segment.wait(3, timeout=timeout),
        lambda timeout: next(stream.frames(3, timeout=timeout)),
        lambda timeout: asyncio.run(stream.wait_async(3, timeout=timeout)),
        lambda timeout: asyncio.run(segment.wait_async(3, timeout=timeout)),
    ]
    for wait in waits:
        for timeout, text in ((0.13, "within 0.13 s"), (0, "within 0 s")):
            with pytest.raises(shmcv.TimeoutError, match=f"newer than 3 .*{text}"):
                wait(timeout)
        with pytest.raises(shmcv.InvalidError, match="NaN"):
            wait(float("nan"))
        with pytest.raises(TypeError):
            wait("1")  # type: ignore[arg-type]


@pytest.mark.parametrize("timeout", [-1, -0.5, float("-inf"), float("inf"), None])
def test_negative_timeout_waits_without_an_end(stream: shmcv.Stream, timeout: float | None) -> None:
    writer = threading.Timer(0.1, stream.publish, [PIXELS])
    writer.start()
    with stream.wait(timeout=timeout) as frame:
        assert frame.sequence == 1
    writer.join()

    async def both() -> None:
        task = asyncio.create_task(stream.wait_async(1, timeout))
        await asyncio.sleep(0)
        stream.publish(PIXELS)
        (await task).close()

    asyncio.run(asyncio.wait_for(both(), PATIENCE))


def test_wait_on_what_cannot_be_waited_for_fails(name: str) -> None:
    with plain_memory(name, bytes(100)), shmcv.Segment.open(name) as other, pytest.raises(shmcv.UnsupportedError):
        asyncio.run(other.wait_async(0))


def run(program: str, *arguments: str) -> None:
    """Run a Python program that must end by itself, in silence."""
    environment = {**os.environ, "PYTHONPATH": str(IMPORTED)}
    done = subprocess.run(
        [sys.executable, "-W", "default", "-X", "faulthandler", "-c", program, *arguments],
        env=environment,
        timeout=PATIENCE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_program_ends_while_a_wait_is_left(name: str) -> None:
    run(
        """if True:
        import asyncio, sys, shmcv
        stream = shmcv.Stream.create(sys.argv[1], 16)
        stream.clear()
        loop = asyncio.new_event_loop()
        task = loop.create_task(stream.wait_async())
        loop.run_until_complete(asyncio.sleep(0))
        assert shmcv._waits.count() == 1
        task.cancel()
        loop.run_until_complete(asyncio.wait([task]))
        loop.close()
        """,
        name,
    )


@linux_alone("Windows does not copy processes")
def test_forked_child_does_not_inherit_the_waits(name: str) -> None:
    run(
        """if True:
        import asyncio, os, sys, warnings, shmcv
        warnings.simplefilter("ignore", DeprecationWarning)
        stream = shmcv.Stream.create(sys.argv[1], 16)
        stream.clear()
        async def wait():
            task = asyncio.create_task(stream.wait_async())
            await asyncio.sleep(0)
            child = os.fork()
            if child == 0:
                os._exit(shmcv._waits.count() * 10 + (shmcv._waits._waits._thread is not None))
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            assert shmcv._waits.count() == 1
            task.cancel()
        asyncio.run(wait())
        """,
        name,
    )


def test_closed_event_loop_is_no_error(stream: shmcv.Stream) -> None:
    loop = asyncio.new_event_loop()
    task = loop.create_task(stream.wait_async())
    loop.run_until_complete(asyncio.sleep(0))
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        loop.run_until_complete(task)
    loop.close()
    stream.publish(PIXELS)
    assert _waits.count() == 0
