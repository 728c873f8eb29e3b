"""Windows on Windows: the pixels on the screen, keys, and closing. They need a display: under Wine, an X server."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from ctypes import wintypes
from pathlib import Path

import numpy as np
import PIL.ImageGrab
import pytest
from support import PATIENCE, PHOTOGRAPH, ROOT, TESTDATA, Process, soon
from system import interrupt, present

import shmcv

user = ctypes.WinDLL("user32", use_last_error=True)
user.FindWindowW.restype = wintypes.HWND
user.FindWindowExW.restype = wintypes.HWND
user.FindWindowExW.argtypes = [wintypes.HWND, wintypes.HWND, wintypes.LPCWSTR, wintypes.LPCWSTR]
user.ClientToScreen.argtypes = [wintypes.HWND, ctypes.POINTER(wintypes.POINT)]
user.PostMessageW.argtypes = [wintypes.HWND, wintypes.UINT, wintypes.WPARAM, wintypes.LPARAM]

WM_CLOSE, WM_KEYDOWN, WM_CHAR = 0x0010, 0x0100, 0x0102
VK_ESCAPE = 0x1B


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


def seen(window: int, *wanted: np.ndarray) -> bool:
    """Return true if the screen shows the pixels of one of these pictures of one size in the window."""
    picture = user.FindWindowExW(window, None, None, None) or window
    at = wintypes.POINT(0, 0)
    user.ClientToScreen(picture, ctypes.byref(at))
    height, width = wanted[0].shape[:2]
    part = np.asarray(PIL.ImageGrab.grab())[at.y : at.y + height, at.x : at.x + width, ::-1]
    return any(np.array_equal(part, each) for each in wanted)


def sample(name: str, *arguments: object) -> Process:
    """Start a sample as its user does."""
    line = [str(ROOT / "python-sample" / name), *map(str, arguments)]
    return Process(f"import runpy, sys; sys.argv = {line!r}; runpy.run_path(sys.argv[0], run_name='__main__')")


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
    with sample("flip.py", PHOTOGRAPH, tmp_path / "flipped.png") as running:
        assert "showed both" in running.end()


def test_the_viewer_shows_what_the_producer_publishes(name: str, create: Callable[..., shmcv.Segment]) -> None:
    segment = create(240 * 120 * 3)
    segment.load(TESTDATA / "patches.png")
    moved = [np.roll(segment.array, -shift, axis=1) for shift in range(0, 240, 4)]
    with sample("producer.py", "--fps", 4, name, TESTDATA / "patches.png"):
        with shmcv.Stream.open(name, timeout=PATIENCE), sample("viewer.py", name) as viewer:
            window = window_of(name)
            assert soon(lambda: seen(window, *moved))
            user.PostMessageW(window, WM_CHAR, ord("x"), 0)  # no key of the viewer's
            user.PostMessageW(window, WM_CHAR, ord("q"), 0)
            assert viewer.end().splitlines()[-1].startswith("saw ")
        with sample("viewer.py", name) as viewer:
            user.PostMessageW(window_of(name), WM_KEYDOWN, VK_ESCAPE, 0)
            assert viewer.end().splitlines()[-1].startswith("saw ")
    shmcv.sweep()  # the small file of the producer, which was killed


def test_the_viewer_shows_what_the_overlay_has_found(name: str) -> None:
    image = shmcv.ImageInfo(640, 480, shmcv.ColorOrder.BGR)
    wanted = np.zeros((480, 640, 3), np.uint8)
    wanted[97:243, 197:303] = (0, 255, 0)  # the box, 3 pixels wide, around what is red
    wanted[100:240, 200:300] = (0, 0, 200)
    stop = threading.Event()

    def capture() -> None:
        with shmcv.Stream.create(name, image.size, clear_on_close=True) as camera:
            while not stop.wait(0.05):
                with camera.begin() as frame:
                    frame.image = image
                    frame.array[:] = 0
                    frame.array[100:240, 200:300, 2] = 200

    camera = threading.Thread(target=capture)
    with sample("overlay.py", name, f"{name}-overlay") as overlay:
        assert overlay.hear().startswith("the overlay draws on ")
        camera.start()
        try:
            with (
                shmcv.Stream.open(f"{name}-overlay", timeout=PATIENCE),
                sample("viewer.py", f"{name}-overlay") as viewer,
            ):
                window = window_of(f"{name}-overlay")
                assert soon(lambda: seen(window, wanted))
                user.PostMessageW(window, WM_CHAR, ord("q"), 0)
                assert viewer.end().splitlines()[-1].startswith("saw ")
            interrupt(overlay.child)
            assert overlay.end().startswith("the overlay has published ")
        finally:
            stop.set()
            camera.join()
    assert name not in present()
