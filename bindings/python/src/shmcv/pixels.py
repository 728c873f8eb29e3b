"""Pixels: what segments and frames have in common."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _png as png
from ._check import check
from ._library import library
from ._memory import PixelsBase
from ._native import ShmcvImageInfo, ShmcvSegmentInfo
from .codec import Load, Save
from .constants import ColorOrder, ErrorCode
from .error import ShmcvError
from .image import ImageInfo, describe
from .info import SegmentInfo
from .transform import Transform, TransformInto
from .window import Show

if TYPE_CHECKING:
    from types import TracebackType

    import numpy.typing as npt
    from typing_extensions import Self

    from .view import View, WritableView

#: The order in which PNG has the samples of so many channels.
_SHOWN = {1: ColorOrder.GRAY, 3: ColorOrder.RGB, 4: ColorOrder.RGBA}


class Pixels(Save, TransformInto, Show, PixelsBase):
    """Pixels in shared memory, with their description: what can be read of a segment and of a frame."""

    @property
    def name(self) -> str:
        """The name of the segment or stream, as it was given: by it every process of this user can open it."""
        return self._name

    @property
    def size(self) -> int:
        """Bytes for pixels. Raises TruncatedError if another process has made the segment's file shorter."""
        return len(self._open.view())

    @property
    def closed(self) -> bool:
        """True if the object has been closed."""
        return self._memory is None

    @property
    def info(self) -> SegmentInfo:
        """What is known of the segment. Of a frame: of its stream, with the size and the image of this frame."""
        found = ShmcvSegmentInfo()
        check(library().shmcv_info(self._handle, ctypes.byref(found)))
        return SegmentInfo._from_native(found)

    @property
    def image(self) -> ImageInfo:
        """The description of the pixels.

        Raises NoImageError before one has been stored; ``info.image`` is None then.
        """
        found = ShmcvImageInfo()
        check(library().shmcv_image_get(self._handle, ctypes.byref(found)))
        return ImageInfo._from_native(found)

    @property
    def array(self) -> np.ndarray[Any, Any]:
        """The pixels themselves as a numpy array, which is no copy: every process that has them open shares them.

        Its shape is (height, width) for gray and (height, width, channels) otherwise. It is read-only for a frame to
        read, and writable otherwise. It describes the image of this moment; take it again after a ``load`` of another
        geometry. It keeps the memory alive, so it may outlive this object.

        Raises NoImageError; TruncatedError as ``size`` does. A process that makes the segment's file shorter (nothing
        in shmcv does) later ends the processes that touch an array of it.
        """
        image, memory = self.image, self._open
        view: Any = memory.view()
        if memory.read_only:
            # numpy takes a view apart, and would let setflags() make an array writable whose memory faults then.
            view = np.frombuffer(view, np.uint8)
        pixels: np.ndarray[Any, Any] = np.ndarray(image.shape, image.dtype, buffer=view, strides=image.strides)
        return pixels

    @property
    def buffer(self) -> memoryview:
        """All bytes for pixels, with or without an image. It is read-only, and keeps the memory alive, as ``array``."""
        return (self._memory or self._open).view()

    def read(self, order: ColorOrder | None = None) -> np.ndarray[Any, Any]:
        """Return a copy of the pixels in the colour order ``order``, which is by default the one that they have.

        The copy is of one whole image, also while another process stores the next one by ``load``, ``write``, ``flip``
        or ``convert_into``, of whatever size. Raises NoImageError; BusyError if another process has been storing for 10
        seconds; InvalidError for an unknown order.
        """
        wanted = self.image
        if order is not None:
            wanted = ImageInfo(wanted.width, wanted.height, order, wanted.depth)
        pixels: np.ndarray[Any, Any] = np.empty(wanted.shape, wanted.dtype)
        # The library takes from its image what is 0 here, and says what it has copied.
        layout, found = ShmcvImageInfo(order=0 if order is None else wanted.order), ShmcvImageInfo()
        while True:
            status = library().shmcv_read(
                self._handle, ctypes.byref(layout), pixels.ctypes.data, pixels.nbytes, ctypes.byref(found)
            )
            if status != ErrorCode.TOO_SMALL:
                break
            # Another process has stored a larger image meanwhile.
            pixels = np.empty(ImageInfo._from_native(found).size, np.uint8)
        check(status)
        copied = ImageInfo._from_native(found)
        if (pixels.shape, pixels.dtype) == (copied.shape, copied.dtype):
            return pixels
        return pixels.reshape(-1).view(np.uint8)[: copied.size].view(copied.dtype).reshape(copied.shape)

    def view(self, x: int, y: int, width: int, height: int) -> View:
        """Return a view of the image's region of ``width`` x ``height`` pixels whose first pixel is (x, y).

        It is for every method that takes pixels, and no pixel is copied for it. Of a view, the region is one of the
        view's.

        Raises InvalidError for a region that is empty or not within the image; NoImageError.
        """
        from .view import View  # it derives from this class

        return View._of(self, x, y, width, height)

    def close(self) -> None:
        """End this object's use of the pixels. Arrays taken from it stay usable. Closing again does nothing."""
        self._memory = None

    def __enter__(self) -> Self:
        """Return the object itself. The end of the block closes it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the object."""
        self.close()

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        """Return the pixels for ``np.asarray``: ``array``, which is no copy, or, if a copy is wanted, ``read()``.

        Raises ValueError if another type of samples is wanted without a copy.
        """
        pixels = self.read() if copy else self.array
        if dtype is None or pixels.dtype == np.dtype(dtype):
            return pixels
        if copy is False:
            raise ValueError(f"shmcv: an array of {np.dtype(dtype)} of pixels that are {pixels.dtype} is a copy")
        return pixels.astype(dtype)

    def __repr__(self) -> str:
        """Return the class, the name, the shape, type and order of the image, and its number.

        Without an image it tells the bytes. It tells "closed" if the object is closed.
        """
        try:
            info = self.info
            told = f"no image, {info.size} bytes"
            if info.image is not None:
                told = f"{info.image.shape} {info.image.dtype} {info.image.order.name}{self._number()}"
        except ShmcvError as problem:
            told = "closed" if self.closed else type(problem).__name__
        return f"<shmcv.{type(self).__name__} {self._name!r} {told}>"

    def _number(self) -> str:
        """Return words about the number of the image, if it has one."""
        sequence = getattr(self, "sequence", None)
        return "" if sequence is None else f", sequence {sequence}"

    def _repr_png_(self) -> bytes | None:
        """Return the picture as a notebook shows it, or None if there is none. A large one is shown smaller."""
        try:
            image = self.image
            pixels = self.read(_SHOWN[image.channels])
        except ShmcvError:
            return None
        return png.encode(png.shrunk(pixels))


