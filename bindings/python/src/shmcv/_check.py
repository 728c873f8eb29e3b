"""The one function that raises the library's errors."""

from __future__ import annotations

import ctypes
import os
from typing import Union

from ._library import library
from .constants import MESSAGE_SIZE
from .error import EXCEPTIONS, ShmcvError

#: The type of a file's name. The library takes UTF-8, and refuses a name that is not.
StrPath = Union[str, bytes, "os.PathLike[str]"]


def check(status: int, asked: StrPath | None = None) -> None:
    """Raise the exception of the code that a function of the library returned. OK raises nothing.

    ``asked`` is the path or the name that the function was called with. It becomes the exception's ``filename`` if the
    exception is an OSError.

    It must be called on the thread that called the function, before that thread's next call: the message is the
    thread's.
    """
    if status:
        raise _failure(status, asked)


def _failure(status: int, asked: StrPath | None) -> ShmcvError:
    buffer = ctypes.create_string_buffer(MESSAGE_SIZE)
    library().shmcv_last_error(buffer, MESSAGE_SIZE)
    message = buffer.value.decode("utf-8", "replace")
    known = EXCEPTIONS.get(status)
    if known is not None:
        failure = known(message)
        if isinstance(failure, OSError):
            assert failure.errno is not None  # noqa: S101 # the classes have it
            failure.strerror = os.strerror(failure.errno)
            if asked is not None:
                failure.filename = os.fspath(asked)
        return failure
    unknown = ShmcvError(message or f"shmcv: error {status}, which this version of the package does not know")
    unknown.code = status
    return unknown
