"""What the tests share: paths, the rows of testdata/vectors.tsv, and Python programs in other processes."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import system
from system import ENDS_WITH_US, OWN_CONSOLE

import shmcv

PACKAGE = Path(__file__).resolve().parent.parent
ROOT = PACKAGE.parent.parent
TESTDATA = ROOT / "testdata"
PHOTOGRAPH = TESTDATA / "photograph.jpg"

#: Where the package under test is imported from: the checkout, or the Python that it is installed in.
IMPORTED = Path(shmcv.__file__).parent.parent

#: The library that the tests' own programs are linked with and load.
LIBRARY = Path(os.environ.get("SHMCV_LIBRARY", ROOT / system.BUILT)).resolve()

#: Seconds, enough for every wait that is not a failure. No test asserts how long something took.
PATIENCE = 300

FLAGS = {
    "color": shmcv.LoadFlags.COLOR,
    "gray": shmcv.LoadFlags.GRAY,
    "unchanged": shmcv.LoadFlags.UNCHANGED,
    "bgra": shmcv.LoadFlags.BGRA,
    "color+any_depth": shmcv.LoadFlags.COLOR | shmcv.LoadFlags.ANY_DEPTH,
    "gray+any_depth": shmcv.LoadFlags.GRAY | shmcv.LoadFlags.ANY_DEPTH,
}


def vectors(kind: str) -> list[tuple[str, ...]]:
    """Return the columns of all rows of one kind. No rows are an error, because the test would then test nothing."""
    lines = (TESTDATA / "vectors.tsv").read_text(encoding="utf-8").splitlines()
    rows = [tuple(line.split("\t")[1:]) for line in lines if line.startswith(kind + "\t")]
    assert rows, f"vectors.tsv has no rows of {kind}"
    return rows


def options(fields: str) -> dict[str, Any] | None:
    """Return the keyword arguments for the column options. What no such argument says is None: reserved fields."""
    order, scale, width, height, interpolation, *region, reserved = map(int, fields.split(","))
    given = {
        "order": order or None,
        "scale": scale or None,
        "size": (width, height) if width or height else None,
        "interpolation": interpolation or None,
        "region": tuple(region) if any(region) else None,
    }
    return None if reserved else given


def code(result: str) -> shmcv.ErrorCode:
    """Return the error code for vectors.tsv's E_SOMETHING or OK."""
    return shmcv.ErrorCode[result[2:] if result.startswith("E_") else result]


class Geometry(NamedTuple):
    """An image, as six columns of vectors.tsv describe it. The last column is the checksum of its pixels."""

    width: int
    height: int
    channels: int
    depth: str
    order: str
    crc32: str

    @classmethod
    def parse(cls, columns: tuple[str, ...]) -> Geometry:
        width, height, channels, depth, order, crc32 = columns
        return cls(int(width), int(height), int(channels), depth, order, crc32)

    @classmethod
    def of(cls, segment: shmcv.Segment) -> Geometry:
        image = segment.image
        names = image.depth.name.lower(), image.order.name.lower()
        return cls(image.width, image.height, image.channels, *names, crc32(segment.array))


def clear(name: str) -> None:
    """Remove a name, if it is still there. On Windows the last close has removed it."""
    with contextlib.suppress(shmcv.NotFoundError):
        shmcv.clear(name)


def crc32(pixels: np.ndarray[Any, Any]) -> str:
    """Return the checksum of pixels without the gaps between rows."""
    return f"{zlib.crc32(np.ascontiguousarray(pixels)):08x}"


def environment(**changes: str | None) -> dict[str, str]:
    """Return our environment with changes (None: unset), which lead ``import shmcv`` to the package under test."""
    path = os.pathsep.join(filter(None, [str(IMPORTED), os.environ.get("PYTHONPATH")]))
    wanted = {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **changes}
    return {variable: value for variable, value in wanted.items() if value is not None}


def errors_of(stderr: str) -> str:
    """Return what a program itself has printed. QEMU, on which it may run, adds a line when a signal kills it."""
    return re.sub(r"^qemu: uncaught target signal .*\n", "", stderr, flags=re.MULTILINE)


def soon(question: Callable[[], bool]) -> bool:
    """Ask again and again, until the answer is True or the patience is at its end. Returns the last answer."""
    end = time.monotonic() + PATIENCE
    while not (answer := question()) and time.monotonic() < end:
        pass
    return answer


