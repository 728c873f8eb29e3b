"""Errors: one exception for each of the library's codes, and the one function that raises them.

Each exception is also the built-in one that a Python program would catch: a missing segment or file is a
``FileNotFoundError``, a taken name a ``FileExistsError``, nonsense a ``ValueError``. The text is the library's own, and
says what was asked, what was found and what to do.
"""

from __future__ import annotations

import ctypes
import errno as errnos

from ._library import library
from ._native import ErrorCode

_MESSAGE_SIZE = 1024  # shmcv_last_error: always enough


class ShmcvError(Exception):
    """What the library answers when it cannot do what it was asked.

    ``code`` is its ErrorCode. An exception is of this very class, and the code a bare number, only where the library is
    newer than this package and answers with a code that the package does not know.
    """

    code: int


class InvalidError(ShmcvError, ValueError):
    """An argument makes no sense: a bad name, size, geometry or flag."""

    code = ErrorCode.INVALID


class NotFoundError(ShmcvError, FileNotFoundError):
    """There is no segment or file of that name."""

    code = ErrorCode.NOT_FOUND
    errno = errnos.ENOENT


class ExistsError(ShmcvError, FileExistsError):
    """A segment of that name is there already."""

    code = ErrorCode.EXISTS
    errno = errnos.EEXIST


class ClosedError(ShmcvError, ValueError):
    """The segment is closed. A ``ValueError``, as from a closed file."""

    code = ErrorCode.CLOSED


class NoSpaceError(ShmcvError, OSError):
    """Shared memory or the disk is full."""

    code = ErrorCode.NO_SPACE
    errno = errnos.ENOSPC


class TooSmallError(ShmcvError, ValueError):
    """The segment is smaller than what should go into it; the text says how many bytes are needed."""

    code = ErrorCode.TOO_SMALL


class TruncatedError(ShmcvError, OSError):
    """Somebody has made the segment's file shorter since it was opened."""

    code = ErrorCode.TRUNCATED
    errno = errnos.EIO


class NoImageError(ShmcvError, ValueError):
    """The segment holds no image yet."""

    code = ErrorCode.NO_IMAGE


class PermissionDeniedError(ShmcvError, PermissionError):
    """The system or the library refuses access to the segment, file or folder."""

    code = ErrorCode.PERMISSION
    errno = errnos.EACCES


class DecodeError(ShmcvError, ValueError):
    """The file is not a whole image: corrupt, truncated or empty."""

    code = ErrorCode.DECODE


class EncodeError(ShmcvError, ValueError):
    """The image could not be encoded."""

    code = ErrorCode.ENCODE


class UnsupportedError(ShmcvError, ValueError):
    """The format, file extension or combination of colour order and depth is not supported."""

    code = ErrorCode.UNSUPPORTED


class InputOutputError(ShmcvError, OSError):
    """Reading or writing failed."""

    code = ErrorCode.IO
    errno = errnos.EIO


class NoDisplayError(ShmcvError, RuntimeError):
    """There is no display to show a window on, or no window support in this build."""

    code = ErrorCode.NO_DISPLAY


class ForkedError(ShmcvError, RuntimeError):
    """This process is a fork of one that has used the library; start it by "spawn" or "forkserver" instead."""

    code = ErrorCode.FORKED


class CorruptError(ShmcvError, ValueError):
    """The segment's metadata has been overwritten."""

    code = ErrorCode.CORRUPT


class LimitError(ShmcvError, ValueError):
    """The image is larger than the library's limits."""

    code = ErrorCode.LIMIT


class BusyError(ShmcvError, OSError):
    """Another party holds what is asked for."""

    code = ErrorCode.BUSY
    errno = errnos.EBUSY


class TimedOutError(ShmcvError, TimeoutError):
    """The time is up."""

    code = ErrorCode.TIMEOUT
    errno = errnos.ETIMEDOUT


class InternalError(ShmcvError, RuntimeError):
    """A defect in the library; please report it with the message."""

    code = ErrorCode.INTERNAL


#: The one table from codes to exceptions.
EXCEPTIONS: dict[int, type[ShmcvError]] = {
    kind.code: kind
    for kind in (
        InvalidError,
        NotFoundError,
        ExistsError,
        ClosedError,
        NoSpaceError,
        TooSmallError,
        TruncatedError,
        NoImageError,
        PermissionDeniedError,
        DecodeError,
        EncodeError,
        UnsupportedError,
        InputOutputError,
        NoDisplayError,
        ForkedError,
        CorruptError,
        LimitError,
        BusyError,
        TimedOutError,
        InternalError,
    )
}


def check(status: int) -> None:
    """Raise the exception for what a function of the library has returned, unless that is OK."""
    if status != ErrorCode.OK:
        raise _failure(status)


def _failure(status: int) -> ShmcvError:
    buffer = ctypes.create_string_buffer(_MESSAGE_SIZE)
    library().shmcv_last_error(buffer, _MESSAGE_SIZE)
    message = buffer.value.decode("utf-8", "replace")
    known = EXCEPTIONS.get(status)
    if known is not None:
        return known(message)
    unknown = ShmcvError(message or f"shmcv: error {status}, which this version of the package does not know")
    unknown.code = status
    return unknown
