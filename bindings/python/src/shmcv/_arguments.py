"""Preparing arguments for the library. These functions refuse values that ctypes alone would change silently."""

from __future__ import annotations

import ctypes
import operator
from typing import Union

from ._check import StrPath as StrPath
from ._system import encoded
from .error import InvalidError

_Integer = Union[type[ctypes.c_int32], type[ctypes.c_int64], type[ctypes.c_uint32], type[ctypes.c_uint64]]


def text(argument: str, value: StrPath) -> bytes:
    """Return a name or path as the library takes it.

    Raises InvalidError for a NUL in it, at which C would end the text.
    """
    made = encoded(value)
    if b"\0" in made:
        raise InvalidError(f"shmcv: {argument} {value!r} contains a NUL character")
    return made


def integer(argument: str, value: int, kind: _Integer) -> int:
    """Return a number that the C type can hold. Raises InvalidError for another one, which ctypes would cut off."""
    number = operator.index(value)
    if kind(number).value != number:
        raise InvalidError(f"shmcv: {argument} {number} is out of the range of {kind.__name__[2:]}")
    return number


def uint64(argument: str, value: int) -> ctypes.c_uint64:
    """Return a number as a uint64_t. Raises InvalidError for one that is none."""
    made = ctypes.c_uint64(value)
    return made if made.value == value else ctypes.c_uint64(integer(argument, value, ctypes.c_uint64))
