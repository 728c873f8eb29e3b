"""Handing arguments to the library: what ctypes alone would change without a word is refused."""

from __future__ import annotations

import ctypes
import operator
import os
from typing import Union

from .error import InvalidError

#: What names a file. The library takes UTF-8, and says so when it gets something else.
StrPath = Union[str, bytes, "os.PathLike[str]"]

_Integer = Union[type[ctypes.c_int32], type[ctypes.c_uint32], type[ctypes.c_uint64]]


def text(argument: str, value: StrPath) -> bytes:
    """Give a name or path as the library takes it. C would take a NUL in it for its end."""
    encoded = os.fsencode(value)
    if b"\0" in encoded:
        raise InvalidError(f"shmcv: {argument} {value!r} contains a NUL character")
    return encoded


def integer(argument: str, value: int, kind: _Integer) -> int:
    """Give a number that the C type can hold. ctypes would cut off what is too much."""
    number = operator.index(value)
    if kind(number).value != number:
        raise InvalidError(f"shmcv: {argument} {number} is out of the range of {kind.__name__[2:]}")
    return number
