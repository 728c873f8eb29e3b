"""Segments: named pieces of shared memory that hold an image."""

from __future__ import annotations

import contextlib
import ctypes
import operator
from typing import TYPE_CHECKING, Any, NoReturn

from ._access import OWN, Account, access
from ._arguments import StrPath, integer, text
from ._check import check
from ._library import library
from ._memory import Memory, ReadOnlyMemory
from ._native import ShmcvSegment, ShmcvSegmentInfo
from ._slices import in_slices
from ._waits import end, news, repeat
from .codec import probe
from .constants import LoadFlags
from .error import ForkedError, NotFoundError
from .image import ImageInfo, as_pixels
from .info import SegmentInfo
from .pixels import Pixels, WritablePixels

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    import numpy.typing as npt
    from typing_extensions import Self, Unpack

    from ._options import LoadOptions
    from .constants import ColorOrder


class Stored(Pixels):
    """What tells of the images that are stored in a segment."""

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
        add = library().shmcv_wait_set_add_segment
        return await repeat(
            lambda: self.wait(newer_than, 0),
            lambda left: news(add, self._open, newer_than, left),
            timeout,
            self._none_newer_than(newer_than),
        )

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
        """Pickle the name and the identity. Unpickling, and ``copy.copy``, open the segment; see ``open_again``."""
        return open_again, (type(self), self._name, self.info.uuid)

    def __deepcopy__(self, memo: object) -> NoReturn:
        """Refuse: a copy would have the same pixels."""
        raise TypeError(
            f'shmcv: segment "{self._name}" cannot be copied deeply, because all who open it share its pixels; '
            "read() copies the pixels, copy.copy() opens the segment once more"
        )


class ReadOnlySegment(Stored):
    """A segment that this process has open to read, and not to change.

    Made by ``ReadOnlySegment.open``, closed by ``close`` or the end of its ``with`` block. Its arrays are read-only;
    memory that is written to by other means faults. Pickling it passes its name.
    """

    @classmethod
    def open(cls, name: str) -> Self:
        """Open a segment that any process, in whatever language, has created; its size and image come with it.

        A file that this process may read is enough, also one of mode 0444 or of another user, who can then end this
        process by making the file shorter. A segment of ``multiprocessing.shared_memory`` has no image here, but its
        ``buffer``. Waiting looks every 10 ms if this process may not write to the file.

        Raises NotFoundError; PermissionError if this process may not read the file; CorruptError; InvalidError for a
        bad name, or the name of a stream; NoSpaceError as ``Segment.open`` does.
        """
        handle = ShmcvSegment()
        check(library().shmcv_open_read_only(text("name", name), ctypes.byref(handle)), name)
        return cls(name, ReadOnlyMemory(handle.value, "shmcv_close"))


