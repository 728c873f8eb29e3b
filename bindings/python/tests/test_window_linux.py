"""Windows, on a real X server: the pixels on the screen, keys, closing, and errors without a display."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess

import cv2
import numpy as np
import pytest
from conftest import screen
from support import (
    NO_DISPLAY,
    PATIENCE,
    PHOTOGRAPH,
    TESTDATA,
    Process,
    environment,
    on,
    press,
    python,
    soon,
    window_of,
    xdotool,
)

import shmcv


def screenshot(display: str) -> np.ndarray:
    done = subprocess.run(
        ["import", "-window", "root", "ppm:-"],
        env=on(display),
        capture_output=True,
        timeout=PATIENCE,
        check=True,
    )
    return cv2.imdecode(np.frombuffer(done.stdout, np.uint8), cv2.IMREAD_COLOR)


def seen(display: str, window: str, wanted: np.ndarray) -> bool:
    """Return True if the screen shows these pixels at the window's place."""
    place = dict(re.findall(r"^(\w+)=(\d+)$", xdotool(display, "getwindowgeometry", "--shell", window), re.M))
    x, y = int(place["X"]), int(place["Y"])
    height, width = wanted.shape[:2]
    part = screenshot(display)[y : y + height, x : x + width]
    return part.shape == wanted.shape and bool((part == wanted).all())


def comes_to_show(display: str, window: str, wanted: np.ndarray) -> bool:
    """Look again and again: X does not tell when a program has drawn."""
    return soon(lambda: seen(display, window, wanted))


#: Shows an image in a window and prints that. Then it waits in delay for keys, and prints each. "q" ends it.
VIEWER = """
import sys, shmcv
with shmcv.Segment.open(sys.argv[1]) as segment:
    segment.show(sys.argv[2])
    print("shown")
    while (key := shmcv.delay(60_000)) != ord("q"):
        print("key", key)
        if key == ord("r"):
            segment.show(sys.argv[2])
shmcv.close_windows()
print("closed")
"""


def test_the_screen_shows_the_photograph_and_a_key_comes_back(display, create):
    segment = create(3840 * 2160 * 3)
    segment.load(PHOTOGRAPH)
    with Process(VIEWER, segment.name, "photograph", env=on(display)) as viewer:
        assert viewer.hear() == "shown"
        window = window_of(display, "photograph")
        assert comes_to_show(display, window, segment.array)
        press(display, window, "k")
        assert viewer.hear() == f"key {ord('k')}"
        segment.flip(shmcv.FlipCode.HORIZONTAL)
        press(display, window, "r")
        assert viewer.hear() == f"key {ord('r')}"
        assert comes_to_show(display, window, segment.array)
        press(display, window, "q")
        assert viewer.end() == "closed\n"


@pytest.fixture
def small_display():
    """The DISPLAY of an X server with the screen of a small notebook."""
    with screen("1024x768x24") as display:
        yield display


def geometry(display: str, window: str) -> tuple[int, int, int, int]:
    """Return the window's left, top, width and height."""
    place = dict(re.findall(r"^(\w+)=(\d+)$", xdotool(display, "getwindowgeometry", "--shell", window), re.M))
    return int(place["X"]), int(place["Y"]), int(place["WIDTH"]), int(place["HEIGHT"])


def comes_to_have(display: str, window: str, width: int, height: int) -> bool:
    """Look again and again whether the window has that size."""
    return soon(lambda: geometry(display, window)[2:] == (width, height))


def test_a_window_fits_on_the_screen_and_can_be_resized(small_display, create):
    display, segment = small_display, create(3840 * 2160 * 3)
    segment.load(PHOTOGRAPH)
    photograph = segment.read()
    with Process(VIEWER, segment.name, "photograph", env=on(display)) as viewer:
        assert viewer.hear() == "shown"
        window = window_of(display, "photograph")
        width, height = 1008, 567  # 16 pixels of the screen's width are left for the window's frame
        assert comes_to_have(display, window, width, height)
        assert comes_to_show(display, window, cv2.resize(photograph, (width, height), interpolation=cv2.INTER_AREA))

        # A smaller window of other proportions has the whole picture in its middle.
        xdotool(display, "windowsize", window, "400", "400")
        assert comes_to_have(display, window, 400, 400)
        middle = cv2.resize(photograph, (400, 225), interpolation=cv2.INTER_AREA)
        left, top, *_ = geometry(display, window)
        above = (400 - 225) // 2

        def is_in_the_middle() -> bool:
            part = screenshot(display)[top + above : top + above + 225, left : left + 400]
            return bool((part == middle).all())

        assert soon(is_in_the_middle)

        # It keeps its size when it shows another image of that size. One of another size gets a window of its own size.
        segment.flip(shmcv.FlipCode.VERTICAL)
        press(display, window, "r")
        assert viewer.hear() == f"key {ord('r')}"
        middle = cv2.resize(photograph[::-1], (400, 225), interpolation=cv2.INTER_AREA)
        assert soon(is_in_the_middle)
        segment.load(TESTDATA / "patches.png")
        press(display, window, "r")
        assert viewer.hear() == f"key {ord('r')}"
        # The old window may still be there when xdotool looks.
        assert soon(lambda: geometry(display, window_of(display, "photograph"))[2:] == (240, 120))
        window = window_of(display, "photograph")
        assert comes_to_show(display, window, segment.array)
        press(display, window, "q")
        assert viewer.end() == "closed\n"


