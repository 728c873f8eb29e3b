"""Files, and their bytes in memory: JPEG, PNG, WebP, TIFF, BMP and PNM, read and written; PFM and JPEG 2000, read."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Protocol, Union

import numpy as np

from ._arguments import StrPath, integer, text
from ._check import check
from ._library import library
from ._memory import PixelsBase
from ._native import ShmcvImageInfo
from ._options import LoadOptions, load_options
from .constants import QUALITY_DEFAULT, ErrorCode, LoadFlags
from .image import ImageInfo

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Readable(Protocol):
    """A file object that was opened for reading bytes, or what behaves like one."""

    def read(self) -> bytes:
        """Return all bytes that are left."""
        ...


#: The bytes of a file: a bytes-like object, or a file object whose rest they are.
Encoded = Union[bytes, bytearray, memoryview, "np.ndarray[Any, Any]", Readable]


def _bytes(source: Encoded) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return the bytes of a file, without a copy if they are in memory."""
    data = source.read() if hasattr(source, "read") else source
    if isinstance(data, str):
        raise TypeError("shmcv: the bytes of an image file are wanted, not a str; load() and probe() take a path")
    view = memoryview(data)  # type: ignore[arg-type] # what has no bytes is a TypeError
    return np.frombuffer(view, np.uint8) if view.nbytes else np.empty(0, np.uint8)


def probe_bytes(source: Encoded, flags: int = LoadFlags.COLOR, **options: Unpack[LoadOptions]) -> ImageInfo:
    """Return the image that ``decode`` would store, from a file's first bytes: as many as hold its header.

    ``source`` is a bytes-like object, or a file object, of which the rest is read. ``options`` are those of
    LoadOptions.

    Raises what ``decode`` raises, except that damage beyond the header is not noticed.
    """
    data, found = _bytes(source), ShmcvImageInfo()
    wanted = load_options(flags, **options)
    check(library().shmcv_probe_bytes_with(data.ctypes.data, data.nbytes, ctypes.byref(wanted), ctypes.byref(found)))
    return ImageInfo._from_native(found)


def probe(path: StrPath, flags: int = LoadFlags.COLOR, **options: Unpack[LoadOptions]) -> ImageInfo:
    """Return the image that ``load`` would store, from the file's header alone.

    ``options`` are those of LoadOptions. The image's ``size`` is the size that a segment needs for it. The file is not
    decoded, so damage beyond its header is not noticed.

    Raises what ``load`` raises.
    """
    found, wanted = ShmcvImageInfo(), load_options(flags, **options)
    check(library().shmcv_probe_with(text("path", path), ctypes.byref(wanted), ctypes.byref(found)), path)
    return ImageInfo._from_native(found)


def encode_bound(image: ImageInfo, extension: str) -> int:
    """Return a number of bytes that no result of ``encode`` exceeds for such an image, whatever its pixels are.

    Raises UnsupportedError for an unknown extension, or an image that the format does not hold; InvalidError and
    LimitError for an impossible image.
    """
    return _bound(image._to_native(), text("extension", extension))


def _bound(image: ShmcvImageInfo, extension: bytes) -> int:
    bound = ctypes.c_uint64()
    check(library().shmcv_encode_bound(ctypes.byref(image), extension, ctypes.byref(bound)))
    return bound.value


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

    def encode(self, extension: str, quality: int = QUALITY_DEFAULT) -> bytes:
        """Return what ``save`` would write to a file with that extension, ".jpg" for example.

        Raises what ``save`` raises, apart from what is about a path.
        """
        name, number = text("extension", extension), integer("quality", quality, ctypes.c_int32)
        now, size = ShmcvImageInfo(), ctypes.c_uint64()
        check(library().shmcv_image_get(self._handle, ctypes.byref(now)))
        capacity = _bound(now, name)
        while True:
            buffer = np.empty(capacity, np.uint8)  # of which the system gives the pages that are written to
            status = self._encode(name, number, buffer, size)
            if status != ErrorCode.TOO_SMALL:
                break
            capacity = size.value  # another process has stored a larger image meanwhile
        check(status)
        return buffer[: size.value].tobytes()

    def encode_into(self, buffer: Any, extension: str, quality: int = QUALITY_DEFAULT) -> int:
        """Write what ``encode`` returns into a buffer, and return the number of bytes.

        ``buffer`` is a writable bytes-like object, for example a ``bytearray``, or the ``buffer`` of another segment.
        ``encode_bound`` tells how many bytes always suffice.

        Raises TooSmallError with the number of bytes that are needed; otherwise what ``encode`` raises.
        """
        target, size = np.frombuffer(buffer, np.uint8), ctypes.c_uint64()
        if not target.flags.writeable:
            raise TypeError("shmcv: the buffer to encode into is read-only")
        name, number = text("extension", extension), integer("quality", quality, ctypes.c_int32)
        check(self._encode(name, number, target, size))
        return size.value

    def _encode(self, name: bytes, quality: int, into: np.ndarray[Any, Any], size: ctypes.c_uint64) -> int:
        status: int = library().shmcv_encode(
            self._handle, name, quality, into.ctypes.data, into.nbytes, ctypes.byref(size)
        )
        return status


class Load(PixelsBase):
    """Reading a file into the pixels."""

    def decode(self, source: Encoded, flags: int = LoadFlags.COLOR, **options: Unpack[LoadOptions]) -> ImageInfo:
        """Decode an image file's bytes straight into the shared memory, as ``load`` does, and return its description.

        ``source`` is a bytes-like object, or a file object, of which the rest is read. Bytes must not change meanwhile,
        unless they are in a segment or a frame. ``flags`` and ``options`` are as for ``load``. When decoding fails, an
        image that was there before is still there, whole.

        Raises what ``load`` raises, apart from what is about a path; TypeError for something that has no bytes.
        """
        data, stored = _bytes(source), ShmcvImageInfo()
        wanted, start = load_options(flags, **options), data.ctypes.data
        check(library().shmcv_decode_with(self._handle, start, data.nbytes, ctypes.byref(wanted), ctypes.byref(stored)))
        return ImageInfo._from_native(stored)

    def load(self, path: StrPath, flags: int = LoadFlags.COLOR, **options: Unpack[LoadOptions]) -> ImageInfo:
        """Decode an image file straight into the shared memory, rows without gaps, and return its description.

        ``flags`` is one of LoadFlags; the default gives 8-bit BGR, as ``cv2.imread`` does. ``options`` are the keyword
        arguments of LoadOptions: ``order``, ``scale``, ``size``, ``region`` and ``interpolation``, for a part of the
        image, a smaller one, or another order of its channels. When loading fails, an image that was there before is
        still there, whole.

        Raises NotFoundError; TooSmallError with the number of bytes that are needed; DecodeError if the file is
        corrupt, truncated or empty; UnsupportedError if it is no image of a known format; LimitError; InvalidError for
        unknown flags, options that contradict each other, a region beyond the image, or a folder; PermissionError;
        IOError; BusyError if another process has been storing an image for 10 seconds.
        """
        stored, wanted = ShmcvImageInfo(), load_options(flags, **options)
        status = library().shmcv_load_with(self._handle, text("path", path), ctypes.byref(wanted), ctypes.byref(stored))
        check(status, path)
        return ImageInfo._from_native(stored)