def python(
    program: str, *arguments: object, env: dict[str, str] | None = None, prefix: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a Python program to its end. The test fails if the program fails, or does not end in time."""
    done = subprocess.run(
        [*prefix, sys.executable, "-c", program, *map(str, arguments)],
        env=environment() if env is None else env,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def in_a_namespace(*mount: str) -> tuple[str, ...]:
    """Return a command that mounts a small file system for a program alone. Skip the test if that is refused."""
    prefix = ("unshare", "--mount", "sh", "-c", f'mount -t tmpfs {" ".join(mount)} && exec "$@"', "sh")
    try:
        python("", prefix=prefix)
    except (AssertionError, FileNotFoundError) as reason:
        pytest.skip(f"cannot mount a small file system here: {re.sub(r'[^ -~]+', ' ', str(reason))}")
    return prefix


def compiled(source: Path, folder: Path) -> list[str]:
    """Compile a C program as the README says, with the library under test, and return its command."""
    command = system.compiled(source, folder, ROOT / "include", LIBRARY)
    if command is None:
        pytest.skip("NO C COMPILER ('cc') HERE")
    return command


def built(project: Path, folder: Path) -> list[str]:
    """Build a C# program outside the repository, where another build may be running, and return its command."""
    command = system.built(project, folder)
    if command is None:
        pytest.skip("NO .NET SDK ('dotnet') HERE: C# IS NOT TESTED TOGETHER WITH THE OTHER LANGUAGES")
    return command


#: X alone. If there is a Wayland compositor, the plugin would use that.
NO_DISPLAY = {"DISPLAY": None, "WAYLAND_DISPLAY": None}


def on(display: str) -> dict[str, str]:
    return environment(**{**NO_DISPLAY, "DISPLAY": display, "GDK_BACKEND": "x11"})


def xdotool(display: str, *arguments: str) -> str:
    done = subprocess.run(
        ["xdotool", *arguments],
        env=on(display),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    return done.stdout.strip()


def window_of(display: str, title: str) -> str:
    """Wait until a window of that title is on the screen, and return the window's number."""
    return xdotool(display, "search", "--sync", "--onlyvisible", "--name", f"^{title}$").split()[0]


def press(display: str, window: str, key: str) -> None:
    """Press a key, as a user would. Without a window manager the window under the mouse gets the key."""
    xdotool(display, "mousemove", "--window", window, "20", "20", "key", key)


class Process:
    """A Python program that runs beside the test. The program writes lines by print() and reads lines by input()."""

    def __init__(self, program: str, *arguments: object, env: dict[str, str] | None = None) -> None:
        self.child = subprocess.Popen(
            [*ENDS_WITH_US, sys.executable, "-c", program, *map(str, arguments)],
            env=environment() if env is None else env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            creationflags=OWN_CONSOLE,
        )
        assert self.child.stdin
        assert self.child.stdout
        self._input, self._output = self.child.stdin, self.child.stdout
        self._heard = b""

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.child.kill()
        self.child.communicate()

    def hear(self) -> str:
        """Return the next line that the program prints. The test fails if there is none in time."""
        while b"\n" not in self._heard:
            more = self._read()
            assert more is not None, "the program is silent"
            assert more, "the program ended: " + self.child.communicate()[1]
            self._heard += more
        line, self._heard = self._heard.split(b"\n", 1)
        return line.decode().removesuffix("\r")

    def _read(self) -> bytes | None:
        """Return what the program has printed, as soon as there is some; None if there is none in time.

        A thread waits for it: Windows has no select() for pipes.
        """
        got: list[bytes] = []
        # os.read passes by Python's own buffer, which communicate() would not empty.
        reader = threading.Thread(target=lambda: got.append(os.read(self._output.fileno(), 4096)), daemon=True)
        reader.start()
        reader.join(PATIENCE)
        return got[0] if got else None

    def say(self, line: str = "") -> None:
        """Write a line, which the program's input() returns."""
        self._input.write(line + "\n")
        self._input.flush()

    def end(self) -> str:
        """Wait for the program to end without an error, and return the output that hear() has not returned."""
        stdout, stderr = self.child.communicate(timeout=PATIENCE)
        assert self.child.returncode == 0, f"exit code {self.child.returncode}\n{stdout}\n{stderr}"
        return self._heard.decode() + str(stdout)
