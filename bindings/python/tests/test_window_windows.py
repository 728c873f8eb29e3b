"""Windows on Windows: the pixels on the screen, keys, and closing. They need a display: under Wine, an X server."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import wintypes
from pathlib import Path

import numpy as np
import PIL.ImageGrab
import pytest
from support import PHOTOGRAPH, ROOT, TESTDATA, Process, soon

import shmcv

user = ctypes.WinDLL("user32", use_last_error=True)
user.FindWindowW.restype = wintypes.HWND
user.FindWindowExW.restype = wintypes.HWND
user.FindWindowExW.argtypes = [wintypes.HWND, wintypes.HWND, wintypes.LPCWSTR, wintypes.LPCWSTR]
user.ClientToScreen.argtypes = [wintypes.HWND, ctypes.POINTER(wintypes.POINT)]
user.PostMessageW.argtypes = [wintypes.HWND, wintypes.UINT, wintypes.WPARAM, wintypes.LPARAM]

WM_CLOSE, WM_KEYDOWN, WM_CHAR = 0x0010, 0x0100, 0x0102


def has_a_display() -> bool:
    """Return true if this process can draw windows."""
    try:
        return PIL.ImageGrab.grab().size > (1, 1)
    except OSError:
        return False


pytestmark = pytest.mark.skipif(not has_a_display(), reason="no display here: windows cannot be tested")


def window_of(title: str) -> int:
    """Wait until a window of that title is there, and return its handle."""
    found: list[int] = []
    assert soon(lambda: bool(found.append(user.FindWindowW(None, title)) or found[-1]))
    return found[-1]


def seen(window: int, wanted: np.ndarray) -> bool:
    """Return true if the screen shows these pixels in the window."""
    picture = user.FindWindowExW(window, None, None, None) or window
    at = wintypes.POINT(0, 0)
    user.ClientToScreen(picture, ctypes.byref(at))
    height, width = wanted.shape[:2]
    part = np.asarray(PIL.ImageGrab.grab())[at.y : at.y + height, at.x : at.x + width, ::-1]
    return part.shape == wanted.shape and bool((part == wanted).all())


VIEWER = """
import sys, shmcv
with shmcv.Segment.open(sys.argv[1]) as segment:
    segment.show(sys.argv[2])
    print("shown")
    while (key := shmcv.delay(60_000)) != ord("q"):
        print("key", key)
        segment.show(sys.argv[2])
shmcv.close_windows()
print("closed")
"""


def test_the_screen_shows_the_image_and_a_key_comes_back(create: Callable[..., shmcv.Segment], name: str) -> None:
    segment = create(240 * 120 * 3)
    segment.load(TESTDATA / "patches.png")
    with Process(VIEWER, segment.name, name) as viewer:
        assert viewer.hear() == "shown"
        window = window_of(name)
        assert soon(lambda: seen(window, segment.array))
        segment.flip(shmcv.FlipCode.BOTH)
        user.PostMessageW(window, WM_CHAR, ord("k"), 0)
        assert viewer.hear() == f"key {ord('k')}"
        assert soon(lambda: seen(window, segment.array))
        user.PostMessageW(window, WM_CHAR, ord("q"), 0)
        assert viewer.hear() == "closed"
        viewer.end()


def test_a_window_that_its_user_closes_ends_the_wait(create: Callable[..., shmcv.Segment], name: str) -> None:
    segment = create(240 * 120 * 3)
    segment.load(TESTDATA / "patches.png")
    with Process(VIEWER, segment.name, name) as viewer:
        assert viewer.hear() == "shown"
        user.PostMessageW(window_of(name), WM_CLOSE, 0, 0)
        assert viewer.hear() == "key -1"
        user.PostMessageW(window_of(name), WM_CHAR, ord("q"), 0)  # it was shown again
        assert viewer.hear() == "closed"
        viewer.end()


def test_the_sample_shows_both_pictures(tmp_path: Path) -> None:
    sample = ROOT / "python-sample" / "flip.py"
    line = [str(sample), str(PHOTOGRAPH), str(tmp_path / "flipped.png")]
    program = f"import runpy, sys; sys.argv = {line!r}; runpy.run_path(sys.argv[0], run_name='__main__')"
    with Process(program) as running:
        assert "showed both" in running.end()
