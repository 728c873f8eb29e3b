"""The samples, and the programs in the documentation."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from support import PACKAGE, PATIENCE, PHOTOGRAPH, ROOT, TESTDATA, Process, clear, environment, press, window_of
from system import WINDOWS, interrupt, kept_by_nobody, present

import shmcv


def test_the_sample_flips_the_photograph(tmp_path):
    output = tmp_path / "flipped.png"
    done = subprocess.run(
        [sys.executable, ROOT / "python-sample" / "flip.py", "--headless", PHOTOGRAPH, output],
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for words in ("3840 x 2160", str(output), "--headless"):
        assert words in done.stdout
    np.testing.assert_array_equal(cv2.imread(os.fspath(output)), cv2.flip(cv2.imread(os.fspath(PHOTOGRAPH)), 1))
    names = re.findall(r"[0-9a-f-]{36}", done.stdout)
    assert len(set(names)) == 2
    assert not present() & set(names)


def test_the_sample_goes_on_without_a_display_and_uses_its_defaults(tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / "python-sample" / "flip.py"],
        env=environment(DISPLAY=None, WAYLAND_DISPLAY=None),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "showed nothing" in done.stdout
    assert (tmp_path / "flipped-python.png").exists()


def test_the_sample_shows_both_where_there_is_a_display(display, tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / "python-sample" / "flip.py"],
        env=environment(DISPLAY=display, WAYLAND_DISPLAY=None, GDK_BACKEND="x11"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "showed both" in done.stdout


def sample(name: str, *arguments: object) -> tuple[str]:
    """Return the program of a sample, for Process, with its command line."""
    path = os.fspath(ROOT / "python-sample" / name)
    line = [path, *map(str, arguments)]
    return (f"import runpy, sys; sys.argv = {line!r}; runpy.run_path({path!r}, run_name='__main__')",)


def test_producer_and_viewer_of_the_sample_work_together(display, name):
    """The viewer looks until q is pressed, and at other keys too; another one looks without a window."""
    environment_ = environment(DISPLAY=display, WAYLAND_DISPLAY=None, GDK_BACKEND="x11")
    try:
        with Process(
            *sample("producer.py", "--fps", 100, name, TESTDATA / "patches.png"), env=environment_
        ) as producer:
            while name not in present():
                assert producer.child.poll() is None, producer.child.communicate()[1]
            with Process(*sample("viewer.py", name), env=environment_) as viewer:
                window = window_of(display, name)
                press(display, window, "k")
                with shmcv.Stream.open(name) as stream:
                    for number, _ in enumerate(stream.frames(timeout=PATIENCE)):
                        if number == 20:
                            break
                assert viewer.child.poll() is None
                press(display, window, "q")
                told = viewer.end()
                assert int(re.search(r"saw (\d+) frames", told)[1]) > 1  # type: ignore[index]
            with Process(*sample("viewer.py", "--headless", "--frames", 5, name)) as viewer:
                assert "saw 5 frames" in viewer.end()
    finally:
        clear(name)


@kept_by_nobody
def test_producer_of_the_sample_goes_on_with_the_stream_of_an_earlier_one(name):
    try:
        for last in (3, 6):
            with Process(
                *sample("producer.py", "--frames", 3, "--fps", 1000, name, TESTDATA / "patches.png")
            ) as producer:
                assert f"as number {last}" in producer.end()
        assert not [left for left in present() if left.startswith(f"{name}-")]
    finally:
        clear(name)


def test_viewer_of_the_sample_says_that_there_is_no_stream(name):
    with Process(*sample("viewer.py", name)) as viewer:
        _, told = viewer.child.communicate(timeout=PATIENCE)
        assert viewer.child.returncode == 1
        assert name in told
        assert "Traceback" not in told


#: What the programs of the documents have that are not for this system, and their mark.
FOREIGN_WORD = "resource_tracker" if WINDOWS else "tagname="
ANOTHERS = pytest.mark.skip(reason="the document says that the program is for the other system")


def programs() -> list[object]:
    """Return the Python programs of the documents that this checkout has, and that of the package's own text."""
    found: list[object] = []
    for document in (ROOT / "README.md", PACKAGE / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        if document.exists():
            blocks = re.findall(r"^```python\n(.*?)^```", document.read_text(encoding="utf-8"), re.M | re.S)
            place = document.relative_to(ROOT)
            found += [
                pytest.param(block, id=f"{place} {number}", marks=[ANOTHERS] if FOREIGN_WORD in block else [])
                for number, block in enumerate(blocks, 1)
            ]
    assert shmcv.__doc__ is not None
    block = shmcv.__doc__.split("numpy array:\n\n")[1].split("\n\nErrors")[0]
    return [*found, pytest.param(textwrap.dedent(block), id="shmcv.__doc__")]


#: The names that the examples give. The tests run the examples as they stand.
NAMES = {"photo", "events", "mirrored", "cam0"}


@pytest.fixture
def _no_names() -> Iterator[None]:
    """Fail if another program has the examples' names before the test, or an example leaves one behind."""
    assert not present() & NAMES, "another program has these names: end it, or shmcv.sweep()"
    yield
    left = present() & NAMES
    for name in left:
        shmcv.clear(name)
    assert not left


def run_example(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        env=environment(DISPLAY=None),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.skipif(not (ROOT / "README.md").exists(), reason="this checkout has no README.md")
@pytest.mark.usefixtures("_no_names")
@pytest.mark.parametrize("program", programs())
def test_the_documentations_programs_run(program, tmp_path):
    """Run one program without its input, and twice with photograph.jpg in its folder.

    A program that reads what another process has made finds it: the photograph in the segment "photo".
    """
    failed = run_example(program, tmp_path)
    assert failed.returncode == 1
    assert "photo" in failed.stderr
    assert not present() & NAMES
    shutil.copy(PHOTOGRAPH, tmp_path / "photograph.jpg")
    if "while True" in program:
        for _ in range(2):
            watch_producer(program, tmp_path)
        return
    with contextlib.ExitStack() as cleanup:
        if "Segment" not in program:
            cleanup.enter_context(shmcv.Segment.from_file("photo", PHOTOGRAPH, clear_on_close=True))
        for _ in range(2):
            done = run_example(program, tmp_path)
            assert done.returncode == 0, done.stderr
            assert done.stderr == ""


def watch_producer(program: str, folder: Path) -> None:
    """Run a program that publishes in the stream "cam0", look at some of its frames, and end it by Ctrl-C."""
    with Process(f"import os; os.chdir({os.fspath(folder)!r})\n{program}") as producer:
        while "cam0" not in present():
            assert producer.child.poll() is None, producer.child.communicate()[1]
        with shmcv.Stream.open("cam0") as stream:
            seen = []
            for frame in stream.frames(timeout=PATIENCE):
                assert frame.image.height == 2160
                seen.append(frame.sequence)
                if len(seen) == 3:
                    frame.close()
                    break
        assert seen == sorted(set(seen))
        interrupt(producer.child)
        _, told = producer.child.communicate(timeout=PATIENCE)
        assert told.strip().endswith("KeyboardInterrupt"), told
    assert "cam0" not in present()


@pytest.mark.usefixtures("_no_names")
def test_the_packages_own_example_draws_its_corner(tmp_path):
    shutil.copy(PHOTOGRAPH, tmp_path / "photograph.jpg")
    (*_, example) = programs()
    assert run_example(example.values[0], tmp_path).returncode == 0  # type: ignore[attr-defined]
    assert cv2.imread(os.fspath(tmp_path / "flipped.png"))[0, 0].tolist() == [0, 0, 255]
