"""Images: what the pixels of a segment mean."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._arguments import integer
from ._native import ColorOrder, Depth, ShmcvImageInfo
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
    """Give OpenCV's colour order for a number of channels: gray, BGR or BGRA."""
    if channels not in _ORDERS:
        raise InvalidError(f"image: {channels} channels; it is 1 (gray), 3 (BGR) or 4 (BGRA)")
    return _ORDERS[channels]


@dataclass(frozen=True)
class Image:
    """A description of pixels in memory; it holds none itself.

    ``width`` and ``height`` are in pixels, ``stride`` is the number of bytes from one row to the next; given as 0, it
    becomes that of rows without a gap. Whether the geometry makes sense is for the library to say when it gets it.
    """

    width: int
    height: int
    order: ColorOrder = ColorOrder.BGR
    depth: Depth = Depth.U8
    stride: int = 0

    def __post_init__(self) -> None:
        """Bring the fields into their types, so that equal images compare equal."""
        fields = {
            "width": integer("width", self.width, ctypes.c_uint32),
            "height": integer("height", self.height, ctypes.c_uint32),
            "order": _member(ColorOrder, "colour order", self.order),
            "depth": _member(Depth, "depth", self.depth),
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "stride", integer("stride", self.stride, ctypes.c_uint64) or self.row_nbytes)

    @classmethod
    def of(cls, array: np.ndarray[Any, Any], order: ColorOrder | None = None) -> Image:
        """Describe the pixels of an array as if its rows had no gaps between them.

        The array is (height, width) for gray and (height, width, channels) otherwise, of uint8, uint16 or float32.
        Without an order it is OpenCV's for that number of channels.
        """
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
    def dtype(self) -> np.dtype[Any]:
        """Type of a sample, as numpy calls it."""
        return _TYPES[self.depth]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the pixels as an array: (height, width) for gray, (height, width, channels) otherwise."""
        if self.channels == 1:
            return self.height, self.width
        return self.height, self.width, self.channels

    @property
    def strides(self) -> tuple[int, ...]:
        """Bytes from one element of the array to the next, for each axis of shape."""
        sample = self.dtype.itemsize
        if self.channels == 1:
            return self.stride, sample
        return self.stride, self.channels * sample, sample

    @property
    def row_nbytes(self) -> int:
        """Bytes of the pixels of one row."""
        return self.width * self.channels * self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes from the first pixel's first to the last one's last: what a segment needs to hold the image."""
        return max(self.height - 1, 0) * self.stride + self.row_nbytes

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
    def _from_native(cls, native: ShmcvImageInfo) -> Image:
        return cls(native.width, native.height, ColorOrder(native.order), Depth(native.depth), native.stride)


def _member(kind: Any, field: str, value: int) -> Any:
    try:
        return kind(value)
    except ValueError:
        allowed = ", ".join(f"{member.value} ({member.name})" for member in kind)
        raise InvalidError(f"image: {field} {value!r}; it is one of {allowed}") from None


def describe(array: np.ndarray[Any, Any], order: ColorOrder | None) -> tuple[Image, np.ndarray[Any, Any]]:
    """Give an array's description and the array, which is a copy where the library could not read it as it lies.

    It reads rows without gaps between pixels, in the machine's byte order. What numpy has beyond that (mirrored,
    transposed, broadcast, every second pixel) is copied first.
    """
    packed = Image.of(array, order)
    plane = array.reshape(packed.shape)
    stride = plane.strides[0]
    if (
        plane.dtype == packed.dtype
        and plane.flags.aligned
        and plane.strides[1:] == packed.strides[1:]
        and stride >= packed.row_nbytes
    ):
        return Image(packed.width, packed.height, packed.order, packed.depth, stride), plane
    return packed, np.require(plane, packed.dtype, ["C_CONTIGUOUS", "ALIGNED"])
