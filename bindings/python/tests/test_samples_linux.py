"""The three samples that are one chain: a camera in C, an overlay in Python and a recorder in C#."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
import pytest
from support import PATIENCE, ROOT, built, compiled, environment, soon
from system import ENDS_WITH_US, present

import shmcv

Story = dict[str, Any]


class Program:
    """A sample that is started again and again."""

    def __init__(self, name: str, command: list[str], log: Path) -> None:
        self.name = name
        self.log = log
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None

    def start(self) -> None:
        """Start the program. Its output replaces that of the last start."""
        self._output = self.log.open("wb")
        self._process = subprocess.Popen(
            [*ENDS_WITH_US, *self._command],
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env=environment(SHMCV_LIBRARY=os.environ.get("SHMCV_LIBRARY", str(ROOT / "build" / "libshmcv.so"))),
        )

    def end(self, signal_: signal.Signals) -> tuple[int, str]:
        """Send a signal, wait until the program is gone, and return its exit code and its output."""
        assert self._process
        assert self._output
        self._process.send_signal(signal_)
        code = self._process.wait(timeout=PATIENCE)
        self._output.close()
        return code, self.log.read_text()

    def stop(self) -> None:
        """Kill the program if it runs."""
        if self._process is not None and self._process.poll() is None:
            self.end(signal.SIGKILL)

    def alive(self) -> bool:
        """Return True if it runs; fail with its output if it has ended by itself."""
        assert self._process
        assert self._process.poll() is None, self.log.read_text()
        return True


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The commands of the three programs, which are built once."""
    folder = tmp_path_factory.mktemp("samples")
    return {
        "camera": compiled(ROOT / "c-sample" / "camera.c", folder),
        "overlay": [sys.executable, str(ROOT / "python-sample" / "overlay.py")],
        "recorder": built(ROOT / "csharp-sample" / "recorder" / "Recorder.csproj", folder),
    }


@pytest.fixture
def chain(samples: dict[str, list[str]], name: str, tmp_path: Path) -> Iterator[dict[str, Program]]:
    """The three programs, with streams and a folder of the test's own."""
    camera, overlay = f"{name}-camera", f"{name}-overlay"
    arguments = {
        "camera": [camera, "20"],
        "overlay": [camera, overlay],
        "recorder": [overlay, str(tmp_path / "recorded")],
    }
    commands = {each: [*samples[each], *arguments[each]] for each in samples}
    programs = {each: Program(each, command, tmp_path / f"{each}.log") for each, command in commands.items()}
    yield programs
    for program in programs.values():
        program.stop()
    for stream in (camera, overlay):
        with contextlib.suppress(shmcv.NotFoundError):
            shmcv.clear(stream)


def bounce(number: Any, limit: int) -> Any:
    """Return the camera's movement there and back again."""
    return limit - abs(number % (2 * limit) - limit)


def expected(frame: int) -> tuple[np.ndarray[Any, Any], list[int]]:
    """Return the picture that a recorded file of this frame of the camera must be, and the box that is in it."""
    y, x = np.mgrid[:480, :640]
    wave = bounce(x + y + 4 * frame, 127)
    picture = np.stack([64 + wave, 32 + wave // 2, np.full_like(wave, 32)], axis=-1).astype(np.uint8)
    ball_x, ball_y = 50 + bounce(5 * frame, 540), 50 + bounce(3 * frame, 380)
    ball = (x - ball_x) ** 2 + (y - ball_y) ** 2 < 40**2
    picture[ball] = (0, 200, 255)
    box = [ball_x - 39, ball_y - 39, ball_x + 40, ball_y + 40]
    left, top, right, bottom = box
    line = np.zeros((480, 640), bool)
    line[top - 3 : bottom + 3, left - 3 : right + 3] = True
    line[top:bottom, left:right] = False
    picture[line] = (0, 255, 0)
    return picture, box


def stories(folder: Path) -> list[Story]:
    """Return what the recorder has written beside the pictures, in the order of capture."""
    told = [{**json.loads(path.read_text()), "file": path.with_suffix(".png")} for path in folder.glob("*.json")]
    return sorted(told, key=lambda story: story["recorder"]["capture_time_ns"])


def passes_all(programs: dict[str, Program], folder: Path) -> Callable[[], bool]:
    """Return a question: have pictures that were captured from now on, and so by all that run now, been recorded?"""
    now = time.monotonic_ns()

    def question() -> bool:
        time.sleep(0.05)  # leaves the processors to the programs
        recent = [story for story in stories(folder) if story["recorder"]["capture_time_ns"] > now]
        return all(program.alive() for program in programs.values()) and len(recent) >= 3

    return question


#: Who is ended, in this order. They start again in the reverse order.
ENDS = [
    ("camera",),
    ("overlay",),
    ("recorder",),
    ("recorder", "camera"),
    ("overlay", "recorder"),
    ("camera", "overlay"),
    ("camera", "overlay", "recorder"),
]


def end(program: Program, how: signal.Signals) -> None:
    """End a program. If that is by Ctrl-C, it has told what it has done."""
    code, output = program.end(how)
    if how == signal.SIGINT:
        assert code == 0, output
        first, *_, last = output.splitlines()
        assert first.startswith(f"the {program.name} ")
        assert last.startswith(f"the {program.name} has ")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_camera_overlay_and_recorder_end_and_start_again_in_any_order(chain, name, tmp_path, how):
    """What the recorder saves is whole, has the words of all three, and is in the order in which it was captured.

    A program that Ctrl-C ends removes its stream, and the others go on with the next one's.
    """
    folder = tmp_path / "recorded"
    for each in ("recorder", "overlay", "camera"):
        chain[each].start()
    assert soon(passes_all(chain, folder))
    for ended in ENDS:
        for each in ended:
            end(chain[each], how)
        for each in reversed(ended):
            chain[each].start()
        assert soon(passes_all(chain, folder)), ended
    for each in ("overlay", "camera", "recorder"):
        end(chain[each], signal.SIGINT)
    assert not [left for left in present() if left.startswith(f"{name}-")]

    told = stories(folder)
    for story in told:
        picture, box = expected(story["camera"]["frame"])
        assert story["overlay"]["box"] == box
        np.testing.assert_array_equal(cv2.imread(os.fspath(story["file"])), picture)
        assert story["camera"]["exposure_us"] >= 8000
        assert story["recorder"]["latency_ms"] > 0
    numbers = [story["recorder"]["sequence"] for story in told]
    if how == signal.SIGKILL:  # one stream of the overlay all the time
        assert numbers == sorted(set(numbers))
    assert [story["file"] for story in told] == sorted(story["file"] for story in told)
