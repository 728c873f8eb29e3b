"""Files: JPEG, PNG, WebP, TIFF, BMP and PNM, read into segments and written from them."""

from __future__ import annotations

import ctypes

from ._arguments import StrPath, integer, text
from ._library import library
from ._memory import SegmentBase
from ._native import QUALITY_DEFAULT, LoadFlags, ShmcvImageInfo
from .error import check
from .image import Image


def probe(path: StrPath, flags: int = LoadFlags.COLOR) -> Image:
    """Read an image file's header, and give the image that ``Segment.load`` would store; its ``nbytes`` must fit.

    Raises what ``Segment.load`` raises; the file is not decoded, so damage beyond its header is not seen.
    """
    found = ShmcvImageInfo()
    check(library().shmcv_probe(text("path", path), integer("flags", flags, ctypes.c_int32), ctypes.byref(found)))
    return Image._from_native(found)


class Codec(SegmentBase):
    """Loading and saving."""

    def load(self, path: StrPath, flags: int = LoadFlags.COLOR) -> Image:
        """Decode an image file straight into the segment, rows without gaps, and give its description.

        ``flags`` is one of LoadFlags; the default gives 8-bit BGR, as ``cv2.imread`` does. When it fails, an image that
        the segment held is still there, whole.

        Raises NotFoundError; TooSmallError with the number of bytes that are needed; DecodeError when the file is
        corrupt, truncated or empty; UnsupportedError when it is no image; LimitError; InvalidError for unknown flags or
        a folder; PermissionDeniedError.
        """
        stored = ShmcvImageInfo()
        number = integer("flags", flags, ctypes.c_int32)
        check(library().shmcv_load(self._handle, text("path", path), number, ctypes.byref(stored)))
        return Image._from_native(stored)

    def save(self, path: StrPath, quality: int = QUALITY_DEFAULT) -> None:
        """Write the segment's image to a file, in the format that the path's extension names.

        ``quality`` is 0 to 100 for JPEG, 1 to 100 for WebP (above 100: lossless), the compression level 0 to 9 for PNG.
        The file appears under its name only when it is whole; one that was there is replaced then.

        Raises NoImageError; UnsupportedError for an unknown extension; NotFoundError when the folder is not there;
        PermissionDeniedError; NoSpaceError; InvalidError for a quality out of range.
        """
        check(library().shmcv_save(self._handle, text("path", path), integer("quality", quality, ctypes.c_int32)))
