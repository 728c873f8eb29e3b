"""Streams: frame after frame from one writer to any number of readers, each seen whole and none copied."""

from __future__ import annotations

import asyncio
import ctypes
from typing import TYPE_CHECKING, Any

from ._arguments import integer, text
from ._library import library
from ._memory import Memory
from ._native import ShmcvFrameInfo, ShmcvSegment, ShmcvSegmentInfo
from ._slices import SLICE_MS, in_slices
from .error import ClosedError, InvalidError, TimedOutError, check
from .segment import Pixels, SegmentInfo, clear

if TYPE_CHECKING:
    from types import TracebackType

    import numpy as np
    from typing_extensions import Self


class _FrameMemory(Memory):
    """The memory of a frame. The stream stays open with it: a frame's views may outlive the frame's own handle."""

    __slots__ = ("_readable_only", "_stream")

    def __init__(self, handle: int, stream: Memory, *, readable_only: bool) -> None:
        super().__init__(handle)
        self._stream = stream
        self._readable_only = readable_only

    @property
    def __array_interface__(self) -> dict[str, Any]:
        return {**super().__array_interface__, "data": (self._address, self._readable_only)}


class Frame(Pixels):
    """A frame to read. It stays as it is until it is closed, and until no array taken from it is left.

    ``array`` and ``buffer`` are the pixels themselves, read-only. Close frames soon: a stream has few slots.
    """

    #: Its number: 1 for the stream's first frame, then 1 more each, whoever writes.
    sequence: int
    #: When it was published, in nanoseconds of ``time.monotonic_ns()``.
    time_ns: int
    #: How many frames were published between the one that was waited beyond and this one.
    missed: int

    def __init__(self, name: str, memory: Memory, info: ShmcvFrameInfo) -> None:
        """Take over a handle; ``Stream.wait`` calls this."""
        super().__init__(name, memory)
        self.sequence, self.time_ns, self.missed = info.sequence, info.time, info.missed


