"""Fixtures: names and segments that are removed after the test, a display, and a check of what a test leaves behind."""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import cv2
import pytest
from system import ENDS_WITH_US, NotOfThisSystem, is_skipped, mapped, open_files, present

import shmcv

# A shell starts programs in the background with SIGINT ignored, which their children inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """Count a file of another system's tests as one that is skipped."""
    return NotOfThisSystem.from_parent(parent, path=module_path) if is_skipped(module_path) else None


PREFIX = f"shmcv-python-test-{os.getpid()}-"
_numbers = itertools.count()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note that a test failed. Its traceback then keeps its locals alive, segments among them."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


_FAILED = pytest.StashKey[bool]()


def held() -> Counter[str]:
    """Count the segments, open files and mappings of segments. A test must not leave more of them behind."""
    names = [name for name in present() if name.startswith(PREFIX)]
    return Counter(
        [f"segment {name}" for name in names]
        + [f"open {file}" for file in open_files()]
        + [f"mapped {file}" for file in mapped()]
    )


@pytest.fixture(autouse=True)
def _nothing_is_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    shmcv.list_segments()  # opens the library's own files, which stay open
    before = held()
    yield
    if not request.node.stash.get(_FAILED, False):
        if held() - before:
            gc.collect()  # a cycle of references may hold it
        assert held() - before == Counter()


@pytest.fixture
def name() -> str:
    """A name that no other test has. The test itself clears what it makes under the name."""
    return f"{PREFIX}{next(_numbers)}"


@pytest.fixture
def create() -> Iterator[Callable[..., shmcv.Segment]]:
    """A Segment.create() that chooses a name. Its segments are closed and cleared after the test."""
    made: list[shmcv.Segment] = []

    def make(size: int | None = None, image: shmcv.ImageInfo | None = None) -> shmcv.Segment:
        made.append(shmcv.Segment.create(f"{PREFIX}{next(_numbers)}", size, image=image))
        return made[-1]

    yield make
    for segment in made:
        segment.close()
        try:
            segment.clear()
        except FileNotFoundError:
            continue  # the test has cleared it


@pytest.fixture
def cv2_without_ipp() -> Iterator[None]:
    """Turn Intel's IPP off in cv2: it makes gray of floats with other last bits, and our OpenCV is built without it."""
    used = cv2.ipp.useIPP()
    cv2.ipp.setUseIPP(False)
    yield
    cv2.ipp.setUseIPP(used)


@contextlib.contextmanager
def screen(size: str) -> Iterator[str]:
    """Start an X server with a screen of that size, and give its DISPLAY."""
    missing = [tool for tool in ("Xvfb", "xdotool", "import") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"no {', '.join(missing)} here: windows cannot be tested")
    server = subprocess.Popen(
        [*ENDS_WITH_US, "Xvfb", "-displayfd", "1", "-screen", "0", size, "-nolisten", "tcp"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout is not None
    try:
        number = server.stdout.readline().strip()
        assert number, "Xvfb did not start"
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """The DISPLAY of an X server that the tests start, large enough for the whole photograph."""
    with screen("4096x2304x24") as number:
        yield number
