"""Segments: named pieces of shared memory that hold an image."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
from typing import TYPE_CHECKING, Any

from . import error
from ._arguments import integer, text
from ._check import check
from ._library import library
from ._memory import Memory
from ._native import ShmcvSegment, ShmcvSegmentInfo
from ._slices import in_slices, seconds, too_late
from ._waits import end, news
from .image import ImageInfo
from .info import SegmentInfo
from .pixels import WritablePixels

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from typing_extensions import Self

    from .constants import ColorOrder


class Segment(WritablePixels):
    """A segment that this process has open.

    Made by ``Segment.create``, ``Segment.open`` or ``Segment.from_array``, closed by ``close`` or the end of its
    ``with`` block. Closing ends this object's use of the segment. The segment itself, its name and its pixels stay
    until ``clear`` or ``shmcv.clear_all`` removes the name. Arrays that were taken from it stay usable after both.

    Pickling a segment, or passing it to a process of ``multiprocessing``, passes its name: the other process opens it.

    Every method may be called from several threads at once. ``read`` gives one whole image, also while another process
    stores the next one by ``load``, ``write``, ``flip`` or ``convert_into``. A program that reads ``array`` meanwhile
    can see parts of both images. For pictures that follow each other see ``Stream``.
    """

    @classmethod
    def create(cls, name: str, size: int | None = None, *, image: ImageInfo | None = None) -> Self:
        """Make a segment for ``size`` bytes of pixels, all zero, and open it.

        With an ``image`` it gets that description, and by default the size that the image needs. The name is 1 to
        MAX_NAME of the characters A-Z a-z 0-9 . _ - and does not start with a dot.

        Raises ExistsError if the name is taken; NoSpaceError if there is less shared memory free; InvalidError for a
        bad name or size; TooSmallError if the image does not fit into ``size``.
        """
        if size is None:
            if image is None:
                raise TypeError("Segment.create() needs a size or an image")
            size = image.size
        handle = ShmcvSegment()
        number = integer("size", size, ctypes.c_uint64)
        check(library().shmcv_create(text("name", name), number, ctypes.byref(handle)))
        segment = cls(name, _memory(handle))
        if image is not None:
            with segment._or_nothing():
                segment.image = image
        return segment

    @classmethod
    def open(cls, name: str) -> Self:
        """Open a segment that any process, in whatever language, has created; its size and image come with it.

        A segment of ``multiprocessing.shared_memory`` can be opened too. It has no image until ``image`` is set, which
        holds for this process.

        Raises NotFoundError; PermissionError if it is not a plain file of this user; CorruptError; InvalidError for a
        bad name, or the name of a stream.
        """
        handle = ShmcvSegment()
        check(library().shmcv_open(text("name", name), ctypes.byref(handle)))
        return cls(name, _memory(handle))

    @classmethod
    def from_array(cls, name: str, array: np.ndarray[Any, Any], order: ColorOrder | None = None) -> Self:
        """Make a segment that holds a copy of an array, as ``write`` stores it, and has the size of that image.

        Raises what ``create`` and ``write`` raise.
        """
        segment = cls.create(name, ImageInfo.of(array, order).size)
        with segment._or_nothing():
            segment.write(array, order)
        return segment

    def clear(self) -> None:
        """Remove the segment's name, as ``shmcv.clear`` does. It may be called after ``close`` too."""
        clear(self._name)

    @property
    def sequence(self) -> int:
        """How often an image has been stored in the segment, by any process. Another number means another image."""
        stored = ctypes.c_uint64()
        check(library().shmcv_sequence(self._handle, ctypes.byref(stored)))
        return stored.value

    def wait(self, newer_than: int, timeout: float | None = None) -> int:
        """Wait until more than ``newer_than`` images have been stored, and return how many have been stored.

        ``timeout`` is in seconds: 0 does not sleep, and None or a negative number waits without an end. Ctrl-C ends the
        wait.

        Raises TimeoutError; UnsupportedError for a segment that another program made; ClosedError within 0.1 s when
        another thread closes the segment; InvalidError for a timeout of NaN.
        """
        stored = ctypes.c_uint64()
        number, found = integer("newer_than", newer_than, ctypes.c_uint64), ctypes.byref(stored)
        in_slices(
            lambda milliseconds: library().shmcv_wait(self._handle, number, milliseconds, found),
            timeout,
            self._none_newer_than(newer_than),
        )
        return stored.value

    async def wait_async(self, newer_than: int, timeout: float | None = None) -> int:
        """Do as ``wait``, and let other tasks of the event loop run meanwhile.

        It occupies no thread: one thread sleeps for all asynchronous waits of the process.
        """
        limit, loop = seconds(timeout), asyncio.get_running_loop()
        deadline = None if limit is None else loop.time() + limit
        while True:
            try:
                return self.wait(newer_than, 0)
            except error.TimeoutError:
                left = None if deadline is None else deadline - loop.time()
            add = library().shmcv_wait_set_add_segment
            if not (left is None or left > 0) or not await news(add, self._open, newer_than, left):
                raise too_late(self._none_newer_than(newer_than), limit)

    def _none_newer_than(self, newer_than: int) -> str:
        return f'no image newer than {newer_than} was stored in "{self._name}"'

    def close(self) -> None:
        """End this object's use of the pixels. Arrays taken from it stay usable. Closing again does nothing.

        Waits of other threads and tasks end with ClosedError within 0.1 s.
        """
        memory = self._memory
        super().close()
        if memory is not None:
            end(memory)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the name. Unpickling opens the segment."""
        self._open  # noqa: B018 # a closed segment is an error: unpickling must not open it again
        return type(self).open, (self._name,)

    @contextlib.contextmanager
    def _or_nothing(self) -> Iterator[None]:
        """Take the last step of making this segment. If it fails, the segment is closed and its name removed."""
        try:
            yield
        except BaseException:
            self.clear()
            self.close()
            raise


def _memory(handle: ctypes.c_uint64) -> Memory:
    return Memory(handle.value, library().shmcv_close)


def clear(name: str) -> None:
    """Remove the name of a segment or stream, whichever process created it. The name is free at once.

    Processes that have it open keep working on the same memory, which is given back when the last of them closes it.

    Raises NotFoundError; PermissionError if it is not this user's.
    """
    check(library().shmcv_clear(text("name", name)))


def clear_all() -> None:
    """Remove the names of all segments and streams that this process created and that are still there."""
    check(library().shmcv_clear_all())


def list_segments() -> list[SegmentInfo]:
    """Return what is known of all segments and streams of this user that the library made, in the order of names."""
    capacity, found = 0, ctypes.c_uint64()
    while True:
        infos = (ShmcvSegmentInfo * capacity)()
        check(library().shmcv_list(infos, capacity, ctypes.byref(found)))
        if found.value <= capacity:
            return [SegmentInfo._from_native(info) for info in infos[: found.value]]
        capacity = found.value


def sweep() -> int:
    """Remove the names of this user's orphans, and return how many there were.

    An orphan is a segment or stream whose creator has ended or closed it, and which no process has open through this
    library.
    """
    removed = ctypes.c_uint32()
    check(library().shmcv_sweep(ctypes.byref(removed)))
    return removed.value
