"""Transforms: from one segment or frame to another, or in place."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

from ._arguments import integer
from ._check import check
from ._library import library
from ._memory import PixelsBase

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

    def convert_into(self, dst: WritablePixels, order: int) -> None:
        """Copy the image into ``dst`` in the colour order ``order``, a ColorOrder, rows without gaps.

        Alpha that is not there becomes opaque; alpha that is not wanted is dropped; gray is
        0.299 R + 0.587 G + 0.114 B. ``dst`` may be the same segment.

        Raises NoImageError; TooSmallError if the result does not fit into ``dst``; InvalidError for another order;
        PermissionError if ``dst`` is a frame to read, or a segment that was opened read-only; BusyError.
        """
        check(library().shmcv_convert(self._handle, dst._handle, integer("order", order, ctypes.c_int32)))


class Flip(PixelsBase):
    """The transform that works in place."""

    def flip(self, code: int) -> None:
        """Mirror the image in place. It keeps its stride. ``code`` and errors are those of ``flip_into``."""
        check(library().shmcv_flip(self._handle, self._handle, integer("code", code, ctypes.c_int32)))