class NewFrame(Pixels):
    """A frame to fill: by ``load``, ``write``, a ``flip`` into it, or ``image`` and ``array``.

    As a ``with`` block it is published at the end, and given back unpublished when there is an exception. Nobody sees
    anything of it before it is published. Arrays taken from it must not be written to any more afterwards.
    """

    #: Its number, once it is published.
    sequence: int | None = None

    def publish(self) -> int:
        """Make it the stream's newest frame, wake those who wait for one, and give the number that it got.

        It is closed then. Raises NoImageError when nothing has said what the pixels mean; it is still open then.
        """
        sequence = ctypes.c_uint64()
        check(library().shmcv_stream_publish(self._handle, ctypes.byref(sequence)))
        self.sequence = sequence.value
        self.close()
        return sequence.value

    def close(self) -> None:
        """Give it back; unless it was published, nobody has seen it. Closing again does nothing."""
        if self._memory is not None and self.sequence is None:
            # Now, and not when the last array of it is gone: the writer could not begin another frame before that.
            check(library().shmcv_close(self._handle))
        super().close()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Publish it, unless there is an exception or it is closed already."""
        try:
            if kind is None and not self.closed:
                self.publish()
        finally:
            self.close()


class Stream:
    """A stream that this process has open: a segment with a slot for each of a few frames.

    The writer::

        with shmcv.Stream.create("cam0", 3840 * 2160 * 3) as stream:
            while True:
                with stream.begin() as frame:
                    frame.write(camera.read())

    A reader, which gets the newest frame each time, and skips those that it is too slow for::

        with shmcv.Stream.open("cam0") as stream:
            for frame in stream.frames():
                look_at(frame.array)

    The writer waits for nobody: create a stream with a slot for each reader, and 2 more. Who dies takes nothing with
    it: a frame that was not published is never seen, and the next writer goes on with the next number.

    All of it may be used from several threads at once. Pickling a stream passes its name.
    """

    def __init__(self, name: str, memory: Memory) -> None:
        """Take over a handle; ``create`` and ``open`` call this."""
        self._name = name
        self._memory: Memory | None = memory

    @classmethod
    def create(cls, name: str, slot_size: int, *, slots: int = 0) -> Self:
        """Make a stream of frames that have at most ``slot_size`` bytes of pixels each, and open it.

        ``slots`` is 2 to 16, or 0 for 4. Raises ExistsError, NoSpaceError, InvalidError.
        """
        handle = ShmcvSegment()
        size, number = integer("slot_size", slot_size, ctypes.c_uint64), integer("slots", slots, ctypes.c_uint32)
        check(library().shmcv_create_stream(text("name", name), size, number, ctypes.byref(handle)))
        return cls(name, Memory(handle.value))

    @classmethod
    def open(cls, name: str) -> Self:
        """Open a stream that somebody, in whatever language, has created.

        Raises NotFoundError; PermissionDeniedError; CorruptError; InvalidError when there is no stream of that name but
        a segment.
        """
        handle = ShmcvSegment()
        check(library().shmcv_open(text("name", name), ctypes.byref(handle)))
        stream = cls(name, Memory(handle.value))
        if not stream.info.slots:
            raise InvalidError(f'shmcv: "{name}" is a segment and no stream; open it by Segment.open')
        return stream

    @property
    def _open(self) -> Memory:
        if self._memory is None:
            raise ClosedError(f'shmcv: stream "{self._name}" is closed')
        return self._memory

    @property
    def name(self) -> str:
        """The name under which every process of this user can open it."""
        return self._name

    @property
    def closed(self) -> bool:
        """Whether ``close`` has been called."""
        return self._memory is None

    @property
    def info(self) -> SegmentInfo:
        """What is known of it; ``image`` is that of the newest frame."""
        found = ShmcvSegmentInfo()
        check(library().shmcv_info(self._open.handle, ctypes.byref(found)))
        return SegmentInfo._from_native(found)

    def begin(self) -> NewFrame:
        """Give a free slot to fill, and to publish. The first one makes this object the stream's writer.

        Raises BusyError when there is another writer, when the frame before is still open, and when readers hold all
        slots.
        """
        stream, handle = self._open, ShmcvSegment()
        check(library().shmcv_stream_begin(stream.handle, ctypes.byref(handle)))
        return NewFrame(self._name, _FrameMemory(handle.value, stream, readable_only=False))

    def publish(self, array: np.ndarray[Any, Any]) -> int:
        """Copy an array into a new frame, publish it, and give its number."""
        with self.begin() as frame:
            frame.write(array)
        assert frame.sequence is not None  # noqa: S101 # the block has published it
        return frame.sequence

    def wait(self, newer_than: int = 0, timeout: float | None = None) -> Frame:
        """Give the newest frame of those with a number above ``newer_than``, once there is one.

        ``timeout`` is in seconds, 0 for a mere look and None for a wait without an end; Ctrl-C ends it.

        Raises TimedOutError; BusyError when 64 frames are being read.
        """
        stream, handle, info = self._open, ShmcvSegment(), ShmcvFrameInfo()
        number = integer("newer_than", newer_than, ctypes.c_uint64)
        found, told, wait = ctypes.byref(handle), ctypes.byref(info), library().shmcv_stream_wait
        # The stream is looked at anew for each slice: another thread may close it.
        in_slices(lambda milliseconds: wait(self._open.handle, number, milliseconds, found, told), timeout)
        return Frame(self._name, _FrameMemory(handle.value, stream, readable_only=True), info)

    def frames(self, newer_than: int = 0, timeout: float | None = None) -> Frames:
        """Give the frames to come, for ``for`` and ``async for``, each closed when the next one is asked for.

        It ends when the stream is closed, by another thread or the loop itself. TimedOutError when a frame takes longer
        than ``timeout`` seconds.
        """
        return Frames(self, newer_than, timeout)

    def clear(self) -> None:
        """Remove the stream's name, as ``shmcv.clear`` does."""
        clear(self._name)

    def close(self) -> None:
        """End this object's use of the stream. Frames stay usable; closing again does nothing.

        The next writer may begin when the frame that was begun, if any, is closed too.
        """
        self._memory = None

    def __enter__(self) -> Self:
        """Give the stream itself; the end of the block closes it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the name; who unpickles it opens the stream."""
        self._open  # noqa: B018 # a closed one is not opened by the back door
        return type(self).open, (self._name,)

    def __repr__(self) -> str:
        """Tell the name, and whether it is closed."""
        return f"<shmcv.Stream {self._name!r}{' closed' if self.closed else ''}>"


class Frames:
    """The frames of a stream as they come; see ``Stream.frames``. For one loop at a time."""

    def __init__(self, stream: Stream, newer_than: int, timeout: float | None) -> None:
        """Begin behind ``newer_than``; ``Stream.frames`` calls this."""
        self._stream = stream
        self._newest = newer_than
        self._timeout = timeout
        self._frame: Frame | None = None

    def __iter__(self) -> Self:
        """Give itself."""
        return self

    def __next__(self) -> Frame:
        """Wait for the next frame."""
        self._close_last()
        try:
            return self._remember(self._stream.wait(self._newest, self._timeout))
        except ClosedError:
            raise StopIteration from None

    def __aiter__(self) -> Self:
        """Give itself."""
        return self

    async def __anext__(self) -> Frame:
        """Wait for the next frame while other tasks run: in a thread, in slices, so that the task can be cancelled."""
        self._close_last()
        loop = asyncio.get_running_loop()
        end = None if self._timeout is None else loop.time() + self._timeout
        while True:
            left = SLICE_MS / 1000 if end is None else min(SLICE_MS / 1000, max(0.0, end - loop.time()))
            try:
                return self._remember(await loop.run_in_executor(None, self._stream.wait, self._newest, left))
            except TimedOutError:
                if end is not None and loop.time() >= end:
                    raise
            except ClosedError:
                raise StopAsyncIteration from None

    def _remember(self, frame: Frame) -> Frame:
        self._newest, self._frame = frame.sequence, frame
        return frame

    def _close_last(self) -> None:
        if self._frame is not None:
            self._frame.close()
            self._frame = None
