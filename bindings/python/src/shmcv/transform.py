"""Transforms: from one segment to another, or in place."""

from __future__ import annotations

import ctypes

from ._arguments import integer
from ._library import library
from ._memory import SegmentBase
from .error import check


class Transform(SegmentBase):
    """Flipping, and converting colours."""

    def flip_into(self, target: SegmentBase, code: int) -> None:
        """Mirror the image into another segment, whose image it becomes, rows without gaps.

        ``code`` is a FlipCode: VERTICAL (0), HORIZONTAL (1) or BOTH (-1).

        Raises NoImageError; TooSmallError when the image does not fit into the target; InvalidError for another code.
        """
        check(library().shmcv_flip(self._handle, target._handle, integer("code", code, ctypes.c_int32)))

    def flip(self, code: int) -> None:
        """Mirror the image in place; it keeps its stride."""
        self.flip_into(self, code)

    def convert_into(self, target: SegmentBase, order: int) -> None:
        """Copy the image into another segment (or the same one) in another ColorOrder, rows without gaps.

        Alpha that is not there becomes opaque, alpha that is not wanted is dropped, and gray is
        0.299 R + 0.587 G + 0.114 B.

        Raises NoImageError; TooSmallError when the result does not fit into the target; InvalidError for another order.
        """
        check(library().shmcv_convert(self._handle, target._handle, integer("order", order, ctypes.c_int32)))