def test_a_tall_image_fits_too(small_display, create):
    segment = create(image=shmcv.ImageInfo(500, 3000, shmcv.ColorOrder.GRAY))
    segment.array[:] = np.linspace(0, 255, 3000, dtype=np.uint8)[:, None]
    with Process(VIEWER, segment.name, "tall", env=on(small_display)) as viewer:
        assert viewer.hear() == "shown"
        assert comes_to_have(small_display, window_of(small_display, "tall"), 320, 720)


#: X's names of keys, and what delay returns for them.
KEYS = {
    "a": ord("a"),
    "A": ord("A"),
    "Q": ord("Q"),
    "5": ord("5"),
    "space": ord(" "),
    "Left": shmcv.KEY_LEFT,
    "Up": shmcv.KEY_UP,
    "Right": shmcv.KEY_RIGHT,
    "Down": shmcv.KEY_DOWN,
    "shift+Left": shmcv.KEY_LEFT,
    "Home": shmcv.KEY_HOME,
    "End": shmcv.KEY_END,
    "Prior": shmcv.KEY_PAGE_UP,
    "Next": shmcv.KEY_PAGE_DOWN,
    "Insert": shmcv.KEY_INSERT,
    "Delete": shmcv.KEY_DELETE,
    "F1": shmcv.KEY_F1,
    "F12": shmcv.KEY_F1 + 11,
    "Return": shmcv.KEY_ENTER,
    "Escape": shmcv.KEY_ESCAPE,
    "Tab": shmcv.KEY_TAB,
    "BackSpace": shmcv.KEY_BACKSPACE,
    "KP_Left": shmcv.KEY_LEFT,
    "KP_Enter": shmcv.KEY_ENTER,
    "KP_Add": ord("+"),
    "Shift_L": None,
    "Control_R": None,
    "Alt_L": None,
}


def test_keys_without_a_character_are_told_from_letters(display, create):
    segment = create(240 * 120 * 3)
    segment.load(TESTDATA / "patches.png")
    with Process(VIEWER, segment.name, "keys", env=on(display)) as viewer:
        assert viewer.hear() == "shown"
        window = window_of(display, "keys")
        for key, number in KEYS.items():
            press(display, window, key)
            if number is not None:
                assert viewer.hear() == f"key {number}", key
        press(display, window, "q")  # the keys that are none have not been told
        assert viewer.end() == "closed\n"


def test_the_loader_tells_keys_as_opencv_does(monkeypatch):
    for key, told in ((ord("Q"), 81), (shmcv.KEY_LEFT, 81), (shmcv.NO_KEY, -1), (27, 27)):
        monkeypatch.setattr("shmcv.loader.delay", lambda _, key=key: key)
        assert shmcv.ImageLoader().Delay(1) == told


@pytest.mark.parametrize("order", shmcv.ColorOrder, ids=lambda order: order.name)
def test_colours_on_the_screen_are_right_whatever_their_order(order, display, create):
    segment = create(240 * 120 * 4)
    segment.load(TESTDATA / "patches.png")
    bgr = segment.read(shmcv.ColorOrder.GRAY) if order == shmcv.ColorOrder.GRAY else segment.read()
    segment.convert_into(segment, order)
    wanted = cv2.cvtColor(bgr, cv2.COLOR_GRAY2BGR) if bgr.ndim == 2 else bgr
    with Process(VIEWER, segment.name, "patches", env=on(display)) as viewer:
        assert viewer.hear() == "shown"
        window = window_of(display, "patches")
        assert comes_to_show(display, window, wanted)
        press(display, window, "q")
        assert viewer.end() == "closed\n"


def test_a_plain_shared_memory_segment_is_shown(display, name):
    pixels = cv2.imread(os.fspath(TESTDATA / "patches.png"))
    program = """
import sys, shmcv
loader = shmcv.ImageLoader()
loader.Show("plain", sys.argv[1], 120, 240, 3)
print("shown", flush=True)
while loader.Delay(60_000) != ord("q"):
    pass
loader.CloseWindows()
"""
    file = os.path.join("/dev/shm", name)  # noqa: S108, PTH118
    with open(file, "wb") as plain:  # noqa: PTH123
        plain.write(pixels.tobytes())
    try:
        with Process(program, name, env=on(display)) as viewer:
            assert viewer.hear() == "shown"
            window = window_of(display, "plain")
            assert comes_to_show(display, window, pixels)
            press(display, window, "q")
            viewer.end()
    finally:
        os.unlink(file)  # noqa: PTH108


