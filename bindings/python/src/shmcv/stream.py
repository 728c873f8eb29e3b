"""Streams: frame after frame from one writer to any number of readers. Frames are seen whole, and never copied."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import functools
import json
import math
import weakref
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from . import error
from ._access import OWN, Account, access
from ._arguments import integer, text, uint64
from ._check import check
from ._library import direct, library, quick
from ._memory import Handle, Memory, block_of
from ._native import ShmcvFrameInfo, ShmcvImageInfo, ShmcvSegmentInfo, ShmcvStream
from ._slices import in_slices, seconds
from ._system import NO_DESCRIPTOR
from ._waits import end, news, repeat, until_found
from .constants import MAX_METADATA, Delivery, WhenBehind
from .error import (
    ClosedError,
    EndedError,
    ForkedError,
    InvalidError,
    IOError,  # noqa: A004 # shmcv's own
    NotFoundError,
    ReplacedError,
)
from .image import ImageInfo
from .info import EPOCH, SegmentInfo
from .pixels import Pixels, WritablePixels
from .segment import clear, open_again

if TYPE_CHECKING:
    from types import TracebackType

    import numpy.typing as npt
    from typing_extensions import Self


class _FrameMemory(Memory):
    """The memory of a frame. It keeps the stream open, because arrays of a frame may outlive the Stream object.

    It is made before the call that begins or takes the frame, and that call writes the handle into it. So the frame is
    there as soon as the call returns, and is not lost if Ctrl-C comes at that moment.
    """

    __slots__ = ("_stream",)

    def __init__(self, stream: Handle) -> None:
        super().__init__(0, "shmcv_frame_close")
        self._stream = stream


class _ReadOnlyFrameMemory(_FrameMemory):
    """The memory of a frame to read, and what the library has told of the frame."""

    __slots__ = ("_ask", "info")

    read_only = True

    def __init__(self, stream: Handle) -> None:
        super().__init__(stream)
        self.info = ShmcvFrameInfo()
        self._ask = functools.partial(quick("shmcv_data"), self.handle, None, None)

    def view(self) -> memoryview:
        status, info = self._ask(), self.info  # whether the memory is still there
        if status:
            check(status)
        block = block_of(info.size).from_address(info.data)
        block.owner = self
        return memoryview(block).cast("B").toreadonly()


@functools.lru_cache(maxsize=64)
def _image_of(native: bytes) -> ImageInfo:
    """Return the description that frame after frame has."""
    return ImageInfo._from_native(ShmcvImageInfo.from_buffer_copy(native))


class Frame(Pixels):
    """A frame to read. It stays as it is until it is closed and no array taken from it is left, if it is ``held``.

    ``array`` and ``buffer`` are the pixels themselves, read-only: memory that is written to by other means faults.
    Close frames soon: a stream has few slots.

    A frame of a stream that was opened read-only is not held: its writer may write over it at any time. Members that
    read its pixels or metadata then raise OvertakenError. Call ``check`` after you have read its arrays; the end of a
    ``with`` block does so.
    """

    _noun: ClassVar[str] = "frame of stream"

    #: The stream that it is of. In a loop that follows, another object than before tells that the numbers begin anew.
    stream: Stream

    def __init__(self, stream: Stream) -> None:
        """Make an object for ``Stream.wait``, which has the library write what the frame is."""
        memory = _ReadOnlyFrameMemory(stream._open)
        super().__init__(stream._name, memory)
        self.stream = stream
        self._info, self._out = memory.info, (ctypes.byref(memory.handle), ctypes.byref(memory.info))

    @property
    def sequence(self) -> int:
        """The frame's number: 1 for the stream's first, then 1 more each, across writers."""
        return self._info.sequence

    @property
    def time_ns(self) -> int:
        """When it was published, in nanoseconds of ``time.perf_counter_ns()``.

        On Linux those are ``time.monotonic_ns()``'s too. On Windows Python's other clocks are not the frames'.
        """
        return self._info.time_ns

    @property
    def missed(self) -> int:
        """How many frames this reader has missed.

        They came after ``newer_than`` of ``Stream.wait``, after the reader opened the stream, and before this one.
        """
        return self._info.missed

    @property
    def capture_time_ns(self) -> int:
        """When it was captured, in nanoseconds as ``time_ns``, as its writer has told; 0 if it has not."""
        return self._info.capture_time_ns

    @property
    def held(self) -> bool:
        """True if nobody writes to it until it is closed; False if its stream was opened read-only."""
        return self._info.held != 0

    @property
    def image(self) -> ImageInfo:
        """The description of the pixels."""
        self._open  # noqa: B018 # it raises ClosedError
        return _image_of(bytes(self._info.image))

    def check(self) -> None:
        """Return if all that was read of the frame before is of this frame. A frame that is ``held`` is always whole.

        Raises OvertakenError if the writer has begun to write over it.
        """
        check(library().shmcv_frame_check(self._open.number))

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the frame. Raises OvertakenError as ``check``, unless there is an exception already."""
        try:
            if kind is None and not self.held and not self.closed:
                self.check()
        finally:
            self.close()

    @property
    def metadata(self) -> bytes:
        """A copy of what the writer has given the frame with ``NewFrame.describe``; empty if it has given nothing."""
        copy, size = ctypes.create_string_buffer(MAX_METADATA), ctypes.c_uint64()
        if self._info.metadata_size == 0:
            return b""
        check(library().shmcv_frame_metadata(self._open.number, copy, MAX_METADATA, ctypes.byref(size)))
        return copy.raw[: size.value]

    @property
    def mapping(self) -> Any:  # JSON is anything
        """The metadata of a writer that has given a mapping: JSON, decoded. An empty mapping if there are none.

        Raises ValueError if the metadata are not JSON.
        """
        metadata = self.metadata
        return json.loads(metadata) if metadata else {}

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied. Another process could not hold this process's lease on the slot."""
        raise TypeError(
            f'shmcv: {self._noun} "{self._name}": a frame cannot be pickled or copied, because this process alone has '
            "leased it; send the stream, or its name, and wait for frames there; or send read(), a copy of the pixels"
        )


