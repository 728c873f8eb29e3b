"""Drives the programs that hand frames over between processes, and those that check that readers see whole frames."""

from __future__ import annotations

import contextlib
import os
import shutil
import statistics
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from peers import PeerError, PeerSkipped, parse_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO

    from peers import Pool

    Facts = dict[str, list[dict[str, int]]]

READERS = 8
WARM_UP = 50
PAUSE_NS = 3_000_000  # between two frames; the programs have it too
MOST_SECONDS = 60  # that a turn may take: a reader whose writer has ended would wait for ever


class Pair:
    """A reader and a writer, on a processor each. Each turn starts both anew.

    The programs are called `PROGRAM reader|writer LIBRARY waits|spins asleep|busy NAME COUNT`; an entry's request has
    the middle three. The reader makes what both need, prints "ready", and prints how long each frame took when it has
    seen frame COUNT. A reader that has to start its writer itself does so on the processor that the environment names.
    """

    def __init__(self, pool: Pool, program: str, request: str, count: int, log: Path) -> None:
        if program not in pool.programs:
            raise PeerSkipped("it is not here")
        if len(os.sched_getaffinity(0)) < 2:
            raise PeerSkipped("there is one processor, and two sides need one each")
        self._pool, self._program, self._request = pool, program, request
        self._count, self._log = WARM_UP + count, log
        self.touched: dict[str, int] = {}  # KiB of the stream, by side, for programs that tell

    def turn(self) -> dict[str, list[float]]:
        """Return the median and the 99th percentile of the frames after the warm-up, in nanoseconds."""
        name = _stream()
        try:
            times = self._times(name)
        finally:
            _remove(name)
        times = late(times, self._count)[WARM_UP:]
        return {"ns": [float(statistics.median(times))], "p99": [float(sorted(times)[len(times) * 99 // 100])]}

    def _times(self, name: str) -> list[int]:
        with self._log.open("a") as log, contextlib.ExitStack() as stack:
            reader_on, writer_on = sorted(os.sched_getaffinity(0))[:2]
            environment = {**self._pool.environment, "SHMCV_BENCH_WRITER_PROCESSOR": str(writer_on)}

            def start(side: str, processor: int) -> subprocess.Popen[str]:
                command = [*self._pool.programs[self._program], side, *self._request.split(), name, str(self._count)]
                with on_processor(processor):
                    return stack.enter_context(_running(command, environment, log))

            reader, writer, told = start("reader", reader_on), None, ""
            with killed_after(MOST_SECONDS, lambda: [reader, writer]):
                said = reader.stdout.readline()  # type: ignore[union-attr] # stdout is a pipe
                if said == "ready\n":
                    writer = start("writer", writer_on)
                said += reader.stdout.read()  # type: ignore[union-attr]
                reader.wait()
                if writer is not None:
                    told, _ = writer.communicate()  # its input ends, and so does it
        for side, process in (("reader", reader), ("writer", writer)):
            if process is not None and process.returncode != 0:
                raise PeerError(f"the {side} has ended with status {process.returncode}")
        return self._understood(said, told)

    def _understood(self, said: str, told: str) -> list[int]:
        by_reader, by_writer = _lines(said), _lines(told)
        if "touched" in by_reader:
            self.touched = {"reader": int(by_reader["touched"][0]), "writer": int(by_writer["touched"][0])}
        if "versions" in by_reader:
            self._pool.versions[self._program] = parse_values(by_reader["versions"])
        return [int(word) for word in by_reader.get("times", [])]


def late(times: list[int], count: int) -> list[int]:
    """Return a time for each of the frames. A frame that was missed was late by the pause between frames, or more."""
    if not times:
        raise PeerError("the reader saw no frame")
    return times + [PAUSE_NS] * (count - len(times))


@contextlib.contextmanager
def on_processor(processor: int) -> Iterator[None]:
    """Give processes that are started meanwhile a processor: they inherit it from this thread."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {processor})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def killed_after(seconds: float, processes: Callable[[], list[subprocess.Popen[str] | None]]) -> Iterator[None]:
    """Kill the processes if the block takes longer. Raises PeerError then."""
    killed = threading.Event()

    def kill() -> None:
        killed.set()
        for process in processes():
            if process is not None:
                process.kill()

    timer = threading.Timer(seconds, kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
    if killed.is_set():
        raise PeerError(f"it has not ended after {seconds} s")


@contextlib.contextmanager
def _running(command: list[str], environment: dict[str, str], log: IO[str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        env=environment,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _remove(name: str) -> None:
    """Remove what a run has left: iceoryx2 keeps a folder, and a file for its next processes."""
    shutil.rmtree(Path("/tmp") / name, ignore_errors=True)  # noqa: S108 # iceoryx2's files are here
    for file in Path("/dev/shm").glob(f"*{name}*"):  # noqa: S108
        file.unlink(missing_ok=True)


def _lines(output: str) -> dict[str, list[str]]:
    """Return the words behind the keys of lines."""
    return {words[0]: words[1:] for line in output.splitlines() if (words := line.split())}


def let_read(pool: Pool, seconds: int, facts: Facts) -> None:
    """Let one writer publish 4K frames, and readers check every byte. A torn frame is an error."""
    name = _stream()
    _run(pool, "handover", "create", name, str(READERS + 2))
    readers = [_start(pool, "handover", "read", name) for _ in range(READERS)]
    try:
        published = _numbers(_run(pool, "handover", "write", name, str(seconds)))["published"]
        said = [reader.communicate()[0].split()[1:] for reader in readers]
    finally:
        for reader in readers:
            reader.kill()
            reader.wait()
    seen = [{key: int(value) for key, value in zip(words[::2], words[1::2])} for words in said]
    facts["published"] = [{"frames": published, "seconds": seconds, "processors": os.cpu_count() or 0}]
    facts["readers"] = seen
    if any(not reader or reader["torn"] or not reader["seen"] for reader in seen):
        raise PeerError(f"a reader saw torn frames, or none: {seen}")


def _stream() -> str:
    return f"shmcv-bench-{os.getpid()}"


def _start(pool: Pool, program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*pool.programs[program], *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=pool.environment,
        text=True,
        start_new_session=True,
    )


def _run(pool: Pool, program: str, *arguments: str) -> str:
    process = _start(pool, program, *arguments)
    try:
        output, _ = process.communicate()
    except BaseException:
        process.kill()
        process.wait()
        raise
    if process.returncode != 0:
        raise PeerError(f"{program} {' '.join(arguments)} has ended with status {process.returncode}")
    return output


def _numbers(output: str) -> dict[str, int]:
    """Return the numbers behind the keys of "key number" lines."""
    return {key: int(value) for key, value in (line.split() for line in output.splitlines())}
