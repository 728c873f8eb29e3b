"""Views: regions of the image of a segment, of a frame, or of another view."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, NoReturn

from ._arguments import integer
from ._check import check
from ._library import library
from ._memory import Memory
from ._native import ShmcvSegment
from .pixels import Pixels, WritablePixels

if TYPE_CHECKING:
    from typing_extensions import Self


class _ViewMemory(Memory):
    """The memory of a view. It keeps that of the segment or frame, because a view may outlive other objects of it."""

    __slots__ = ("_whole",)

    def __init__(self, number: int, whole: Memory) -> None:
        super().__init__(number, "shmcv_close")
        self._whole = whole


class _ReadOnlyViewMemory(_ViewMemory):
    """The memory of a view that may only be read."""

    __slots__ = ()

    read_only = True


class View(Pixels):
    """A region of an image, for every method that takes pixels: ``view.copy_into(other)`` is a crop. Made by ``view``.

    No pixel is copied for it: ``array`` is a slice of the whole image's array, and ``buffer`` are the bytes from the
    first pixel to the end of the last row. It is of the image that was there when it was made; when another one of
    another size, order or depth has been stored, its members raise InvalidError.

    It keeps its segment open, and its frame, as an array does. A frame that was published, or given back, is
    ClosedError. It is closed by ``close``, by the end of its ``with`` block, or when nothing refers to it any more.
    """

    _noun = "view of"

    @classmethod
    def _of(cls, pixels: Pixels, x: int, y: int, width: int, height: int) -> Self:
        whole, handle = pixels._open, ShmcvSegment()
        fields = {"x": x, "y": y, "width": width, "height": height}
        numbers = [integer(field, value, ctypes.c_uint32) for field, value in fields.items()]
        check(library().shmcv_view(whole.number, *numbers, ctypes.byref(handle)))
        kind = _ReadOnlyViewMemory if whole.read_only else _ViewMemory
        return cls(pixels._name, kind(handle.value, whole))

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied. What it is of has a name, and a view has none."""
        raise TypeError(
            f'shmcv: a view of "{self._name}" cannot be pickled or copied; send the segment and make the view there, '
            "or send read(), a copy of the pixels"
        )


class WritableView(View, WritablePixels):
    """A region of an image that can be written to: ``other.copy_into(view)`` pastes.

    What is stored in it must have just its width, height, order and depth; else it is InvalidError, and nothing is
    written. The other pixels, and the description of the whole image, stay as they are.
    """
