"""The memory of an open segment, and what all families of operations on segments stand on."""

from __future__ import annotations

import ctypes
import weakref
from typing import Any

import numpy as np

from ._library import library
from .error import ClosedError, check


class Memory:
    """One open handle of the native library.

    Every numpy view of the segment refers to it, and it is closed when the last of them is gone: what a view points to
    stays mapped for as long as there is the view.
    """

    __slots__ = ("__weakref__", "_address", "_size", "handle")

    def __init__(self, handle: int) -> None:
        self.handle = handle
        closer = weakref.finalize(self, library().shmcv_close, handle)
        # At the interpreter's end other exit handlers may still look at their views. The system unmaps them in time.
        closer.atexit = False

    def bytes(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """Give all bytes for pixels as an array. TruncatedError, before anybody touches them, where they are gone."""
        address, size = ctypes.c_void_p(), ctypes.c_uint64()
        check(library().shmcv_data(self.handle, ctypes.byref(address), ctypes.byref(size)))
        self._address, self._size = address.value, size.value
        return np.asarray(self)

    @property
    def __array_interface__(self) -> dict[str, Any]:
        """Tell numpy where the bytes are; numpy makes this object the base of its array."""
        return {"version": 3, "typestr": "|u1", "shape": (self._size,), "data": (self._address, False)}


class SegmentBase:
    """A name, and the memory behind it until the segment is closed. Segment adds the operations, family by family."""

    def __init__(self, name: str, memory: Memory) -> None:
        self._name = name
        self._memory: Memory | None = memory

    @property
    def _open(self) -> Memory:
        if self._memory is None:
            raise ClosedError(f'shmcv: segment "{self._name}" is closed')
        return self._memory

    @property
    def _handle(self) -> int:
        return self._open.handle
