"""The one function that raises the library's errors."""

from __future__ import annotations

import ctypes

from ._library import library
from .constants import MESSAGE_SIZE, ErrorCode
from .error import EXCEPTIONS, ShmcvError


def check(status: int) -> None:
    """Raise the exception of the code that a function of the library returned. OK raises nothing.

    It must be called on the thread that called the function, before that thread's next call: the message is the
    thread's.
    """
    if status != ErrorCode.OK:
        raise _failure(status)


def _failure(status: int) -> ShmcvError:
    buffer = ctypes.create_string_buffer(MESSAGE_SIZE)
    library().shmcv_last_error(buffer, MESSAGE_SIZE)
    message = buffer.value.decode("utf-8", "replace")
    known = EXCEPTIONS.get(status)
    if known is not None:
        return known(message)
    unknown = ShmcvError(message or f"shmcv: error {status}, which this version of the package does not know")
    unknown.code = status
    return unknown
