"""Images in named shared memory: load, flip, show and save them without copies, together with C, C++ and C#.

A segment is a piece of shared memory with a name. It holds pixels and their description, and every process of the same
user that opens the name works on the same pixels. In Python they are a numpy array:

    import shmcv

    with shmcv.Segment.from_file("photo", "photograph.jpg", clear_on_close=True) as photo:
        photo.flip(shmcv.FlipCode.HORIZONTAL)
        photo.array[:50, :50] = (0, 0, 255)  # a red corner, BGR as in OpenCV
        photo.save("flipped.png")

Errors are exceptions that are also Python's own (FileNotFoundError, FileExistsError, ValueError, ...). Three of them
have the names of the built-in exceptions that they derive from: shmcv.PermissionError, shmcv.TimeoutError and
shmcv.IOError. ``from shmcv import *`` leaves these three out, so that it hides no built-in name. A program can catch
them by the built-in names too.

Every function may be called from any thread, and other threads run during a call. A child of ``os.fork()``, of
multiprocessing's "fork" method too, opens names and works with them like any process. Objects that its parent opened
before the fork are the parent's: their methods raise ForkedError in the child, closing them there does nothing, and
arrays taken from them show the shared pixels in both processes.
"""

from __future__ import annotations

from ._library import LibraryError
from ._options import LoadOptions
from .codec import encode_bound, probe, probe_bytes
from .constants import (
    KEY_BACKSPACE,
    KEY_DELETE,
    KEY_DOWN,
    KEY_END,
    KEY_ENTER,
    KEY_ESCAPE,
    KEY_F1,
    KEY_HOME,
    KEY_INSERT,
    KEY_LEFT,
    KEY_PAGE_DOWN,
    KEY_PAGE_UP,
    KEY_RIGHT,
    KEY_TAB,
    KEY_UP,
    MAX_DIMENSION,
    MAX_FOLDER,
    MAX_METADATA,
    MAX_NAME,
    MAX_PIXELS,
    MAX_SLOTS,
    NO_KEY,
    QUALITY_DEFAULT,
    ColorOrder,
    Delivery,
    Depth,
    ErrorCode,
    FlipCode,
    Interpolation,
    LoadFlags,
    RotateCode,
    WhenBehind,
)
from .error import (
    BusyError,
    ClosedError,
    CorruptError,
    DecodeError,
    EncodeError,
    EndedError,
    ExistsError,
    ForkedError,
    InternalError,
    InvalidError,
    LimitError,
    NoDisplayError,
    NoImageError,
    NoSpaceError,
    NotFoundError,
    OvertakenError,
    ReplacedError,
    ShmcvError,
    TooSmallError,
    TruncatedError,
    UnsupportedError,
    WriterGoneError,
)
from .error import IOError as IOError
from .error import PermissionError as PermissionError
from .error import TimeoutError as TimeoutError
from .image import ImageInfo
from .info import SegmentInfo
from .loader import ImageLoader
from .pixels import Pixels, WritablePixels
from .segment import ReadOnlySegment, Segment, clear, clear_all, list_segments, sweep
from .stream import Frame, Frames, NewFrame, Stream
from .version import __version__, abi_version, version
from .view import View, WritableView
from .window import close_window, close_windows, delay, show

__all__ = [
    "KEY_BACKSPACE",
    "KEY_DELETE",
    "KEY_DOWN",
    "KEY_END",
    "KEY_ENTER",
    "KEY_ESCAPE",
    "KEY_F1",
    "KEY_HOME",
    "KEY_INSERT",
    "KEY_LEFT",
    "KEY_PAGE_DOWN",
    "KEY_PAGE_UP",
    "KEY_RIGHT",
    "KEY_TAB",
    "KEY_UP",
    "MAX_DIMENSION",
    "MAX_FOLDER",
    "MAX_METADATA",
    "MAX_NAME",
    "MAX_PIXELS",
    "MAX_SLOTS",
    "NO_KEY",
    "QUALITY_DEFAULT",
    "BusyError",
    "ClosedError",
    "ColorOrder",
    "CorruptError",
    "DecodeError",
    "Delivery",
    "Depth",
    "EncodeError",
    "EndedError",
    "ErrorCode",
    "ExistsError",
    "FlipCode",
    "ForkedError",
    "Frame",
    "Frames",
    "ImageInfo",
    "ImageLoader",
    "InternalError",
    "Interpolation",
    "InvalidError",
    "LibraryError",
    "LimitError",
    "LoadFlags",
    "LoadOptions",
    "NewFrame",
    "NoDisplayError",
    "NoImageError",
    "NoSpaceError",
    "NotFoundError",
    "OvertakenError",
    "Pixels",
    "ReadOnlySegment",
    "ReplacedError",
    "RotateCode",
    "Segment",
    "SegmentInfo",
    "ShmcvError",
    "Stream",
    "TooSmallError",
    "TruncatedError",
    "UnsupportedError",
    "View",
    "WhenBehind",
    "WritablePixels",
    "WritableView",
    "WriterGoneError",
    "__version__",
    "abi_version",
    "clear",
    "clear_all",
    "close_window",
    "close_windows",
    "delay",
    "encode_bound",
    "list_segments",
    "probe",
    "probe_bytes",
    "show",
    "sweep",
    "version",
]