class NewFrame(WritablePixels):
    """A frame to fill: by ``load``, ``write``, a ``flip_into`` from elsewhere, or ``image`` and ``array``.

    As a ``with`` block it is published at the end, and given back unpublished when there is an exception. No other
    program sees anything of it before it is published. Arrays taken from it must not be written to after that.
    """

    _noun: ClassVar[str] = "frame of stream"

    #: The frame's number, or None before it is published.
    sequence: int | None = None

    def __init__(self, name: str, stream: Handle) -> None:
        """Make an object for ``Stream.begin``, which has the library write what the frame is."""
        memory, published = _FrameMemory(stream), ctypes.c_uint64()
        super().__init__(name, memory)
        self._memory: _FrameMemory | None = memory
        self._out, self._published = ctypes.byref(memory.handle), published
        self._publish = functools.partial(quick("shmcv_frame_publish"), memory.handle, ctypes.byref(published))

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied. This process alone is the stream's writer."""
        raise TypeError(
            f'shmcv: {self._noun} "{self._name}": a frame to fill cannot be pickled or copied, because this process '
            "is the stream's writer; send the stream, or its name, and begin a frame there"
        )

    def describe(self, metadata: bytes | Mapping[str, Any] = b"", *, capture_time_ns: int = 0) -> None:
        """Give the frame metadata, and the time when its picture was captured. Readers get both with the frame.

        ``metadata`` are bytes, which mean what the programs make of them, or a mapping, which travels as JSON; at
        most MAX_METADATA (1024) bytes. ``capture_time_ns`` is in nanoseconds of ``time.perf_counter_ns()``; 0 says
        nothing. Each call replaces what the one before has given.

        Raises LimitError for more bytes; TypeError for a mapping that JSON cannot tell.
        """
        if isinstance(metadata, Mapping):
            metadata = json.dumps(dict(metadata), separators=(",", ":"), ensure_ascii=False).encode()
        content = bytes(memoryview(metadata))
        captured = integer("capture_time_ns", capture_time_ns, ctypes.c_uint64)
        number = self._open.number
        check(library().shmcv_frame_describe(number, captured, content, len(content)))

    def publish(self) -> int:
        """Make it the stream's newest frame, wake the readers that wait, close it, and return its number.

        Raises NoImageError if nothing has said what its pixels mean; BusyError while another thread's call stores
        pixels in it. The frame is still open then.
        """
        return self._after_publishing(self._open, self._publish())

    def _after_publishing(self, memory: Memory, status: int) -> int:
        check(status)
        memory.forget()
        self._memory = None
        self.sequence = sequence = self._published.value
        return sequence

    def close(self) -> None:
        """Give the frame back. Unless it was published, no reader has seen it. Closing again does nothing."""
        memory = self._memory
        super().close()
        if memory is not None:
            # Now, and not when the last array of it is gone: until then the writer could not begin another frame. The
            # library has closed it already if Ctrl-C came between its publishing and publish()'s next step. In a forked
            # child the frame is the parent's.
            with contextlib.suppress(ClosedError, ForkedError):
                memory.close()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Publish the frame, unless there is an exception or it is closed already."""
        try:
            memory = self._memory
            if kind is None and memory is not None:
                self._after_publishing(memory, self._publish())
        finally:
            self.close()


class Stream:
    """A stream that this process has open: shared memory with a slot for each of a few frames.

    The writer::

        with shmcv.Stream.create("cam0", 3840 * 2160 * 3) as stream:
            while True:
                with stream.begin() as frame:
                    frame.write(camera.read())

    A reader, which gets the newest frame each time, and skips frames if it is slower than the writer::

        with shmcv.Stream.open("cam0") as stream:
            for frame in stream.frames():
                look_at(frame.array)

    The writer does not wait for readers: create a stream with one slot for each reader and 2 more. A process that dies
    takes nothing with it: a frame that was not published is never seen, and the next writer goes on with the next
    number.

    Every method may be called from several threads at once. Pickling a stream, or passing it to
    another process, passes its name: the other process opens it.
    """

    def __init__(self, name: str, handle: Handle) -> None:
        """Take over a handle. ``create`` and ``open`` call this."""
        self._name = name
        self._stream: Handle | None = handle
        self._spin = 0.0  # besides what the library does by itself
        self._followed: weakref.WeakSet[Stream] = weakref.WeakSet()  # those that loops over frames have gone on to

    #: True if closing this object removes the stream's name too, if the name is still this stream's.
    clear_on_close: bool = False

    #: True if this object made the stream, False if the stream was there.
    created: bool = False

    #: The class method by which a copy of this object opens the stream.
    _opened_by: str = "open"

    @classmethod
    def create(
        cls,
        name: str,
        slot_size: int,
        *,
        slots: int = 0,
        when_behind: WhenBehind = WhenBehind.DROP,
        clear_on_close: bool = False,
        mode: int = OWN,
        group: Account = None,
        owner: Account = None,
    ) -> Self:
        """Make a stream of frames with at most ``slot_size`` bytes of pixels each, and open it.

        ``slots`` is the number of frames, 2 to 1024, or 0 for 4. ``when_behind`` says what the writer does when a
        reader that wants every frame is behind. With ``clear_on_close``, closing the object removes the name. The name,
        and ``mode``, ``group`` and ``owner``, are as for ``Segment.create``.

        Raises ExistsError if the name is taken; NoSpaceError if there is less shared memory free than all slots need;
        InvalidError for a bad name, size, number of slots or mode; NotFoundError for an unknown folder, user or group;
        PermissionError if this process may not give the stream to that owner or group.
        """
        handle = ShmcvStream()
        size, number = integer("slot_size", slot_size, ctypes.c_uint64), integer("slots", slots, ctypes.c_uint32)
        behind, who, out = WhenBehind(when_behind), access(mode, group, owner), ctypes.byref(handle)
        check(library().shmcv_stream_create_for(text("name", name), size, number, behind, who, out), name)
        stream = cls(name, Handle(handle.value, "shmcv_stream_close"))
        stream.created, stream.clear_on_close = True, clear_on_close
        return stream

    @classmethod
    def open_or_create(
        cls,
        name: str,
        slot_size: int,
        *,
        slots: int = 0,
        when_behind: WhenBehind = WhenBehind.DROP,
        clear_on_close: bool = False,
        mode: int = OWN,
        group: Account = None,
        owner: Account = None,
    ) -> Self:
        """Open the stream of that name, or make one if there is none; ``created`` tells which.

        A stream that is there must have slots of at least ``slot_size`` bytes, and at least ``slots`` of them; 0 slots
        are 4 for a new stream, and any number for one that is there. ``when_behind``, ``mode``, ``group`` and ``owner``
        are those of a new stream, as for ``create``.

        Raises TooSmallError if the stream that is there has smaller or fewer slots; otherwise what ``open`` and
        ``create`` raise.
        """
        handle, created = ShmcvStream(), ctypes.c_int32()
        size, number = integer("slot_size", slot_size, ctypes.c_uint64), integer("slots", slots, ctypes.c_uint32)
        behind, who = WhenBehind(when_behind), access(mode, group, owner)
        out = ctypes.byref(handle), ctypes.byref(created)
        check(library().shmcv_stream_open_or_create_for(text("name", name), size, number, behind, who, *out), name)
        stream = cls(name, Handle(handle.value, "shmcv_stream_close"))
        stream.created, stream.clear_on_close = bool(created), clear_on_close
        return stream

    @classmethod
    def open(cls, name: str, timeout: float | None = 0) -> Self:
        """Open a stream that any process, in whatever language, has created.

        A stream that this process may only read is opened as by ``open_read_only``, if its owner has given a group of
        this process to read it (mode 0o640).

        ``timeout`` says how long to wait until there is one, in seconds: with 0 it has to be there, and None or a
        negative number waits without an end. Ctrl-C ends the wait.

        Raises NotFoundError if there is none and ``timeout`` is 0; TimeoutError if there is none in time;
        PermissionError; CorruptError; InvalidError for a bad name, or the name of a segment that is no stream.
        """
        return cls._open_by("open", name, timeout)

    @classmethod
    def open_read_only(cls, name: str, timeout: float | None = 0) -> Self:
        """Open a stream to read alone. A file that this process may read is enough, also another user's.

        The object is no party to the stream: any number of them may read, no writer ever waits for one, and its frames
        are not ``held``; see ``Frame``. It gets the newest frame, or every frame of a stream of ``WhenBehind.DROP``.
        ``timeout`` is as for ``open``.

        Raises what ``open`` raises; PermissionError only if this process may not read the file.
        """
        return cls._open_by("open_read_only", name, timeout)

    @classmethod
    def _open_by(cls, way: str, name: str, timeout: float | None) -> Self:
        handle, asked, call = ShmcvStream(), text("name", name), getattr(library(), f"shmcv_stream_{way}")
        cls._open_in(name, timeout, lambda milliseconds: call(asked, milliseconds, ctypes.byref(handle)))
        stream = cls(name, Handle(handle.value, "shmcv_stream_close"))
        stream._opened_by = way
        return stream

    @staticmethod
    def _open_in(name: str, timeout: float | None, attempt: Callable[[int], int]) -> None:
        # A call with 0 ms raises NotFoundError, so a wait that is at its end makes one with 1 ms.
        least = 0 if timeout == 0 else 1
        in_slices(lambda ms: attempt(max(ms, least)), timeout, _none_to_open(name), asked=name)

    @classmethod
    async def open_async(cls, name: str, timeout: float | None = None) -> Self:
        """Do as ``open``, and let other tasks of the event loop run meanwhile."""
        return await until_found(lambda: cls.open(name), timeout, _none_to_open(name))

    def follow(self, timeout: float | None = None) -> Self:
        """Open the stream that has got the name of this one, after ReplacedError, and return it.

        The new object waits for frames as this one does: it watches for as long before it sleeps; it heeds the writer,
        from the first one on; and if this one gets every frame, so does the new one, from the oldest on that is there.
        The numbers of its frames begin at 1, so begin again with a ``newer_than`` of 0. This object stays as it is.
        ``frames(follow=True)`` does all of this by itself.

        ``timeout`` is as for ``open``. There is no stream to follow as long as the name is still this one's, or
        nobody's. Raises what ``open`` raises; ClosedError within 0.1 s when another thread closes this stream.
        """
        handle, follow = ShmcvStream(), library().shmcv_stream_follow
        self._open_in(self._name, timeout, lambda ms: follow(self._open.number, ms, ctypes.byref(handle)))
        next_one = type(self)(self._name, Handle(handle.value, "shmcv_stream_close"))
        next_one._spin, next_one._opened_by = self._spin, self._opened_by
        return next_one

    async def follow_async(self, timeout: float | None = None) -> Self:
        """Do as ``follow``, and let other tasks of the event loop run meanwhile."""
        return await until_found(lambda: self.follow(0), timeout, _none_to_open(self._name))

    @property
    def _open(self) -> Handle:
        if self._stream is None:
            raise ClosedError(f'shmcv: stream "{self._name}" is closed')
        return self._stream

    @property
    def name(self) -> str:
        """The name by which every process of this user can open the stream."""
        return self._name

    @property
    def closed(self) -> bool:
        """True if the object has been closed."""
        return self._stream is None

    @property
    def info(self) -> SegmentInfo:
        """What is known of the stream. Its ``image`` is that of the newest frame."""
        found = ShmcvSegmentInfo()
        check(library().shmcv_stream_info(self._open.number, ctypes.byref(found)))
        return SegmentInfo._from_native(found)

    def begin(self, timeout: float | None = None) -> NewFrame:
        """Return a frame to fill, in a free slot. The first one makes this object the stream's writer.

        In a stream of ``WhenBehind.BLOCK`` it waits for a slot. ``timeout`` is in seconds: 0 does not wait, and None or
        a negative number waits without an end. Ctrl-C ends the wait. In other streams it never waits.

        Raises BusyError if there is another writer, if the frame begun before is neither published nor closed, and if
        there is no slot, because readers hold them, or are behind; TimeoutError; PermissionError if the stream was
        opened read-only; ReplacedError if the stream's name was cleared, and another stream has the name.
        """
        frame, begin = NewFrame(self._name, self._open), direct("shmcv_stream_begin")
        out = frame._out
        in_slices(
            lambda milliseconds: begin(self._open.handle, milliseconds, out),
            timeout,
            f'no slot of "{self._name}" has come free',
        )
        return frame

    def publish(
        self,
        array: npt.ArrayLike,
        metadata: bytes | Mapping[str, Any] = b"",
        *,
        capture_time_ns: int = 0,
        timeout: float | None = None,
    ) -> int:
        """Copy an array, as ``NewFrame.write`` takes it, into a new frame, publish the frame, and return its number.

        ``metadata`` and ``capture_time_ns`` are those of ``NewFrame.describe``, ``timeout`` that of ``begin``.

        Raises what ``begin``, ``NewFrame.write``, ``NewFrame.describe`` and ``NewFrame.publish`` raise.
        """
        with self.begin(timeout) as frame:
            frame.write(array)
            if metadata or capture_time_ns:
                frame.describe(metadata, capture_time_ns=capture_time_ns)
        assert frame.sequence is not None  # noqa: S101 # the block has published it
        return frame.sequence

    def deliver(self, delivery: Delivery) -> None:
        """Choose which frames this object gets: the newest, as at first, or every frame in order.

        A reader of every frame is owed each frame until it has taken it, has closed the stream, or its process has
        ended. What the writer does meanwhile is the stream's ``when_behind``.

        Raises BusyError if 63 others read the stream; PermissionError for every frame of a stream that was opened
        read-only, unless it is one of ``WhenBehind.DROP``.
        """
        check(library().shmcv_stream_deliver(self._open.number, Delivery(delivery)))

    def heed_writer(self, heed: bool = True) -> None:
        """Let waits raise WriterGoneError when there is no further frame and no program that writes, or not.

        At first they do not.

        The writer has closed the stream, has been killed, or there has been none yet. A wait that sleeps is told within
        some 2 ms.
        """
        check(library().shmcv_stream_heed_writer(self._open.number, int(heed)))

    def wait_writer(self, timeout: float | None = None) -> None:
        """Wait until a program writes to the stream: has begun a frame. ``timeout`` is as for ``wait``.

        Raises TimeoutError; ReplacedError if there is no writer, and another stream has the name; ClosedError within
        0.1 s when another thread closes the stream.
        """
        wait = library().shmcv_stream_wait_writer
        in_slices(
            lambda milliseconds: wait(self._open.number, milliseconds),
            timeout,
            f'nobody has begun to write to "{self._name}"',
        )

    def spin(self, time: float) -> None:
        """Set for how many seconds a wait watches for a frame before it sleeps. It is 20 microseconds at first.

        A reader that has a processor for itself may watch for longer, and occupies that processor: waking a thread
        takes some microseconds.
        """
        limit = seconds(time)
        if limit is None:
            raise InvalidError(f"shmcv: a time of {time} s to watch for a frame; it is 0 to 4000 s")
        check(library().shmcv_stream_spin(self._open.number, min(math.ceil(limit * 1e6), 2**32 - 1)))
        self._spin = limit

    def end(self) -> None:
        """Tell all readers that no frame follows.

        They get the frames that are there, and then EndedError; ``frames()`` ends. The stream goes on if a writer
        begins another frame.

        Raises BusyError if there is another writer, or if a frame is begun and neither published nor closed.
        """
        check(library().shmcv_stream_end(self._open.number))

    def utc(self, time_ns: int) -> datetime:
        """Return a frame's ``time_ns`` or ``capture_time_ns`` as a time in UTC, as the clocks were at its creation."""
        return EPOCH + timedelta(microseconds=(time_ns + self.info.utc_offset_ns) // 1000)

    def wait(self, newer_than: int = 0, timeout: float | None = None) -> Frame:
        """Return a frame as soon as there is one with a number greater than ``newer_than``.

        It is the newest frame, or what ``deliver`` has chosen.

        ``timeout`` is in seconds: 0 does not sleep, and None or a negative number waits without an end. Ctrl-C ends the
        wait.

        Raises TimeoutError; EndedError if the writer has ended the stream and there is no further frame;
        ReplacedError if another stream has got the name and there is no further frame here, see ``follow``;
        WriterGoneError, see ``heed_writer``; BusyError if 63 others read the stream; ClosedError within 0.1 s when
        another thread closes the stream; InvalidError for a timeout of NaN.
        """
        frame, wait = Frame(self), direct("shmcv_stream_wait")
        number, (found, told) = uint64("newer_than", newer_than), frame._out
        # Every slice reads self._open again, because another thread may close the stream.
        in_slices(
            lambda milliseconds: wait(self._open.handle, number, milliseconds, found, told),
            timeout,
            self._none_newer_than(newer_than),
            self._spin,
        )
        return frame

    async def wait_async(self, newer_than: int = 0, timeout: float | None = None) -> Frame:
        """Do as ``wait``, and let other tasks of the event loop run meanwhile.

        It occupies no thread: one thread sleeps for all asynchronous waits of the process. A task that is cancelled
        takes no frame.
        """
        add = library().shmcv_wait_set_add_stream
        return await repeat(
            lambda: self.wait(newer_than, 0),
            lambda left: news(add, self._open, newer_than, left),
            timeout,
            self._none_newer_than(newer_than),
        )

    def fileno(self) -> int:
        """Return a descriptor on which a loop of one's own waits for frames: ``loop.add_reader``, ``selectors``, epoll.

        The stream itself may be given to ``add_reader`` and ``selectors``, as a socket may. The descriptor is readable
        at first. When it is readable, call ``wait`` with a timeout of 0, as often as it gives frames. The descriptor
        stays readable until such a call raises TimeoutError. It is readable again when there is a frame that is newer
        than ``newer_than`` of that call, or when the call would tell that the stream has ended, was replaced or has no
        writer, or that something is wrong. Now and then it is readable for nothing.

        The descriptor is this object's: do not read, write or close it. ``close`` closes it; take it out of the loop
        before, because another file may get the number. A forked child opens the stream again, and asks for one of its
        own. One thread of the library serves all descriptors of the process.

        On Windows there is no such descriptor: use ``async for`` and ``wait_async`` there, which work with every loop
        of asyncio, or a thread that calls ``wait``.

        Raises IOError if the process has no file descriptors left, and on Windows; ClosedError.
        """
        number, handle = ctypes.c_int64(), self._open.number
        if NO_DESCRIPTOR:
            # No ValueError: asyncio and selectors would say "Invalid file object" in its place.
            raise IOError(f'shmcv: stream "{self._name}" has no descriptor: {NO_DESCRIPTOR}')
        check(library().shmcv_stream_descriptor(handle, ctypes.byref(number)))
        return number.value

    def _none_newer_than(self, newer_than: int) -> str:
        return f'no frame of "{self._name}" newer than {newer_than}'

    def frames(self, newer_than: int = 0, timeout: float | None = None, *, follow: bool = False) -> Frames:
        """Return an iterator over the frames to come, for ``for`` and ``async for``.

        The iterator closes each frame when the next one is asked for. It does not ask whether a frame that is not
        ``held`` was whole until then: the loop's body does, by ``with frame:`` or ``frame.check()``.

        It ends when the writer ends the stream, and when the stream is closed, by another thread or the loop itself. It
        raises TimeoutError when a frame takes longer than ``timeout`` seconds.

        When the name is cleared and another stream gets it, the iterator raises ReplacedError. With ``follow`` it goes
        on with that stream instead, again and again, as ``Stream.follow`` does: ``stream`` of the frame is another
        object from then on, and ``sequence`` begins at 1. Closing the stream that ``frames`` was called on ends the
        loop then too.

        ``async for`` lets other tasks run at every second frame, also when frames are always ready.
        """
        return Frames(self, newer_than, timeout, follow)

    def clear(self) -> None:
        """Remove the stream's name. A name that another stream has by now is NotFoundError, and stays.

        After ``close`` it does as ``shmcv.clear``, which removes the name of whatever stream has it.
        """
        stream = self._stream
        if stream is None:
            clear(self._name)
        else:
            check(library().shmcv_stream_clear(stream.number), self._name)

    def close(self) -> None:
        """End this object's use of the stream. Frames stay usable. Closing again does nothing.

        Waits of other threads and tasks end with ClosedError within 0.1 s. The next writer may begin when the frame
        that was begun, if any, is closed too. With ``clear_on_close`` the stream's name is removed, if it is still this
        stream's. In a forked child the name of the parent's stream stays.
        """
        stream, self._stream = self._stream, None
        for followed in list(self._followed):
            followed.close()
        if stream is not None:
            end(stream)
            if self.clear_on_close:
                with contextlib.suppress(NotFoundError, ForkedError):
                    check(library().shmcv_stream_clear(stream.number), self._name)

    def __enter__(self) -> Self:
        """Return the stream itself. The end of the block closes it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the stream."""
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the name and the identity. Unpickling, and ``copy.copy``, open the stream; see ``open_again``."""
        return open_again, (type(self), self._name, self.info.uuid, self._opened_by)

    def __deepcopy__(self, memo: object) -> NoReturn:
        """Refuse: a copy would have the same frames."""
        raise TypeError(
            f'shmcv: stream "{self._name}" cannot be copied deeply, because all who open it share its frames; '
            "copy.copy() opens it once more"
        )

    def __repr__(self) -> str:
        """Return the class, the name and the slots, or "closed" if the object is closed."""
        try:
            info = self.info
            told = f"{info.slots} slots of {info.slot_size} bytes"
        except error.ShmcvError as problem:
            told = "closed" if self.closed else type(problem).__name__
        return f"<shmcv.{type(self).__name__} {self._name!r} {told}>"


def _none_to_open(name: str) -> str:
    return f'there has been no stream "{name}" to open'


class Frames:
    """An iterator over the frames of a stream as they come; see ``Stream.frames``. For one loop at a time."""

    def __init__(self, stream: Stream, newer_than: int, timeout: float | None, follow: bool) -> None:
        """Begin after the frame with the number ``newer_than``. ``Stream.frames`` calls this."""
        self._first = stream
        self._stream = stream
        self._follow = follow
        self._newest = newer_than
        self._timeout = timeout
        self._frame: Frame | None = None
        self._at_once = False  # the last frame was there without an await

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied: an iterator holds a frame, which only one of two could close."""
        raise TypeError(
            f'shmcv: an iterator over the frames of stream "{self._stream.name}" cannot be pickled or copied; '
            "send the stream, and call its frames(newer_than=...) there"
        )

    def __iter__(self) -> Self:
        """Return the iterator itself."""
        return self

    def __next__(self) -> Frame:
        """Close the last frame, and wait for the next one."""
        self._close_last()
        while True:
            try:
                try:
                    return self._remember(self._stream.wait(self._newest, self._timeout))
                except ReplacedError:
                    if not self._follow:
                        raise
                    self._go_on_with(self._stream.follow(self._timeout))
            except (ClosedError, EndedError):
                raise StopIteration from None

    def __aiter__(self) -> Self:
        """Return the iterator itself."""
        return self

    async def __anext__(self) -> Frame:
        """Close the last frame, and wait for the next one while other tasks run."""
        self._close_last()
        if self._at_once:
            await asyncio.sleep(0)
        self._at_once = not self._at_once
        while True:
            try:
                try:
                    return self._remember(await self._next_async())
                except ReplacedError:
                    if not self._follow:
                        raise
                    self._go_on_with(await self._stream.follow_async(self._timeout))
            except (ClosedError, EndedError):
                raise StopAsyncIteration from None

    async def _next_async(self) -> Frame:
        try:
            return self._stream.wait(self._newest, 0)
        except error.TimeoutError:
            self._at_once = False
            return await self._stream.wait_async(self._newest, self._timeout)

    def _go_on_with(self, stream: Stream) -> None:
        before, self._stream, self._newest = self._stream, stream, 0
        if before is not self._first:
            before.close()
        self._first._followed.add(stream)
        if self._first.closed:  # by another thread, which may not have seen the new one
            stream.close()

    def _remember(self, frame: Frame) -> Frame:
        self._newest, self._frame = frame.sequence, frame
        return frame

    def _close_last(self) -> None:
        if self._frame is not None:
            self._frame.close()
            self._frame = None