class ClientMessage(ctypes.Structure):
    """XClientMessageEvent, as long as the largest of X's events."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 17),
    )


def click_its_x(display: str, window: str) -> None:
    """Send a window what a window manager sends when the user clicks its X. Older versions of xdotool cannot."""
    x11 = ctypes.CDLL("libX11.so.6")  # it is here: xdotool needs it
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XInternAtom.restype = ctypes.c_ulong
    server = ctypes.c_void_p(x11.XOpenDisplay(display.encode()))
    assert server
    message = ClientMessage(type=33, window=int(window), format=32)  # ClientMessage in X.h
    message.message_type = x11.XInternAtom(server, b"WM_PROTOCOLS", False)
    message.data[0] = x11.XInternAtom(server, b"WM_DELETE_WINDOW", False)
    assert x11.XSendEvent(server, ctypes.c_ulong(int(window)), False, ctypes.c_long(0), ctypes.byref(message))
    x11.XCloseDisplay(server)


#: Opens a window, waits for a key without an end, and opens the window again when the user has closed it.
CLOSED_BY_ITS_USER = """
import sys, shmcv
with shmcv.Segment.open(sys.argv[1]) as segment:
    segment.show("window")
    print("shown")
    print("answer", shmcv.delay(0))
    segment.show("window")
    print("shown again")
    print("key", shmcv.delay(0))
    shmcv.close_window("window")
    shmcv.close_window("window")
    shmcv.close_window("never opened")
    print("answer", shmcv.delay(0))
"""


def test_a_window_closed_by_its_x_ends_the_wait_and_opens_again(display, create):
    segment = create(240 * 120 * 3)
    segment.load(TESTDATA / "patches.png")
    with Process(CLOSED_BY_ITS_USER, segment.name, env=on(display)) as viewer:
        assert viewer.hear() == "shown"
        click_its_x(display, window_of(display, "window"))
        assert viewer.hear() == "answer -1"
        assert viewer.hear() == "shown again"
        window = window_of(display, "window")
        assert comes_to_show(display, window, segment.array)
        press(display, window, "y")
        assert viewer.hear() == f"key {ord('y')}"
        assert viewer.hear() == "answer -1"
        viewer.end()


#: Waits until Ctrl-C interrupts it. Everything works afterwards.
INTERRUPTED = """
import sys, shmcv
with shmcv.Segment.open(sys.argv[1]) as segment:
    segment.show("window")
    try:
        print("waiting")
        shmcv.delay(int(sys.argv[2]))
    except KeyboardInterrupt:
        print("interrupted")
    shmcv.close_windows()
    segment.flip(1)
    print("alive")
"""


@pytest.mark.parametrize("milliseconds", [0, 2**31 - 1])
def test_ctrl_c_ends_a_wait_with_a_window_open(milliseconds, display, create):
    segment = create(240 * 120 * 3)
    segment.load(TESTDATA / "patches.png")
    with Process(INTERRUPTED, segment.name, milliseconds, env=on(display)) as viewer:
        assert viewer.hear() == "waiting"
        window_of(display, "window")  # windows are drawn in delay, so the program is in delay now
        viewer.child.send_signal(signal.SIGINT)
        assert viewer.hear() == "interrupted"
        assert viewer.hear() == "alive"
        viewer.end()


SHOW = """
import sys, shmcv
with shmcv.Segment.open(sys.argv[1]) as segment:
    try:
        segment.show("window")
    except shmcv.NoDisplayError as problem:
        print(problem)
    segment.flip(1)
    assert shmcv.delay(1) == -1
    assert shmcv.delay(0) == -1
    shmcv.close_windows()
"""


@pytest.mark.parametrize("unserved", [None, "", ":4711", "nonsense", "unknown.invalid:0"])
def test_no_display_is_an_error_and_not_the_end(unserved, create):
    segment = create(image=shmcv.ImageInfo(4, 4))
    done = python(SHOW, segment.name, env=environment(**{**NO_DISPLAY, "DISPLAY": unserved}))
    assert done.stdout.strip()
    assert done.stderr == ""


def test_a_window_name_must_be_a_name(display, create):
    program = """
import sys, shmcv
with shmcv.Segment.open(sys.argv[1]) as segment:
    for name in ("", "with\\0nul", b"\\xff"):
        for use in (segment.show, lambda name: shmcv.show(name, segment)):
            try:
                use(name)
            except shmcv.InvalidError:
                continue
            raise SystemExit(f"{name!r} was taken for a name")
"""
    python(program, create(image=shmcv.ImageInfo(4, 4)).name, env=on(display))


@pytest.mark.parametrize("milliseconds", [2**31, -(2**31) - 1, 2**32 + 1])
def test_times_beyond_the_range_are_refused(milliseconds):
    with pytest.raises(shmcv.InvalidError, match="milliseconds"):
        shmcv.delay(milliseconds)
    with pytest.raises(TypeError):
        shmcv.delay(0.5)  # type: ignore[arg-type]
