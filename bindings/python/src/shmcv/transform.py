"""Transforms: from one segment or frame to another, or in place."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

from ._arguments import integer
from ._check import check
from ._library import library
from ._memory import PixelsBase
from .constants import Interpolation

if TYPE_CHECKING:
    from .pixels import WritablePixels


class TransformInto(PixelsBase):
    """Transforms that store their result elsewhere."""

    def flip_into(self, dst: WritablePixels, code: int) -> None:
        """Mirror the image into ``dst``, whose image it becomes, rows without gaps.

        ``code`` is a FlipCode: VERTICAL (0), HORIZONTAL (1) or BOTH (-1). If ``dst`` is the same segment, the image is
        flipped in place and keeps its stride.

        Raises NoImageError; TooSmallError if the image does not fit into ``dst``; InvalidError for another code;
        PermissionError if ``dst`` is a frame to read, or a segment that was opened read-only; BusyError.
        """
        check(library().shmcv_flip(self._handle, dst._handle, integer("code", code, ctypes.c_int32)))

    def copy_into(self, dst: WritablePixels) -> None:
        """Copy the image into ``dst``, whose image it becomes, rows without gaps.

        Of a view it crops, into a view it pastes. ``dst`` may be the same segment, and of the same image.

        Raises InvalidError if ``dst`` is a view, and the image has another size, order or depth; otherwise what
        ``convert_into`` raises.
        """
        check(library().shmcv_copy(self._handle, dst._handle))

    def resize_into(
        self, dst: WritablePixels, width: int, height: int, interpolation: int = Interpolation.LINEAR
    ) -> None:
        """Make the image into one of ``width`` x ``height`` pixels in ``dst``, whose image it becomes.

        ``interpolation`` is an Interpolation, and the result is that of ``cv2.resize``, without Intel's IPP. AREA is
        for making an image smaller. OpenCV writes straight into ``dst``.

        Raises NoImageError; TooSmallError if the result does not fit into ``dst``; InvalidError for a width or height
        of 0, another interpolation, a ``dst`` that is the same image or overlaps, or a view of another size;
        LimitError; PermissionError if ``dst`` is a frame to read, or a segment that was opened read-only; BusyError.
        """
        numbers = integer("width", width, ctypes.c_uint32), integer("height", height, ctypes.c_uint32)
        how = integer("interpolation", interpolation, ctypes.c_int32)
        check(library().shmcv_resize(self._handle, dst._handle, *numbers, how))

    def rotate_into(self, dst: WritablePixels, code: int) -> None:
        """Turn the image by quarter turns into ``dst``, whose image it becomes, rows without gaps.

        ``code`` is a RotateCode: ROTATE_90_CLOCKWISE (0), ROTATE_180 (1) or ROTATE_90_COUNTERCLOCKWISE (2). ``dst`` may
        be the same segment.

        Raises InvalidError for another code, or if ``dst`` is a view of another size than the turn gives; otherwise
        what ``flip_into`` raises.
        """
        check(library().shmcv_rotate(self._handle, dst._handle, integer("code", code, ctypes.c_int32)))

    def convert_into(self, dst: WritablePixels, order: int) -> None:
        """Copy the image into ``dst`` in the colour order ``order``, a ColorOrder, rows without gaps.

        Alpha that is not there becomes opaque; alpha that is not wanted is dropped; gray is
        0.299 R + 0.587 G + 0.114 B. ``dst`` may be the same segment.

        Raises NoImageError; TooSmallError if the result does not fit into ``dst``; InvalidError for another order;
        PermissionError if ``dst`` is a frame to read, or a segment that was opened read-only; BusyError.
        """
        check(library().shmcv_convert(self._handle, dst._handle, integer("order", order, ctypes.c_int32)))


class Transform(PixelsBase):
    """Transforms that work in place."""

    def flip(self, code: int) -> None:
        """Mirror the image in place. It keeps its stride. ``code`` and errors are those of ``flip_into``."""
        check(library().shmcv_flip(self._handle, self._handle, integer("code", code, ctypes.c_int32)))

    def rotate(self, code: int) -> None:
        """Turn the image in place by quarter turns. ``code`` and errors are those of ``rotate_into``.

        Half a turn keeps the stride. After a quarter turn rows follow without gaps. A view that is turned by a quarter
        must be a square.
        """
        check(library().shmcv_rotate(self._handle, self._handle, integer("code", code, ctypes.c_int32)))
