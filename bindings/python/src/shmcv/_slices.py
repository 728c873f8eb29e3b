"""Waiting in slices: Python notices Ctrl-C only between calls of the library."""

from __future__ import annotations

import time
from collections.abc import Callable

from ._native import ErrorCode
from .error import check

#: The longest that one call waits.
SLICE_MS = 100


def in_slices(wait: Callable[[int], int], timeout: float | None) -> None:
    """Call ``wait`` with milliseconds until it is not the time that is up, or the whole time is.

    ``timeout`` is in seconds, None for a wait without an end. Raises what ``wait`` answers, TimedOutError at the end.
    """
    end = None if timeout is None else time.monotonic() + timeout
    while True:
        left = SLICE_MS if end is None else max(0.0, (end - time.monotonic()) * 1000)
        status = wait(SLICE_MS if left >= SLICE_MS else -int(-left // 1))  # rounded up: 0.5 ms is not a mere look
        if status != ErrorCode.TIMEOUT or (end is not None and time.monotonic() >= end):
            return check(status)
