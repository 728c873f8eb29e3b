"""Segments: named pieces of shared memory that hold an image."""

from __future__ import annotations

import contextlib
import ctypes
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np

from ._arguments import integer, text
from ._library import library
from ._memory import Memory
from ._native import ColorOrder, ShmcvImageInfo, ShmcvSegment, ShmcvSegmentInfo
from ._slices import in_slices
from .codec import Codec
from .error import check
from .image import Image, describe
from .transform import Transform
from .window import Show

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from typing_extensions import Self

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class SegmentInfo:
    """What is known of a segment. A foreign one, made by another program, has no uuid, owner or time of creation."""

    name: str
    #: Bytes for pixels, as asked for when it was created.
    size: int
    #: Bytes of shared memory it takes.
    file_size: int
    #: The image in it, if there is one.
    image: Image | None
    #: Identity of this very segment: a name may be given again, this is not.
    uuid: UUID | None
    created_at: datetime | None
    #: Process id of its creator.
    owner: int | None
    #: Whether the creator still has it open.
    owner_alive: bool
    #: Whether it was made by a program that does not use this library.
    foreign: bool
    #: Slots of a stream, 0 for a segment that holds a single image.
    slots: int = 0
    #: Bytes for the pixels of one frame of a stream.
    slot_size: int = 0

    @classmethod
    def _from_native(cls, native: ShmcvSegmentInfo) -> SegmentInfo:
        own = not native.foreign
        return cls(
            name=native.name.decode(),
            size=native.size,
            file_size=native.file_size,
            image=Image._from_native(native.image) if native.has_image else None,
            uuid=UUID(bytes=bytes(native.uuid)) if own else None,
            created_at=_EPOCH + timedelta(microseconds=native.created_at // 1000) if own else None,
            owner=native.owner if own else None,
            owner_alive=bool(native.owner_alive),
            foreign=bool(native.foreign),
            slots=native.slots,
            slot_size=native.slot_size,
        )


class Pixels(Codec, Transform, Show):
    """Pixels in shared memory with their description: what a segment and a frame of a stream have in common."""

    @property
    def name(self) -> str:
        """The name under which every process of this user can open it."""
        return self._name

    @property
    def size(self) -> int:
        """Bytes for pixels. As ``buffer`` and ``array``, it raises TruncatedError when somebody took some away."""
        return len(self._open.bytes())

    @property
    def closed(self) -> bool:
        """Whether ``close`` has been called."""
        return self._memory is None

    @property
    def image(self) -> Image:
        """The description of the pixels, which every process that has the segment open can see and set.

        Reading it raises NoImageError before one has been stored (``info.image`` is None then); setting it does not
        touch the pixels, and raises TooSmallError when the image does not fit, InvalidError when it makes no sense.
        """
        found = ShmcvImageInfo()
        check(library().shmcv_image_get(self._handle, ctypes.byref(found)))
        return Image._from_native(found)

    @image.setter
    def image(self, image: Image) -> None:
        check(library().shmcv_image_set(self._handle, ctypes.byref(image._to_native())))

    @property
    def array(self) -> np.ndarray[Any, Any]:
        """The pixels themselves as a writable numpy array: no copy, and shared with every process that has them open.

        Its shape is (height, width) for gray and (height, width, channels) otherwise. It describes the image of this
        moment; take it anew after a ``load`` of another geometry. It keeps the memory alive, so it may outlive the
        segment. Raises NoImageError.

        A process that makes the file in /dev/shm shorter (nothing in shmcv does) kills those who then touch an array.
        """
        image = self.image
        pixels: np.ndarray[Any, Any] = np.ndarray(
            image.shape, image.dtype, buffer=self._open.bytes(), strides=image.strides
        )
        return pixels

    @property
    def buffer(self) -> memoryview:
        """All bytes for pixels, writable, whether they hold an image or not; keeps the memory alive as ``array``."""
        return self._open.bytes().data

    @property
    def info(self) -> SegmentInfo:
        """What is known of the segment."""
        found = ShmcvSegmentInfo()
        check(library().shmcv_info(self._handle, ctypes.byref(found)))
        return SegmentInfo._from_native(found)

    def write(
        self, array: np.ndarray[Any, Any], order: ColorOrder | None = None, stored: ColorOrder | None = None
    ) -> Image:
        """Copy an array's pixels into the segment, rows without gaps, and give the description that it then has.

        The array is (height, width[, channels]) of uint8, uint16 or float32, with any strides; it may be the segment's
        own. ``order`` says what its channels are (by default gray, BGR or BGRA) and ``stored`` what they become in the
        segment (by default the same); they are converted on the way.

        Raises TooSmallError; InvalidError for another shape or type.
        """
        layout, pixels = describe(array, order)
        becomes = layout.order if stored is None else ColorOrder(stored)
        native = layout._to_native()
        check(library().shmcv_write_pixels(self._handle, ctypes.byref(native), pixels.ctypes.data, becomes))
        return Image(layout.width, layout.height, becomes, layout.depth)

    def read(self, order: ColorOrder | None = None) -> np.ndarray[Any, Any]:
        """Give a copy of the pixels, in the colour order that is asked for or the one they have.

        Raises NoImageError.
        """
        image = self.image
        layout = Image(image.width, image.height, image.order if order is None else order, image.depth)
        pixels = np.empty(layout.shape, layout.dtype)
        native = layout._to_native()
        check(library().shmcv_read_pixels(self._handle, ctypes.byref(native), pixels.ctypes.data))
        return pixels

    def close(self) -> None:
        """End this object's use of the segment. Arrays taken from it stay usable; closing again does nothing."""
        self._memory = None

    def __enter__(self) -> Self:
        """Give the segment itself; the end of the block closes it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def __repr__(self) -> str:
        """Tell the name, and whether it is closed."""
        return f"<shmcv.{type(self).__name__} {self._name!r}{' closed' if self.closed else ''}>"


class Segment(Pixels):
    """A segment that this process has open.

    Made by ``Segment.create``, ``Segment.open`` or ``Segment.from_array``, closed by ``close`` or the end of its
    ``with`` block. Closing ends this object's use of the segment; the segment itself, its name and its pixels stay
    until ``clear`` or ``shmcv.clear_all`` removes the name. Arrays that were taken from it stay usable after both.

    Pickling a segment, or passing it to a process of ``multiprocessing``, passes its name: the other side opens it.

    All of it may be used from several threads at once. What ``read`` gives is one whole image, also while another
    process stores the next one by ``load``, ``write``, ``flip`` or ``convert``; who looks at ``array`` meanwhile may
    see some of both. For pictures that follow each other see ``Stream``.
    """

    @classmethod
    def create(cls, name: str, size: int | None = None, *, image: Image | None = None) -> Self:
        """Make a segment of ``size`` bytes for pixels, all zero, and open it.

        With an ``image`` it gets that description, and by default the size that it needs. The name is 1 to 200
        characters of A-Z a-z 0-9 . _ - and does not start with a dot.

        Raises ExistsError when the name is taken; NoSpaceError when less shared memory is free; InvalidError.
        """
        if size is None:
            if image is None:
                raise TypeError("Segment.create() needs a size or an image")
            size = image.nbytes
        handle = ShmcvSegment()
        number = integer("size", size, ctypes.c_uint64)
        check(library().shmcv_create(text("name", name), number, ctypes.byref(handle)))
        segment = cls(name, Memory(handle.value))
        if image is not None:
            with segment._or_nothing():
                segment.image = image
        return segment

    @classmethod
    def open(cls, name: str) -> Self:
        """Open a segment that somebody, in whatever language, has created; its size and image come with it.

        A segment of ``multiprocessing.shared_memory`` can be opened too. It has no image until ``image`` is set, which
        holds for this process.

        Raises NotFoundError; PermissionDeniedError when it is not a plain file of this user; CorruptError;
        InvalidError for a bad name.
        """
        handle = ShmcvSegment()
        check(library().shmcv_open(text("name", name), ctypes.byref(handle)))
        return cls(name, Memory(handle.value))

    @classmethod
    def from_array(cls, name: str, array: np.ndarray[Any, Any], order: ColorOrder | None = None) -> Self:
        """Make a segment that holds a copy of an array's pixels, as ``write`` stores them, and has just their size."""
        segment = cls.create(name, Image.of(array, order).nbytes)
        with segment._or_nothing():
            segment.write(array, order)
        return segment

    def clear(self) -> None:
        """Remove the segment's name, as ``shmcv.clear`` does. It may be called after ``close`` too."""
        clear(self._name)

    @property
    def sequence(self) -> int:
        """How often an image has been stored in the segment, by any process: another number means another image."""
        stored = ctypes.c_uint64()
        check(library().shmcv_image_sequence(self._handle, ctypes.byref(stored)))
        return stored.value

    def wait(self, newer_than: int, timeout: float | None = None) -> int:
        """Wait until more than ``newer_than`` images have been stored in the segment, and give how many have.

        ``timeout`` is in seconds, None for a wait without an end; Ctrl-C ends it. Raises TimedOutError.
        """
        stored = ctypes.c_uint64()
        number, found = integer("newer_than", newer_than, ctypes.c_uint64), ctypes.byref(stored)
        in_slices(lambda ms: library().shmcv_image_wait(self._handle, number, ms, found), timeout)
        return stored.value

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the name; who unpickles it opens the segment."""
        self._open  # noqa: B018 # a closed one is not opened by the back door
        return type(self).open, (self._name,)

    @contextlib.contextmanager
    def _or_nothing(self) -> Iterator[None]:
        """Take the last step of making this segment; when it fails, nothing of the segment is left behind."""
        try:
            yield
        except BaseException:
            self.clear()
            self.close()
            raise


def clear(name: str) -> None:
    """Remove a segment's name, whoever created it; the name is free at once.

    Those who have the segment open keep working on the same memory, which is given back when the last one closes it.

    Raises NotFoundError; PermissionDeniedError when it is not this user's.
    """
    check(library().shmcv_clear(text("name", name)))


def clear_all() -> None:
    """Remove the names of all segments that this process created and that are still there."""
    check(library().shmcv_clear_all())


def list_segments() -> list[SegmentInfo]:
    """Tell of all segments of this user that this library made, in any process, in the order of their names."""
    capacity, found = 0, ctypes.c_uint64()
    while True:
        infos = (ShmcvSegmentInfo * capacity)()
        check(library().shmcv_list(infos, capacity, ctypes.byref(found)))
        if found.value <= capacity:
            return [SegmentInfo._from_native(info) for info in infos[: found.value]]
        capacity = found.value


def sweep() -> int:
    """Remove the names of this user's orphans, and give how many there were.

    An orphan is a segment whose creator has ended or closed it, and which no process has open through this library.
    """
    removed = ctypes.c_uint32()
    check(library().shmcv_sweep(ctypes.byref(removed)))
    return removed.value
