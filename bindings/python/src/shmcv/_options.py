"""What of an image file is loaded, and how large: the keyword arguments of all that reads files."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Optional, TypedDict

from ._arguments import integer
from ._native import ShmcvLoadOptions
from .constants import Interpolation
from .error import InvalidError

if TYPE_CHECKING:
    from collections.abc import Sequence


class LoadOptions(TypedDict, total=False):
    """The keyword arguments of ``load``, ``decode``, ``probe``, ``probe_bytes`` and ``from_file`` besides ``flags``.

    They act in the order ``flags``, ``region``, ``scale`` or ``size``, ``order``. None, or what is not given, changes
    nothing. ``scale`` and ``size`` exclude each other. A JPEG's decoder can itself make the image smaller, in less than
    half of the time: for ``scale``, and for a ``size`` that is made by area, of which the result differs a little then;
    shmcv.h says by how much. All other results are those of ``cv2.resize``.

    ``order`` is a ColorOrder. ``ColorOrder.BGRA`` and ``RGBA`` keep the file's alpha. Flags that say other channels
    contradict it.

    ``scale`` is 2, 4 or 8: the result has a half, a quarter or an eighth of the width and of the height, rounded up.

    ``size`` is the (width, height) of the result in pixels. If one of them is 0, the image keeps its proportion.

    ``region`` is (x, y, width, height): a part of the image that ``flags`` alone would give, upright, in pixels.

    ``interpolation`` is an Interpolation, and says how the image gets its ``size``: by area where neither side grows,
    else linear, unless it is given. For the nearest pixels it is ``Interpolation.NEAREST_EXACT``.
    """

    order: Optional[int]
    scale: Optional[int]
    size: Optional[Sequence[int]]
    region: Optional[Sequence[int]]
    interpolation: Optional[int]


def load_options(
    flags: int,
    *,
    order: int | None = None,
    scale: int | None = None,
    size: Sequence[int] | None = None,
    region: Sequence[int] | None = None,
    interpolation: int | None = None,
) -> ShmcvLoadOptions:
    """Return the options as the library takes them. Raises InvalidError for those that it would take for none."""
    made = ShmcvLoadOptions(flags=integer("flags", flags, ctypes.c_int32))
    if order is not None:
        made.order = integer("order", order, ctypes.c_uint32)
    if scale is not None:
        made.scale = integer("scale", scale, ctypes.c_uint32)
    if size is not None:
        made.width, made.height = _numbers("size", size, "(width, height)", 2)
        if not made.width and not made.height:
            raise InvalidError("shmcv: size (0, 0); one of width and height is at least 1")
    if region is not None:
        made.x, made.y, made.region_width, made.region_height = _numbers("region", region, "(x, y, width, height)", 4)
        if not made.region_width or not made.region_height:
            raise InvalidError(f"shmcv: region {tuple(region)}; its width and height are at least 1")
    if interpolation is not None:
        if interpolation == Interpolation.NEAREST:
            raise InvalidError("shmcv: interpolation NEAREST is not had while loading; NEAREST_EXACT is")
        made.interpolation = integer("interpolation", interpolation, ctypes.c_int32)
    return made


def _numbers(argument: str, values: Sequence[int], form: str, count: int) -> list[int]:
    if len(values) != count:
        raise InvalidError(f"shmcv: {argument} has {len(values)} numbers; it is {form}")
    return [integer(argument, value, ctypes.c_uint32) for value in values]
