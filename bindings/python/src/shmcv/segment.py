"""Segments: named pieces of shared memory that hold an image."""

from __future__ import annotations

import contextlib
import ctypes
from typing import TYPE_CHECKING, Any, NoReturn

from ._arguments import integer, text
from ._check import check
from ._library import library
from ._memory import Memory
from ._native import ShmcvSegment, ShmcvSegmentInfo
from ._slices import in_slices
from .error import NotFoundError
from .image import ImageInfo
from .info import SegmentInfo
from .pixels import WritablePixels

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    import numpy as np
    from typing_extensions import Self

    from .constants import ColorOrder


class Segment(WritablePixels):
    """A segment that this process has open.

    Made by ``Segment.create``, ``Segment.open`` or ``Segment.from_array``, closed by ``close`` or the end of its
    ``with`` block. Closing ends this object's use of the segment. The segment itself, its name and its pixels stay
    until ``clear`` or ``shmcv.clear_all`` removes the name. Arrays that were taken from it stay usable after both.

    Pickling a segment, or passing it to a process of ``multiprocessing``, passes its name: the other process opens it.
    ``copy.copy`` opens it once more.

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

        ``timeout`` is in seconds: 0 does not sleep, and None waits without an end. Ctrl-C ends the wait.

        Raises TimeoutError; UnsupportedError for a segment that another program made.
        """
        stored = ctypes.c_uint64()
        number, found = integer("newer_than", newer_than, ctypes.c_uint64), ctypes.byref(stored)
        in_slices(lambda ms: library().shmcv_wait(self._handle, number, ms, found), timeout)
        return stored.value

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the name and the identity. Unpickling, and ``copy.copy``, open the segment; see ``open_again``."""
        return open_again, (type(self), self._name, self.info.uuid)

    def __deepcopy__(self, memo: object) -> NoReturn:
        """Refuse: a copy would have the same pixels."""
        raise TypeError(
            f'shmcv: segment "{self._name}" cannot be copied deeply, because all who open it share its pixels; '
            "read() copies the pixels, copy.copy() opens the segment once more"
        )

    @contextlib.contextmanager
    def _or_nothing(self) -> Iterator[None]:
        """Take the last step of making this segment. If it fails, the segment is closed and its name removed."""
        try:
            yield
        except BaseException:
            self.clear()
            self.close()
            raise


def open_again(kind: Any, name: str, uuid: UUID | None) -> Any:
    """Open the segment or stream that was pickled. ``uuid`` is its identity, None for a foreign segment.

    Raises NotFoundError if it is gone, also if another one has its name now.
    """
    opened = kind.open(name)
    if opened.info.uuid != uuid:
        opened.close()
        raise NotFoundError(f'shmcv: open "{name}": what was pickled is gone, and another one has its name now')
    return opened


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
