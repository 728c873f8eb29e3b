"""Windows: to look at an image.

They need a display and GTK 3. Without these ``show`` raises NoDisplayError, and everything else works. Windows are
drawn while some thread is in ``delay``.
"""

from __future__ import annotations

import ctypes
import threading
import time
from queue import SimpleQueue
from typing import TYPE_CHECKING

from ._arguments import integer, text
from ._check import check
from ._library import library
from ._memory import PixelsBase
from ._slices import SLICE_MS
from .constants import NO_KEY

if TYPE_CHECKING:
    from .pixels import Pixels


def show(window: str, pixels: Pixels) -> None:
    """Draw the image of a segment or frame in the window of that name, and open the window if need be.

    The window shows the pixels as they are now; show again when they have changed. A window that the user has closed is
    opened again. It has the size of the image, or, if the screen is smaller, the largest of its proportions that fits
    on the screen. The user may resize a window of at least 320 x 240; the image is scaled to it, in its own
    proportions.

    Raises NoDisplayError with what is missing; NoImageError; InvalidError for an empty name.
    """
    _show(window, pixels)


def delay(milliseconds: int) -> int:
    """Let the windows live for that many milliseconds, or until a key is pressed in one of them.

    Returns the key's character code (0 to 255); or, of a key without a character, its number above 255, such as
    KEY_LEFT; or NO_KEY if no key was pressed. Shift and the like are no keys. 0, or less, waits for a key without an
    end. If no window is open, no key can be pressed: the function sleeps for the time, and returns at once for 0.
    Ctrl-C ends it with KeyboardInterrupt.
    """
    milliseconds = integer("milliseconds", milliseconds, ctypes.c_int32)
    if milliseconds <= 0:
        return _wait_for_key()
    end = time.perf_counter_ns() + milliseconds * 1_000_000
    key = _native_delay(min(milliseconds, SLICE_MS))
    while key == NO_KEY and (left := -((time.perf_counter_ns() - end) // 1_000_000)) > 0:
        key = _native_delay(min(left, SLICE_MS))
    return key


def close_window(window: str) -> None:
    """Close the window of that name. A window that is not open is no error."""
    check(library().shmcv_close_window(text("window", window)))


def close_windows() -> None:
    """Close all windows that this process has opened through the library."""
    check(library().shmcv_close_windows())


class Show(PixelsBase):
    """Looking at pixels."""

    def show(self, window: str) -> None:
        """Draw the image in the window of that name; see ``shmcv.show``."""
        _show(window, self)


def _show(window: str, pixels: PixelsBase) -> None:
    check(library().shmcv_show(text("window", window), pixels._handle))


def _native_delay(milliseconds: int) -> int:
    key = ctypes.c_int32(NO_KEY)
    check(library().shmcv_delay(milliseconds, ctypes.byref(key)))
    return key.value


def _wait_for_key() -> int:
    """Wait for a key without an end.

    Slices would not do: only the library's endless wait returns when the user closes the last window. So another thread
    calls the library, and this thread waits for that thread, in a way that Ctrl-C interrupts. The other thread is a
    daemon, which does not keep the process from ending. It ends when the windows are closed.
    """
    answer: SimpleQueue[int | BaseException] = SimpleQueue()

    def wait() -> None:
        try:
            answer.put(_native_delay(0))
        except BaseException as problem:  # raised again below, on the caller's thread
            answer.put(problem)

    threading.Thread(target=wait, name="shmcv delay", daemon=True).start()
    key = answer.get()
    if isinstance(key, BaseException):
        raise key
    return key
