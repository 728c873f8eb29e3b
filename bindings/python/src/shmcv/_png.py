"""PNG files in memory, for notebooks. The library writes PNG too, but to files alone."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np

#: The greatest width or height of a picture in a notebook, in pixels.
MOST = 1600

_COLOR_TYPES = {1: 0, 3: 2, 4: 6}


def shrunk(pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return every n-th pixel of every n-th row, with the n that leaves at most MOST pixels a side."""
    step = -(-max(pixels.shape[:2]) // MOST)
    return pixels[::step, ::step]


def encode(pixels: np.ndarray[Any, Any]) -> bytes:
    """Return the PNG file of an array, (height, width) of gray or (height, width, channels) of RGB or RGBA.

    Samples of uint8 and uint16 stay as they are. Those of float32 are from 0 to 1, and become 8 bits, as in windows.
    """
    if pixels.dtype == np.float32:
        pixels = (np.nan_to_num(pixels).clip(0, 1) * 255).round().astype(np.uint8)
    height, width = pixels.shape[:2]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    bits = 8 * pixels.dtype.itemsize
    header = struct.pack(">IIBBBBB", width, height, bits, _COLOR_TYPES[channels], 0, 0, 0)
    samples = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder(">")).view(np.uint8).reshape(height, -1)
    rows = np.zeros((height, 1 + samples.shape[1]), np.uint8)  # the first byte of each row says: no filter
    rows[:, 1:] = samples
    data = zlib.compress(rows.tobytes(), 1)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