class Segment(Stored, WritablePixels):
    """A segment that this process has open.

    Made by ``Segment.create``, ``open``, ``open_or_create``, ``from_array`` or ``from_file``, closed by ``close`` or
    the end of its ``with`` block. Closing ends this object's use of the segment. The segment itself, its name and its
    pixels stay until ``clear`` or ``shmcv.clear_all`` removes the name, or an object with ``clear_on_close`` is closed.
    Arrays that were taken from it stay usable after both.

    Pickling a segment, or passing it to a process of ``multiprocessing``, passes its name: the other process opens it.
    ``copy.copy`` opens it once more.

    Every method may be called from several threads at once. ``read`` gives one whole image, also while another process
    stores the next one by ``load``, ``write``, ``flip`` or ``convert_into``. A program that reads ``array`` meanwhile
    can see parts of both images. For pictures that follow each other see ``Stream``.
    """

    #: True if closing this object removes the segment's name too, if the name is still this segment's.
    clear_on_close: bool = False

    #: True if this object made the segment, False if the segment was there.
    created: bool = False

    @classmethod
    def create(
        cls,
        name: str,
        size: int | ImageInfo | None = None,
        *,
        image: ImageInfo | None = None,
        clear_on_close: bool = False,
        mode: int = OWN,
        group: Account = None,
        owner: Account = None,
    ) -> Self:
        r"""Make a segment for ``size`` bytes of pixels, all zero, and open it.

        With an ``image``, which may be given in the place of ``size``, it gets that description, and by default the
        size that the image needs. With ``clear_on_close``, closing the object removes the name.

        The name is 1 to MAX_NAME of the characters A-Z a-z 0-9 . _ - and does not start with a dot. It is in /dev/shm,
        or in the folder that the environment variable SHMCV_FOLDER names when the library is loaded. A path is a name
        in another folder, which has to be there: "/mnt/cams/cam0". All functions that take a name take a path. On
        Windows a path begins on a drive, and a name that begins with ``Global\`` is for all sessions, which takes a
        right to make and none to open.

        Only this user may open the segment, unless ``mode`` says more: 0o640 lets its group read it
        (``ReadOnlySegment.open``), 0o660 write it too (``open``), 0o644 lets everybody read it. ``group`` is a group of
        this process, by name or number (on Windows any account, by name or "S-1-5-32-545"); None is the group that the
        system gives new files. Only the superuser may name another ``owner``. The umask does not matter.

        Raises ExistsError if the name is taken; NoSpaceError if there is less shared memory free; InvalidError for a
        bad name, size or mode; TooSmallError if the image does not fit into ``size``; NotFoundError for an unknown
        folder, user or group; PermissionError if this process may not give the segment to that owner or group.
        """
        if isinstance(size, ImageInfo) and image is None:
            size, image = None, size
        if size is None and image is not None:
            size = image.size
        handle = ShmcvSegment()
        who, out = access(mode, group, owner), ctypes.byref(handle)
        check(library().shmcv_create_for(text("name", name), _size(size), who, out), name)
        segment = cls(name, _memory(handle))
        segment.created = True
        if image is not None:
            with segment._or_nothing():
                segment.image = image
        segment.clear_on_close = clear_on_close
        return segment

    @classmethod
    def open(cls, name: str) -> Self:
        """Open a segment that any process, in whatever language, has created; its size and image come with it.

        A segment of ``multiprocessing.shared_memory`` can be opened too. It has no image until ``image`` is set, which
        holds for this process.

        Raises NotFoundError; PermissionError if it is not a plain file of this user, nor one that its owner has given a
        group of this process to read and write; CorruptError; InvalidError for a bad name, or the name of a stream;
        NoSpaceError if there is no memory for all of a file that another program made.
        """
        handle = ShmcvSegment()
        check(library().shmcv_open(text("name", name), ctypes.byref(handle)), name)
        return cls(name, _memory(handle))

    @classmethod
    def open_or_create(
        cls,
        name: str,
        size: int,
        *,
        clear_on_close: bool = False,
        mode: int = OWN,
        group: Account = None,
        owner: Account = None,
    ) -> Self:
        """Open the segment of that name, or make one for ``size`` bytes of pixels; ``created`` tells which.

        A segment that is there must have at least ``size`` bytes; it keeps its size and its image, its mode, group and
        owner. Those of a new segment are as for ``create``.

        Raises TooSmallError if the segment that is there has fewer bytes; otherwise what ``open`` and ``create`` raise.
        """
        handle, created = ShmcvSegment(), ctypes.c_int32()
        who, out = access(mode, group, owner), (ctypes.byref(handle), ctypes.byref(created))
        check(library().shmcv_open_or_create_for(text("name", name), _size(size), who, *out), name)
        segment = cls(name, _memory(handle))
        segment.created, segment.clear_on_close = bool(created), clear_on_close
        return segment

    @classmethod
    def from_array(
        cls,
        name: str,
        array: npt.ArrayLike,
        order: ColorOrder | None = None,
        *,
        clear_on_close: bool = False,
        mode: int = OWN,
        group: Account = None,
        owner: Account = None,
    ) -> Self:
        """Make a segment that holds a copy of an array, as ``write`` stores it, and has the size of that image.

        The array is what ``ImageInfo.of`` takes; ``mode``, ``group`` and ``owner`` are as for ``create``. Raises what
        ``create`` and ``write`` raise.
        """
        pixels, order = as_pixels(array, order)
        segment = cls.create(name, ImageInfo.of(pixels, order).size, mode=mode, group=group, owner=owner)
        with segment._or_nothing():
            segment.write(pixels, order)
        segment.clear_on_close = clear_on_close
        return segment

    @classmethod
    def from_file(
        cls,
        name: str,
        path: StrPath,
        flags: int = LoadFlags.COLOR,
        *,
        clear_on_close: bool = False,
        mode: int = OWN,
        group: Account = None,
        owner: Account = None,
        **options: Unpack[LoadOptions],
    ) -> Self:
        """Make a segment that holds the image of a file, as ``load`` stores it, and has the size of that image.

        ``mode``, ``group`` and ``owner`` are as for ``create``, ``flags`` and ``options`` as for ``load``. Raises what
        ``create`` and ``load`` raise. There is no segment then.
        """
        segment = cls.create(name, probe(path, flags, **options).size, mode=mode, group=group, owner=owner)
        with segment._or_nothing():
            segment.load(path, flags, **options)
        segment.clear_on_close = clear_on_close
        return segment

    def clear(self) -> None:
        """Remove the segment's name. A name that another segment has by now is NotFoundError, and stays.

        After ``close`` it does as ``shmcv.clear``, which removes the name of whatever segment has it.
        """
        memory = self._memory
        if memory is None:
            clear(self._name)
        else:
            check(library().shmcv_segment_clear(memory.number), self._name)

    def close(self) -> None:
        """End this object's use of the segment. Arrays taken from it stay usable. Closing again does nothing.

        With ``clear_on_close`` it removes the segment's name, if the name is still this segment's. In a forked child
        the name of the parent's segment stays.
        """
        memory = self._memory
        super().close()
        if memory is not None and self.clear_on_close:
            with contextlib.suppress(NotFoundError, ForkedError):
                check(library().shmcv_segment_clear(memory.number), self._name)

    @contextlib.contextmanager
    def _or_nothing(self) -> Iterator[None]:
        """Take the last step of making this segment. If it fails, the segment is closed and its name removed."""
        try:
            yield
        except BaseException:
            self.clear_on_close = True
            self.close()
            raise