class WritablePixels(Pixels, Load, Transform):
    """Pixels that can be written too: a segment's, and those of a frame to fill."""

    @property
    def image(self) -> ImageInfo:
        """The description of the pixels, which every process that has the segment open can read and set.

        Setting it does not touch the pixels. Raises NoImageError when it is read before one has been stored
        (``info.image`` is None then); TooSmallError when it is set and does not fit; InvalidError and LimitError when
        it makes no sense.
        """
        return super().image

    @image.setter
    def image(self, image: ImageInfo) -> None:
        check(library().shmcv_image_set(self._handle, ctypes.byref(image._to_native())))

    def view(self, x: int, y: int, width: int, height: int) -> WritableView:
        """Return a view of the image's region of ``width`` x ``height`` pixels whose first pixel is (x, y).

        It is for every method that takes pixels, as source and as target, and no pixel is copied for it. Of a view, the
        region is one of the view's.

        Raises InvalidError for a region that is empty or not within the image; NoImageError.
        """
        from .view import WritableView  # it derives from this class

        return WritableView._of(self, x, y, width, height)

    def write(
        self, array: npt.ArrayLike, order: ColorOrder | None = None, stored: ColorOrder | None = None
    ) -> ImageInfo:
        """Copy an array into the shared memory, rows without gaps, and return the description that the pixels now have.

        The array is (height, width[, channels]) of uint8, uint16 or float32, with any strides, or what ``ImageInfo.of``
        makes one of. It may be the segment's own. ``order`` is the colour order of the array, by default gray, BGR or
        BGRA; ``stored`` is the order that the stored image gets, by default the same. Colours are converted on the way.

        Raises TooSmallError; LimitError; InvalidError for another shape or type; TypeError for something that is no
        array.
        """
        layout, pixels = describe(array, order)
        becomes = layout.order if stored is None else ColorOrder(stored)
        native = layout._to_native()
        # describe() gives the stride of the array's own rows, so layout.size is where the array ends.
        check(library().shmcv_write(self._handle, ctypes.byref(native), pixels.ctypes.data, layout.size, becomes))
        return ImageInfo(layout.width, layout.height, becomes, layout.depth)
