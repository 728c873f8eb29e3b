"""Windows: to look at a segment's image.

They need a display and GTK 3; without these ``show`` raises NoDisplayError and everything else works. Windows are drawn
while some thread is in ``delay``.
"""

from __future__ import annotations

import ctypes
import threading
import time
from queue import SimpleQueue

from ._arguments import integer, text
from ._library import library
from ._memory import SegmentBase
from .error import check

_SLICE = 100  # ms. Python looks at its signals, Ctrl-C among them, only between two calls of the library


def show(window: str, segment: SegmentBase) -> None:
    """Draw a segment's image in the window of that name, which is opened if need be.

    The window shows the pixels as they are now; show again when they have changed.

    Raises NoDisplayError with what is missing; NoImageError; InvalidError for an empty name.
    """
    check(library().shmcv_show(text("window", window), segment._handle))


def delay(milliseconds: int) -> int:
    """Let the windows live for that long, or until a key is pressed in one; give its character code, or -1.

    0, or less, waits for a key without an end. Where no window is open it sleeps for the time, and returns at once
    for 0. Ctrl-C ends it with KeyboardInterrupt, as it does any wait in Python.
    """
    milliseconds = integer("milliseconds", milliseconds, ctypes.c_int32)
    if milliseconds <= 0:
        return _wait_for_key()
    end = time.monotonic_ns() + milliseconds * 1_000_000
    key = _native_delay(min(milliseconds, _SLICE))
    while key < 0 and (left := -((time.monotonic_ns() - end) // 1_000_000)) > 0:
        key = _native_delay(min(left, _SLICE))
    return key


def close_window(window: str) -> None:
    """Close the window of that name. One that is not open is no error."""
    check(library().shmcv_close_window(text("window", window)))


def close_windows() -> None:
    """Close all windows that this process has opened here."""
    check(library().shmcv_close_windows())


class Show(SegmentBase):
    """Looking at it."""

    def show(self, window: str) -> None:
        """Draw the image in the window of that name; see ``shmcv.show``."""
        show(window, self)


def _native_delay(milliseconds: int) -> int:
    key = ctypes.c_int32(-1)
    check(library().shmcv_delay(milliseconds, ctypes.byref(key)))
    return key.value


def _wait_for_key() -> int:
    """Wait without an end. Slices would not do: only the endless wait itself returns once the last window is closed.

    So another thread waits, and this one for that, which Ctrl-C interrupts. The other is a daemon: it keeps no process
    from ending, and is done when the windows are.
    """
    answer: SimpleQueue[int | BaseException] = SimpleQueue()

    def wait() -> None:
        try:
            answer.put(_native_delay(0))
        except BaseException as problem:  # it is raised again where somebody can catch it
            answer.put(problem)

    threading.Thread(target=wait, name="shmcv delay", daemon=True).start()
    key = answer.get()
    if isinstance(key, BaseException):
        raise key
    return key
