"""Waiting in slices. Python notices Ctrl-C only between two calls of the library, so no call waits for long."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from ._check import check
from .constants import ErrorCode
from .error import InvalidError, TimeoutError  # noqa: A004 # shmcv's own

_TIMEOUT = int(ErrorCode.TIMEOUT)

# Times are of time.perf_counter: time.monotonic of Python 3.12 and earlier goes in steps of 16 ms on Windows.

#: The longest time that one call waits, in milliseconds. An object that another thread closes is noticed after a slice.
SLICE_MS = 50


def seconds(timeout: float | None) -> float | None:
    """Return a caller's timeout, or None if it is without an end: None, a negative number, or infinity.

    Raises InvalidError for one that is not a number.
    """
    if timeout is None:
        return None
    if math.isnan(timeout):
        raise InvalidError("shmcv: timeout is NaN; it is in seconds, or None or negative to wait without an end")
    return None if timeout < 0 or math.isinf(timeout) else float(timeout)


def too_late(what: str, timeout: float | None) -> TimeoutError:
    """Return the error of a wait that has taken its whole time."""
    return TimeoutError(f"shmcv: {what} within {timeout:g} s")


def in_slices(
    wait: Callable[[int], int], timeout: float | None, what: str, spin: float = 0, asked: str | None = None
) -> None:
    """Call ``wait`` again and again until it returns another code than TIMEOUT, or the time is up.

    ``wait`` takes milliseconds and returns a code of the library. ``timeout`` is a caller's. ``what`` says what has not
    happened in time, ``asked`` is for ``check``. For ``spin`` seconds no call sleeps. Raises the exception of the last
    code, which is TimeoutError when the time is up.
    """
    limit = seconds(timeout)
    end = None if limit is None else time.perf_counter() + limit
    if spin:
        # The library could spin too. But then the processor would no longer have Python's code at hand, and fetch it
        # when there is news, which takes longer than to run it.
        until = time.perf_counter() + spin
        if end is not None and end < until:
            until = end
        while (status := wait(0)) == _TIMEOUT and time.perf_counter() < until:
            pass
        if not status:
            return None
        if status != _TIMEOUT:
            return check(status, asked)
    while True:
        left = SLICE_MS if end is None else max(0.0, (end - time.perf_counter()) * 1000)
        # Rounded up: 0.5 ms must not become 0, which does not sleep.
        status = wait(SLICE_MS if left >= SLICE_MS else -int(-left // 1))
        if not status:
            return None
        if status != _TIMEOUT:
            return check(status, asked)
        if end is not None and time.perf_counter() >= end:
            raise too_late(what, limit)
