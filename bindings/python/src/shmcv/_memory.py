"""Handles of the native library, the memory behind them, and the base of all classes that work on pixels."""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable
from typing import Any, ClassVar, NoReturn

from ._check import check
from ._library import quick
from .error import ClosedError


class Handle:
    """One open handle of the native library. It is closed when nothing refers to this object any more."""

    __slots__ = ("__weakref__", "_close", "ended", "handle")

    def __init__(self, number: int, close: str) -> None:
        """Take over a handle, or 0 if there is none yet. ``close`` is the function that closes handles of its kind."""
        self.handle = ctypes.c_uint64(number)
        #: True if the object that users close is closed. Arrays may still keep the handle open.
        self.ended = False
        self._close: Callable[..., int] | None = quick(close)

    @property
    def number(self) -> int:
        """The handle."""
        return self.handle.value

    def close(self) -> None:
        """Close the handle now. Closing again does nothing, and calls nothing."""
        close, self._close = self._close, None
        if close is not None:
            check(close(self.handle))

    def forget(self) -> None:
        """Note that the library has closed the handle itself. A second close would fail and leave its own message."""
        self._close = None

    def __del__(self, at_end: Callable[[], bool] = sys.is_finalizing) -> None:
        """Close the handle. At the interpreter's end the system does so, when nothing reads an array any more."""
        close = getattr(self, "_close", None)  # none if the constructor was interrupted
        if close is not None and self.handle.value and not at_end():
            close(self.handle)

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied: a number of this process means something else, or nothing, in another one."""
        raise TypeError("shmcv: a handle of the native library cannot be pickled or copied; it is this process's alone")


class Memory(Handle):
    """A handle of pixels: a segment's or a frame's.

    Every view and numpy array of the pixels refers to this object. So the memory stays mapped as long as there is one.
    """

    __slots__ = ()

    #: True if the pixels may only be read.
    read_only: ClassVar[bool] = False

    def view(self) -> memoryview:
        """Return all bytes for pixels.

        Raises TruncatedError if another process has made the segment's file shorter. Touching the view would then end
        this process.
        """
        address, size = ctypes.c_void_p(), ctypes.c_uint64()
        check(quick("shmcv_data")(self.handle, ctypes.byref(address), ctypes.byref(size)))
        block = block_of(size.value).from_address(address.value)
        block.owner = self
        view = memoryview(block).cast("B")
        return view.toreadonly() if self.read_only else view


@functools.lru_cache(maxsize=64)
def block_of(size: int) -> Any:
    """Return the type of so many bytes of memory, which know the object that keeps them mapped."""
    return type("Block", (ctypes.c_uint8 * size,), {"__slots__": ("owner",)})


class ReadOnlyMemory(Memory):
    """A handle of pixels that may only be read. The memory faults when it is written to."""

    __slots__ = ()

    read_only = True


class PixelsBase:
    """A name, and the memory behind it until the object is closed. Every family of operations derives from it."""

    #: How an error calls the object.
    _noun: ClassVar[str] = "segment"

    def __init__(self, name: str, memory: Memory) -> None:
        """Take over the memory of an open segment or frame."""
        self._name = name
        self._memory: Memory | None = memory

    @property
    def _open(self) -> Memory:
        if self._memory is None:
            raise ClosedError(f'shmcv: {self._noun} "{self._name}" is closed')
        return self._memory

    @property
    def _handle(self) -> int:
        return self._open.number
