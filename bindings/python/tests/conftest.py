"""Fixtures: names and segments that are gone after the test, a display, and a look at what a test has left behind."""

from __future__ import annotations

import gc
import itertools
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import cv2
import pytest
from support import mapped, present

import shmcv

PREFIX = f"shmcv-python-test-{os.getpid()}-"
_numbers = itertools.count()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note on a test that it failed: its locals, segments among them, then live on in the traceback."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


_FAILED = pytest.StashKey[bool]()


def held() -> Counter[str]:
    """Give what a test must leave behind no more of: segments, open files, and mappings of segments."""
    names = [name for name in present() if name.startswith(PREFIX)]
    files = []
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            files.append(str(descriptor.readlink()))
        except FileNotFoundError:  # the folder's own
            continue
    return Counter(
        [f"segment {name}" for name in names]
        + [f"open {file}" for file in files if file.startswith("/")]
        + [f"mapped {file}" for file in mapped()]
    )


@pytest.fixture(autouse=True)
def _nothing_is_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    shmcv.list_segments()  # so that the library's own files, which stay open, are there before we look
    before = held()
    yield
    if not request.node.stash.get(_FAILED, False):
        if held() - before:
            gc.collect()  # what only a cycle of references holds is not lost
        assert held() - before == Counter()


@pytest.fixture
def name() -> str:
    """A name that nobody else has; what is made under it the test itself clears."""
    return f"{PREFIX}{next(_numbers)}"


@pytest.fixture
def create() -> Iterator[Callable[..., shmcv.Segment]]:
    """A Segment.create() that finds a name, and whose segments are closed and cleared after the test."""
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
            continue  # the test has done it


@pytest.fixture
def cv2_without_ipp() -> Iterator[None]:
    """OpenCV's own code in cv2: Intel's IPP, which ours is built without, makes gray of floats with other last bits."""
    used = cv2.ipp.useIPP()
    cv2.ipp.setUseIPP(False)
    yield
    cv2.ipp.setUseIPP(used)


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """The DISPLAY of an X server of our own, large enough for the whole photograph."""
    missing = [tool for tool in ("Xvfb", "xdotool", "import") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"no {', '.join(missing)} here: windows cannot be tested")
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "4096x2304x24", "-nolisten", "tcp"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout is not None
    number = server.stdout.readline().strip()
    assert number, "Xvfb did not start"
    yield f":{number}"
    server.terminate()
    server.wait()
    server.stdout.close()
