"""Waiting in slices. Python notices Ctrl-C only between two calls of the library, so no call may wait for long."""

from __future__ import annotations

import time
from collections.abc import Callable

from ._check import check
from .constants import ErrorCode

#: The longest time that one call waits, in milliseconds.
SLICE_MS = 100


def in_slices(wait: Callable[[int], int], timeout: float | None) -> None:
    """Call ``wait`` again and again until it returns another code than TIMEOUT, or the time is up.

    ``wait`` takes milliseconds and returns a code of the library. ``timeout`` is in seconds; None waits without an end.
    Raises the exception of the last code, which is TimeoutError when the time is up.
    """
    end = None if timeout is None else time.monotonic() + timeout
    while True:
        left = SLICE_MS if end is None else max(0.0, (end - time.monotonic()) * 1000)
        # Rounded up: 0.5 ms must not become 0, which does not sleep.
        status = wait(SLICE_MS if left >= SLICE_MS else -int(-left // 1))
        if status != ErrorCode.TIMEOUT or (end is not None and time.monotonic() >= end):
            return check(status)
