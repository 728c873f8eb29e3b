"""Images in named shared memory: load, flip, show and save them without copies, together with C, C++ and C#.

A segment is a piece of shared memory with a name. It holds pixels and their description, and every process of the same
user that opens the name works on the same pixels. In Python they are a numpy array:

    import shmcv

    with shmcv.Segment.create("photo", 3840 * 2160 * 3) as photo:
        photo.load("photograph.jpg")
        photo.flip(shmcv.FlipCode.HORIZONTAL)
        photo.array[:50, :50] = (0, 0, 255)  # a red corner, BGR as in OpenCV
        photo.save("flipped.png")
        photo.clear()

Errors are exceptions that are also Python's own (FileNotFoundError, FileExistsError, ValueError, ...). Everything may
be called from any thread, and other threads run during a call. After ``os.fork()`` a child whose parent had used the
library gets ForkedError; use multiprocessing's "spawn" or "forkserver" method.
"""

from __future__ import annotations

from ._library import LibraryError
from ._native import ColorOrder, Depth, ErrorCode, FlipCode, LoadFlags
from .codec import probe
from .error import (
    BusyError,
    ClosedError,
    CorruptError,
    DecodeError,
    EncodeError,
    ExistsError,
    ForkedError,
    InputOutputError,
    InternalError,
    InvalidError,
    LimitError,
    NoDisplayError,
    NoImageError,
    NoSpaceError,
    NotFoundError,
    PermissionDeniedError,
    ShmcvError,
    TimedOutError,
    TooSmallError,
    TruncatedError,
    UnsupportedError,
)
from .image import Image
from .loader import ImageLoader
from .segment import Segment, SegmentInfo, clear, clear_all, list_segments, sweep
from .stream import Frame, Frames, NewFrame, Stream
from .version import __version__, abi_version, version
from .window import close_window, close_windows, delay, show

__all__ = [
    "BusyError",
    "ClosedError",
    "ColorOrder",
    "CorruptError",
    "DecodeError",
    "Depth",
    "EncodeError",
    "ErrorCode",
    "ExistsError",
    "FlipCode",
    "ForkedError",
    "Frame",
    "Frames",
    "Image",
    "ImageLoader",
    "InputOutputError",
    "InternalError",
    "InvalidError",
    "LibraryError",
    "LimitError",
    "LoadFlags",
    "NewFrame",
    "NoDisplayError",
    "NoImageError",
    "NoSpaceError",
    "NotFoundError",
    "PermissionDeniedError",
    "Segment",
    "SegmentInfo",
    "ShmcvError",
    "Stream",
    "TimedOutError",
    "TooSmallError",
    "TruncatedError",
    "UnsupportedError",
    "__version__",
    "abi_version",
    "clear",
    "clear_all",
    "close_window",
    "close_windows",
    "delay",
    "list_segments",
    "probe",
    "show",
    "sweep",
    "version",
]
