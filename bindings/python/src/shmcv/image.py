"""Images: what the pixels of a segment mean."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ._arguments import integer
from ._native import ShmcvImageInfo
from .constants import ColorOrder, Depth
from .error import InvalidError

_CHANNELS = {ColorOrder.GRAY: 1, ColorOrder.BGR: 3, ColorOrder.BGRA: 4, ColorOrder.RGB: 3, ColorOrder.RGBA: 4}
_ORDERS = {1: ColorOrder.GRAY, 3: ColorOrder.BGR, 4: ColorOrder.BGRA}
_TYPES: dict[Depth, np.dtype[Any]] = {
    Depth.U8: np.dtype(np.uint8),
    Depth.U16: np.dtype(np.uint16),
    Depth.F32: np.dtype(np.float32),
}
_DEPTHS = {dtype: depth for depth, dtype in _TYPES.items()}


def order_of(channels: int) -> ColorOrder:
    """Return OpenCV's colour order for a number of channels: gray, BGR or BGRA."""
    if channels not in _ORDERS:
        raise InvalidError(f"image: {channels} channels; it is 1 (gray), 3 (BGR) or 4 (BGRA)")
    return _ORDERS[channels]


@dataclass(frozen=True)
class ImageInfo:
    """A description of pixels in memory. It holds no pixels.

    ``width`` and ``height`` are in pixels. ``stride`` is the number of bytes from one row to the next; 0 becomes the
    stride of rows without gaps. The library checks the geometry when it gets the description. The constructor raises
    InvalidError for an unknown order or depth, and for a number that C could not hold.
    """

    width: int
    height: int
    order: ColorOrder = ColorOrder.BGR
    depth: Depth = Depth.U8
    stride: int = 0

    def __post_init__(self) -> None:
        """Bring the fields into their types, so that descriptions of the same image are equal."""
        fields = {
            "width": integer("width", self.width, ctypes.c_uint32),
            "height": integer("height", self.height, ctypes.c_uint32),
            "order": _member(ColorOrder, "colour order", self.order),
            "depth": _member(Depth, "depth", self.depth),
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "stride", integer("stride", self.stride, ctypes.c_uint64) or self.row_size)

    @classmethod
    def of(cls, array: npt.ArrayLike, order: ColorOrder | None = None) -> ImageInfo:
        """Return the description that the pixels of an array have when their rows follow without gaps.

        The array is (height, width) for gray and (height, width, channels) otherwise, of uint8, uint16 or float32.
        ``order`` is its colour order, by default OpenCV's for that number of channels: gray, BGR or BGRA. What numpy
        makes an array of is taken too: lists of whole numbers from 0 to 255, a segment, an image of Pillow's. The last
        two tell their order themselves.

        Raises InvalidError for another shape or type of samples, and for an order with another number of channels;
        TypeError for something that is no array.
        """
        array, order = as_pixels(array, order)
        if array.ndim not in (2, 3):
            raise InvalidError(f"image: an array of shape {array.shape}; it is (height, width[, channels])")
        depth = _DEPTHS.get(array.dtype.newbyteorder("="))
        if depth is None:
            raise InvalidError(f"image: an array of {array.dtype}; it is uint8, uint16 or float32")
        channels = array.shape[2] if array.ndim == 3 else 1
        image = cls(array.shape[1], array.shape[0], order_of(channels) if order is None else order, depth)
        if image.channels != channels:
            raise InvalidError(f"image: an array of {channels} channels, where {image.order.name} has {image.channels}")
        return image

    @property
    def channels(self) -> int:
        """Samples in a pixel: 1, 3 or 4."""
        return _CHANNELS[self.order]

    @property
    def has_alpha(self) -> bool:
        """True if the last channel is alpha: BGRA and RGBA."""
        return self.channels == 4

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of a sample, as numpy names it."""
        return _TYPES[self.depth]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the pixels as an array: (height, width) for gray, (height, width, channels) otherwise."""
        if self.channels == 1:
            return self.height, self.width
        return self.height, self.width, self.channels

    @property
    def strides(self) -> tuple[int, ...]:
        """Bytes from one element of the array to the next, for each axis of ``shape``."""
        sample = self.dtype.itemsize
        if self.channels == 1:
            return self.stride, sample
        return self.stride, self.pixel_size, sample

    @property
    def pixel_size(self) -> int:
        """Bytes of one pixel."""
        return self.channels * self.dtype.itemsize

    @property
    def row_size(self) -> int:
        """Bytes of the pixels of one row, without the gap behind them."""
        return self.width * self.pixel_size

    @property
    def packed(self) -> bool:
        """True if rows follow each other without gaps."""
        return self.stride == self.row_size

    @property
    def size(self) -> int:
        """Bytes from the image's first byte to its last. It is the size that a segment needs for the image."""
        return max(self.height - 1, 0) * self.stride + self.row_size

    def _to_native(self) -> ShmcvImageInfo:
        return ShmcvImageInfo(
            width=self.width,
            height=self.height,
            channels=self.channels,
            depth=self.depth,
            order=self.order,
            stride=self.stride,
        )

    @classmethod
    def _from_native(cls, native: ShmcvImageInfo) -> ImageInfo:
        return cls(native.width, native.height, ColorOrder(native.order), Depth(native.depth), native.stride)