def open_again(kind: Any, name: str, uuid: UUID | None, opener: str = "open") -> Any:
    """Open the segment or stream that was pickled. ``uuid`` is its identity, None for a foreign segment.

    ``opener`` is the class method that opens it.

    Raises NotFoundError if it is gone, also if another one has its name now.
    """
    opened = getattr(kind, opener)(name)
    if opened.info.uuid != uuid:
        opened.close()
        raise NotFoundError(f'shmcv: open "{name}": what was pickled is gone, and another one has its name now')
    return opened


def _size(size: object) -> int:
    """Return a size in bytes as the library takes it. The error for another object names what takes that object."""
    try:
        number = operator.index(size)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(
            f"shmcv: a segment is made of a size in bytes or an ImageInfo, and this is {type(size).__name__}; "
            "Segment.from_array() takes an array, Segment.from_file() a file"
        ) from None
    return integer("size", number, ctypes.c_uint64)


def _memory(handle: ctypes.c_uint64) -> Memory:
    return Memory(handle.value, "shmcv_close")


def clear(name: str) -> None:
    """Remove the name of a segment or stream, whichever process created it. The name is free at once.

    Processes that have it open keep working on the same memory, which is given back when the last of them closes it.

    Raises NotFoundError; PermissionError if ``Segment.open`` would not open it, or if this process may not remove names
    from the folder.
    """
    check(library().shmcv_clear(text("name", name)), name)


def clear_all() -> None:
    """Remove the names of all segments and streams that this process created and that are still there."""
    check(library().shmcv_clear_all())


def list_segments() -> list[SegmentInfo]:
    """Return what is known of the segments and streams in this process's folder, in the order of names.

    Those that the library made are listed, if they are this user's or may be read by a group of this process. What
    cannot be looked at is left out.
    """
    capacity, found = 0, ctypes.c_uint64()
    while True:
        infos = (ShmcvSegmentInfo * capacity)()
        check(library().shmcv_list(infos, capacity, ctypes.byref(found)))
        if found.value <= capacity:
            return [SegmentInfo._from_native(info) for info in infos[: found.value]]
        capacity = found.value


def sweep() -> int:
    """Remove the names of this user's orphans in this process's folder, and return how many there were.

    An orphan is a segment or stream whose creator has ended or closed it, and which no process has open through this
    library. What cannot be looked at is left alone.
    """
    removed = ctypes.c_uint32()
    check(library().shmcv_sweep(ctypes.byref(removed)))
    return removed.value
