"""Files: JPEG, PNG, WebP, TIFF, BMP and PNM, read into segments and written from them; PFM and JPEG 2000, read."""

from __future__ import annotations

import ctypes

from ._arguments import StrPath, integer, text
from ._check import check
from ._library import library
from ._memory import PixelsBase
from ._native import ShmcvImageInfo
from .constants import QUALITY_DEFAULT, LoadFlags
from .image import ImageInfo


def probe(path: StrPath, flags: int = LoadFlags.COLOR) -> ImageInfo:
    """Return the image that ``load`` would store, from the file's header alone.

    Its ``size`` is the size that a segment needs for it. The file is not decoded, so damage beyond its header is not
    noticed.

    Raises what ``load`` raises.
    """
    found = ShmcvImageInfo()
    check(library().shmcv_probe(text("path", path), integer("flags", flags, ctypes.c_int32), ctypes.byref(found)), path)
    return ImageInfo._from_native(found)


class Save(PixelsBase):
    """Writing pixels to a file."""

    def save(self, path: StrPath, quality: int = QUALITY_DEFAULT) -> None:
        """Write the image to a file, in the format that the path's extension names.

        ``quality`` is 0 to 100 for JPEG, 1 to 100 for WebP (above 100: lossless), the compression level 0 to 9 for PNG,
        or QUALITY_DEFAULT for the format's own default. The file appears under its name when it is whole. A file that
        was there is replaced at that moment, and stays when saving fails.

        Raises NoImageError; UnsupportedError for an unknown extension, or a depth that the format does not have;
        InvalidError for a quality out of range or a folder; NotFoundError if the folder is not there; PermissionError;
        NoSpaceError; EncodeError; IOError; BusyError if another process has been storing an image for 10 seconds.
        """
        check(library().shmcv_save(self._handle, text("path", path), integer("quality", quality, ctypes.c_int32)), path)


class Load(PixelsBase):
    """Reading a file into the pixels."""

    def load(self, path: StrPath, flags: int = LoadFlags.COLOR) -> ImageInfo:
        """Decode an image file straight into the shared memory, rows without gaps, and return its description.

        ``flags`` is one of LoadFlags; the default gives 8-bit BGR, as ``cv2.imread`` does. When loading fails, an image
        that was there before is still there, whole.

        Raises NotFoundError; TooSmallError with the number of bytes that are needed; DecodeError if the file is
        corrupt, truncated or empty; UnsupportedError if it is no image of a known format; LimitError; InvalidError for
        unknown flags or a folder; PermissionError; IOError; BusyError if another process has been storing an image for
        10 seconds.
        """
        stored = ShmcvImageInfo()
        number = integer("flags", flags, ctypes.c_int32)
        check(library().shmcv_load(self._handle, text("path", path), number, ctypes.byref(stored)), path)
        return ImageInfo._from_native(stored)