def _member(kind: Any, field: str, value: int) -> Any:
    try:
        return kind(value)
    except ValueError:
        allowed = ", ".join(f"{member.value} ({member.name})" for member in kind)
        raise InvalidError(f"image: {field} {value!r}; it is one of {allowed}") from None


#: The colour order of an image of Pillow's, whose channels are its mode.
_PILLOW = {
    **dict.fromkeys(("L", "I;16", "F"), ColorOrder.GRAY),
    "RGB": ColorOrder.RGB,
    "RGBA": ColorOrder.RGBA,
}


def as_pixels(value: Any, order: ColorOrder | None = None) -> tuple[np.ndarray[Any, Any], ColorOrder | None]:
    """Return what numpy takes for an array as an array, and its colour order, which is ``order`` unless that is None.

    A segment, a frame and an image of Pillow's tell their order themselves. Lists of whole numbers from 0 to 255 are
    samples of 8 bits.

    Raises TypeError, which names the type, for something else, and for bytes, which have no shape.
    """
    if isinstance(value, np.ndarray):
        return value, order
    kind = type(value)
    if isinstance(value, (bytes, bytearray)):
        raise TypeError(
            f"shmcv: these are {kind.__name__}, which have no shape; np.frombuffer(pixels, np.uint8) makes an array of "
            "them, and its reshape(height, width, channels) an image"
        )
    if order is None and isinstance(getattr(value, "image", None), ImageInfo):
        order = value.image.order
    if kind.__module__.startswith("PIL."):
        mode = getattr(value, "mode", None)
        if mode not in _PILLOW:
            raise TypeError(
                f'shmcv: this is an image of Pillow\'s, {kind.__name__}, of mode {mode}; convert("RGB") it first'
            )
        order = _PILLOW[mode] if order is None else order
    if value is None or isinstance(value, (str, dict, set, frozenset)):
        raise _no_array(value)
    pixels = np.asarray(value)
    if pixels.dtype == np.object_:
        raise _no_array(value)
    if isinstance(value, (list, tuple)) and pixels.dtype.kind in "iu" and pixels.size:
        lowest, highest = pixels.min(), pixels.max()
        if lowest < 0 or highest > 255:
            raise InvalidError(
                f"image: a {kind.__name__} of whole numbers from {lowest} to {highest}; they are samples of 8 bits, "
                "from 0 to 255, unless an array says otherwise: np.array(pixels, np.uint16)"
            )
        pixels = pixels.astype(np.uint8)
    return pixels, order


def _no_array(value: Any) -> TypeError:
    return TypeError(
        f"shmcv: pixels are an array of numpy's, or what np.asarray() makes one of, and this is {type(value).__name__}"
    )


def describe(array: Any, order: ColorOrder | None) -> tuple[ImageInfo, np.ndarray[Any, Any]]:
    """Return an array's description, and the array. The array is a copy if the library cannot read the original.

    The library reads rows whose pixels follow without gaps, in the machine's byte order. An array that is mirrored,
    transposed, broadcast, unaligned, or has every second pixel only, is copied.
    """
    array, order = as_pixels(array, order)
    packed = ImageInfo.of(array, order)
    plane = array.reshape(packed.shape)
    stride = plane.strides[0]
    if (
        plane.dtype == packed.dtype
        and plane.flags.aligned
        and plane.strides[1:] == packed.strides[1:]
        and stride >= packed.row_size
    ):
        return ImageInfo(packed.width, packed.height, packed.order, packed.depth, stride), plane
    return packed, np.require(plane, packed.dtype, ["C_CONTIGUOUS", "ALIGNED"])
