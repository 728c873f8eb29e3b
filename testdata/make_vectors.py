"""Writes vectors.tsv: the results that every suite expects of the library. cv2 is the reference if cv2 has a result."""

import io
import re
import struct
import tempfile
import zlib
from pathlib import Path
from urllib.parse import quote

import cv2
import numpy as np
from make_images import PATCH, PATCHES, require
from PIL import Image, ImageOps

HERE = Path(__file__).resolve().parent

# The names are the header's, without prefixes and in lower case. cv2 has no flag like bgra.
FLAGS = {
    "color": cv2.IMREAD_COLOR,
    "gray": cv2.IMREAD_GRAYSCALE,
    "unchanged": cv2.IMREAD_UNCHANGED,
    "bgra": None,
    "color+any_depth": cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH,
    "gray+any_depth": cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH,
}
DEPTHS = {np.dtype(np.uint8): "u8", np.dtype(np.uint16): "u16", np.dtype(np.float32): "f32"}
ORDERS = {1: "gray", 3: "bgr", 4: "bgra"}
NOTHING = "-"  # in a column that has no value; no column is empty, so that strtok can split a line

COLUMNS = {
    "load": "file flag width height channels depth order crc32",
    "pixel": "file flag x y values tolerance",
    "flip": "file flag code crc32",
    "resize": "file flag width height interpolation crc32",
    "rotate": "file flag code crc32",
    "view": "file flag x y width height crc32",
    "paste": "file flag x y width height interpolation crc32",
    "region": "width height x y region_width region_height result",
    "save": "file flag extension quality result width height channels depth order crc32",
    "error": "file flag segment_bytes result cv2",
    "options": "file flag options result width height channels depth order crc32",
    "name": "name linux windows",
    "geometry": "width height channels depth order stride segment_bytes result stored_stride",
}

# The result of loading each bad file. vectors.tsv also has cv2's result, which is not the contract.
BAD = {
    "empty.jpg": "E_DECODE",
    "empty.png": "E_DECODE",
    "signature-only.jpg": "E_DECODE",
    "signature-only.png": "E_DECODE",
    "header-only.jpg": "E_DECODE",
    "header-only.png": "E_DECODE",
    "header-only.bmp": "E_DECODE",
    "header-only.webp": "E_DECODE",
    "header-only.tif": "E_DECODE",
    "header-only.ppm": "E_DECODE",
    "truncated.jpg": "E_DECODE",
    "truncated-progressive.jpg": "E_DECODE",
    "truncated.png": "E_DECODE",
    "truncated.bmp": "E_DECODE",
    "truncated.webp": "E_DECODE",
    "truncated.tif": "E_DECODE",
    "truncated.ppm": "E_DECODE",
    "corrupt.jpg": "E_DECODE",
    "corrupt.png": "E_DECODE",
    "corrupt-deflate.png": "E_DECODE",
    "not-an-image.png": "E_UNSUPPORTED",
    "bomb.png": "E_LIMIT",
    "bomb.jpg": "E_LIMIT",
    "large.png": "E_TOO_SMALL",
    "missing.jpg": "E_NOT_FOUND",
    ".": "E_INVALID",
}
# Unusual files that the library loads as cv2.imread does. What differs is said below.
UNUSUAL = [
    "alpha-associated.tif", "alpha-unassociated-16bit.tif", "bgr.jp2", "bgr.pfm", "bgra.jp2", "end-not-empty.png",
    "gray-16bit.jp2", "gray.pfm", "lossless.jpg", "masks-behind-header.bmp", "masks-header-52.bmp",
    "masks-header-56.bmp", "next-directory-beyond.tif", "no-end.jpg", "planes-16bit.tif", "planes-float.tif",
    "planes.tif", "strip-of-more-rows.tif", "tiled-1bit.tif", "tiled-gray.tif", "wrong-checksum-of-size.png",
    "wrong-checksum-of-text.png",
]  # fmt: skip
OPAQUE = {"unusual/masks-behind-header.bmp", "unusual/masks-header-52.bmp", "unusual/masks-header-56.bmp"}

# Unusual files, or flags for them, that the library refuses. cv2 refuses some, and gives wrong pixels of others.
REFUSED = {
    "16bit-565.bmp": "E_UNSUPPORTED",
    "2bit.bmp": "E_UNSUPPORTED",
    "cmyk16.tif": "E_UNSUPPORTED",
    "huge-tile.tif": "E_LIMIT",
    "no-adler.png": "E_DECODE",
    "no-samples.tif": "E_UNSUPPORTED",
    "restart-extraneous.jpg": "E_DECODE",
    "sample-format-void.tif": "E_UNSUPPORTED",
    "webp-inside.tif": "E_UNSUPPORTED",
}
FLAGS_REFUSED = {
    ("unusual/planes-16bit.tif", "unchanged"), ("unusual/planes-16bit.tif", "color+any_depth"),
    ("unusual/planes-16bit.tif", "gray+any_depth"), ("unusual/planes-float.tif", "unchanged"),
    ("unusual/planes-float.tif", "color+any_depth"),
}  # fmt: skip
# What cv2 refuses, and another file with the same pixels.
SAME_PIXELS = {"unusual/strip-of-more-rows.tif": "unusual/planes.tif"}

# cv2 makes 8-bit pixels of 0 and 1 of floats, and floats of another number of channels than the file's in no order.
FLOATS = {"unusual/bgr.pfm": 3, "unusual/gray.pfm": 1, "unusual/planes-float.tif": 3}

ROOMY = 1 << 20  # bytes of a segment for errors that do not depend on the segment's size

FLIPPED = [
    ("small-bgr.png", "color"), ("small-bgr.png", "gray"), ("small-bgr.png", "bgra"), ("small-bgra.png", "unchanged"),
    ("small-bgr16.png", "unchanged"), ("small-gray16.png", "unchanged"), ("small-bgra16.png", "unchanged"),
    ("row.png", "color"), ("column.png", "color"), ("one-pixel.png", "color"), ("row.png", "gray"),
    ("orientation-6.jpg", "color"), ("photograph.jpg", "color"), ("photograph.jpg", "gray"),
]  # fmt: skip

# file, flag, extension, quality, result
SAVED = [
    ("small-bgr.png", "color", ".jpg", "-1", "OK"),
    ("small-bgr.png", "color", ".jpeg", "95", "OK"),
    ("small-bgr.png", "color", ".jpg", "0", "OK"),
    ("small-bgr.png", "color", ".jpg", "40", "OK"),
    ("small-bgr.png", "color", ".JPG", "100", "OK"),
    ("small-bgr.png", "gray", ".jpg", "-1", "OK"),
    ("small-bgra.png", "unchanged", ".jpg", "-1", "OK"),
    ("photograph.jpg", "color", ".jpg", "-1", "OK"),
    ("small-bgr.png", "color", ".png", "-1", "OK"),
    ("small-bgr.png", "color", ".png", "0", "OK"),
    ("small-bgr.png", "color", ".png", "9", "OK"),
    ("small-bgr.png", "gray", ".png", "-1", "OK"),
    ("small-bgra.png", "unchanged", ".png", "-1", "OK"),
    ("small-bgr16.png", "unchanged", ".png", "-1", "OK"),
    ("small-gray16.png", "unchanged", ".png", "-1", "OK"),
    ("small-bgra16.png", "unchanged", ".png", "-1", "OK"),
    ("row.png", "color", ".png", "-1", "OK"),
    ("column.png", "color", ".png", "-1", "OK"),
    ("small-bgr.png", "color", ".webp", "80", "OK"),
    ("small-bgr.png", "color", ".webp", "-1", "OK"),
    ("small-bgr.png", "color", ".webp", "101", "OK"),
    ("small-bgra.png", "unchanged", ".webp", "101", "OK"),
    ("small-bgr.png", "color", ".bmp", "-1", "OK"),
    ("small-bgr.png", "gray", ".bmp", "-1", "OK"),
    ("small-bgra.png", "unchanged", ".bmp", "-1", "OK"),
    ("small-bgr.png", "color", ".tif", "-1", "OK"),
    ("small-bgr.png", "gray", ".tiff", "-1", "OK"),
    ("small-bgra.png", "unchanged", ".tiff", "-1", "OK"),
    ("small-bgr16.png", "unchanged", ".tiff", "-1", "OK"),
    ("small-gray16.png", "unchanged", ".tiff", "-1", "OK"),
    ("small-bgra16.png", "unchanged", ".tiff", "-1", "OK"),
    ("small-bgr-f32.tif", "unchanged", ".tiff", "-1", "OK"),
    ("small-gray-f32.tif", "unchanged", ".tiff", "-1", "OK"),
    ("small-bgr.png", "color", ".ppm", "-1", "OK"),
    ("small-bgr16.png", "unchanged", ".ppm", "-1", "OK"),
    ("small-bgr.png", "gray", ".pgm", "-1", "OK"),
    ("small-gray16.png", "unchanged", ".pgm", "-1", "OK"),
    ("small-bgr.png", "color", ".pnm", "-1", "OK"),
    ("small-bgr.png", "color", ".jpg", "101", "E_INVALID"),
    ("small-bgr.png", "color", ".jpg", "-2", "E_INVALID"),
    ("small-bgr.png", "color", ".png", "10", "E_INVALID"),
    ("small-bgr.png", "color", ".webp", "0", "E_INVALID"),
    ("small-bgr.png", "color", ".xyz", "-1", "E_UNSUPPORTED"),
    ("small-bgr.png", "color", NOTHING, "-1", "E_UNSUPPORTED"),  # a file name without an extension
    ("small-bgr16.png", "unchanged", ".jpg", "-1", "E_UNSUPPORTED"),
    ("small-bgr16.png", "unchanged", ".bmp", "-1", "E_UNSUPPORTED"),
    ("small-bgr16.png", "unchanged", ".webp", "-1", "E_UNSUPPORTED"),
    ("small-bgr-f32.tif", "unchanged", ".jpg", "-1", "E_UNSUPPORTED"),
    ("small-bgr-f32.tif", "unchanged", ".png", "-1", "E_UNSUPPORTED"),
]

# Fields of shmcv_load_options besides flags, and their values where they are not given.
OPTIONS = {
    "order": 0, "scale": 0, "width": 0, "height": 0, "interpolation": 0,
    "x": 0, "y": 0, "region_width": 0, "region_height": 0, "reserved": 0,
}  # fmt: skip
ORDER_NUMBERS = {1: "gray", 2: "bgr", 3: "bgra", 4: "rgb", 5: "rgba"}
WAYS = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA, cv2.INTER_LANCZOS4, cv2.INTER_NEAREST_EXACT)
SCALED = {2: cv2.IMREAD_REDUCED_GRAYSCALE_2, 4: cv2.IMREAD_REDUCED_GRAYSCALE_4, 8: cv2.IMREAD_REDUCED_GRAYSCALE_8}

SCALED_FILES = [
    "small.jpg", "small-444.jpg", "small-gray.jpg", "small-cmyk.jpg", "small-progressive.jpg", "small-restart.jpg",
    *(f"orientation-{n}.jpg" for n in range(2, 9)), "patches.jpg", "unusual/lossless.jpg",
    "small-bgr.png", "small-bgra.png", "small-bgra16.png", "small-gray16.png", "orientation-8-bgra.png",
    "small-1bit.png", "row.png", "column.png", "one-pixel.png", "small-lossy.webp", "small-lossless-bgra.webp",
    "small-bgr.tif", "small-bgr16.tif", "small-bgra.bmp", "small.pgm", "unusual/bgra.jp2",
]  # fmt: skip
OPTIONS_OF_FILES = [
    *(("photograph.jpg", flag, {"scale": scale}) for flag in ("color", "gray") for scale in (1, 2, 4, 8)),
    ("photograph.jpg", "color", {"width": 480}),  # what the decoder itself gives
    # Whole ratios: between other sizes, area sums floats, and the sums depend on the processor's instructions.
    ("photograph.jpg", "color", {"width": 240, "height": 135, "order": 3}),
    ("photograph.jpg", "color", {"width": 160}),
    ("photograph.jpg", "color", {"width": 500, "interpolation": cv2.INTER_CUBIC}),
    ("photograph.jpg", "color", {"scale": 4, "order": 5}),
    ("photograph.jpg", "color", {"scale": 8, "order": 4}),
    ("photograph.jpg", "color", {"order": 4}),
    ("photograph.jpg", "color",
     {"scale": 4, "x": 640, "y": 320, "region_width": 1280, "region_height": 720, "order": 4}),
    ("photograph.jpg", "color", {"scale": 4, "x": 641, "y": 320, "region_width": 1280, "region_height": 720}),
    ("photograph.jpg", "gray",
     {"width": 100, "height": 100, "x": 640, "y": 320, "region_width": 800, "region_height": 800}),
    ("patches.jpg", "color", {"width": 30}),
    ("patches.jpg", "color", {"width": 10}),
    ("patches.jpg", "unchanged", {"width": 29, "interpolation": cv2.INTER_AREA, "order": 1}),
    ("small.jpg", "color", {"width": 8, "height": 5}),  # the decoder's quarter, of which the last pixel is a part
    ("small.jpg", "color", {"width": 17, "height": 11}),
    *(("orientation-6.jpg", "color", {"width": width, "order": 3}) for width in (6, 20, 43, 100)),
    ("orientation-6.jpg", "unchanged", {"width": 6}),
    ("small-gray.jpg", "unchanged", {"scale": 2, "order": 4}),
    *(("small-bgr.png", "color", {"width": 150, "height": 20, "interpolation": way}) for way in (0, *WAYS)),
    *(("small-bgr.png", "color", {"width": 30, "height": 20, "interpolation": way}) for way in WAYS),
    *(("small-bgr.png", "color", {"width": 100, "height": 90, "interpolation": way}) for way in (0, *WAYS)),
    ("small-bgr.png", "color", {"width": 67, "height": 43}),
    ("small-bgr.png", "color", {"height": 1}),
    ("row.png", "color", {"width": 10}),  # 10 x 1: no side is less than 1
    ("column.png", "gray", {"height": 200}),
    ("small-bgr16.png", "unchanged", {"width": 33, "interpolation": cv2.INTER_NEAREST_EXACT, "order": 4}),
    ("small-bgra16.png", "bgra", {"width": 33, "order": 5}),
    ("small-gray16.png", "gray+any_depth", {"width": 90, "interpolation": cv2.INTER_NEAREST_EXACT}),
    ("small-bgr-f32.tif", "unchanged", {"x": 3, "y": 4, "region_width": 20, "region_height": 30, "order": 4}),
    ("small-gray-f32.tif", "gray+any_depth", {"width": 30, "interpolation": cv2.INTER_NEAREST_EXACT, "order": 1}),
    *((file, "color", {"x": 5, "y": 3, "region_width": 30, "region_height": 25, "order": order})
      for file in ("small.jpg", "small-bgra.png", "small-bgr16.tif", "orientation-7.jpg") for order in ORDER_NUMBERS),
    *((f"orientation-{n}.jpg", "color", {"x": 60, "y": 40, "region_width": 7, "region_height": 3})
      for n in range(2, 9)),
    ("orientation-5.jpg", "unchanged", {"x": 40, "y": 60, "region_width": 3, "region_height": 7, "width": 5}),
    ("small-bgra.png", "unchanged", {"x": 66, "y": 42, "region_width": 1, "region_height": 1, "width": 3}),
    ("small-bgra.png", "bgra", {"x": 1, "region_width": 64, "region_height": 43, "scale": 4}),
    ("small-bgra.png", "bgra", {"y": 1, "region_width": 67, "region_height": 1}),
    ("patches.jpg", "bgra", {"x": 64, "y": 8, "region_width": 160, "region_height": 104, "scale": 8}),
    ("patches.jpg", "bgra", {"x": 64, "y": 8, "region_width": 160, "region_height": 104, "width": 25}),
    ("patches.jpg", "bgra", {"x": 60, "y": 8, "region_width": 160, "region_height": 104, "scale": 8}),
]  # fmt: skip

# file, flag, options, result: what contradicts itself, what is beyond the image, and files that are damaged.
BAD_REGIONS = [
    {"x": 1}, {"y": 1}, {"x": 1, "y": 1, "region_width": 1}, {"x": 1, "y": 1, "region_height": 1}, {"region_width": 67},
    {"region_width": 68, "region_height": 43}, {"region_width": 67, "region_height": 44},
    {"x": 1, "region_width": 67, "region_height": 43}, {"y": 1, "region_width": 67, "region_height": 43},
    {"x": 67, "region_width": 1, "region_height": 1}, {"y": 43, "region_width": 1, "region_height": 1},
    {"x": 0xFFFFFFFF, "region_width": 2, "region_height": 1}, {"y": 0xFFFFFFFF, "region_width": 1, "region_height": 2},
    {"x": 2, "region_width": 0xFFFFFFFF, "region_height": 1}, {"region_width": 1, "region_height": 0xFFFFFFFF},
]  # fmt: skip
BAD_OPTIONS = [
    *(("small.jpg", "color", {"scale": scale}, "E_INVALID") for scale in (3, 5, 6, 7, 9, 16, 0xFFFFFFFF)),
    *(("small.jpg", "color", {"scale": 2} | size, "E_INVALID") for size in ({"width": 5}, {"height": 5})),
    *(("small.jpg", "color", {"order": order}, "E_INVALID") for order in (6, 0xFFFFFFFF)),
    *(("small.jpg", "color", {"width": 5, "interpolation": way}, "E_INVALID") for way in (5, 7, -1, 0x7FFFFFFF)),
    *(("small.jpg", "color", {"interpolation": cv2.INTER_AREA} | scale, "E_INVALID") for scale in ({}, {"scale": 2})),
    *(("small.jpg", "gray", {"order": order}, "E_INVALID") for order in (2, 3, 4, 5)),
    *(("small-bgra.png", "bgra", {"order": order}, "E_INVALID") for order in (1, 2, 4)),
    *(("small-bgra16.png", "color+any_depth", {"order": order}, "E_INVALID") for order in (3, 5)),
    *((file, "color", region, "E_INVALID") for file in ("small.jpg", "small-bgr.png") for region in BAD_REGIONS),
    ("orientation-6.jpg", "unchanged", {"region_width": 67, "region_height": 43}, "E_INVALID"),  # it is 43 x 67 then
    ("small.jpg", "color", {"reserved": 1}, "E_INVALID"),
    *(("small-bgr.png", "color", size, "E_LIMIT") for size in (
        {"width": 1_048_577}, {"height": 1_048_577, "width": 1}, {"width": 0xFFFFFFFF}, {"height": 0xFFFFFFFF},
        {"width": 40_000, "height": 40_000},
    )),
    ("row.png", "color", {"height": 4000}, "E_LIMIT"),  # 1204000 x 4000
    ("small.jpg", "color", {"width": 1000, "height": 1000}, "E_TOO_SMALL"),
    *((file, "color", chosen, "E_DECODE")
      for chosen in (
        {"scale": 2}, {"scale": 8}, {"width": 8, "height": 5, "order": 3}, {"region_width": 4, "region_height": 2},
      ) for file in (
        "truncated.jpg", "truncated-progressive.jpg", "corrupt.jpg", "header-only.jpg", "empty.jpg", "truncated.png",
        "corrupt.png", "corrupt-deflate.png", "truncated.bmp", "truncated.webp", "truncated.tif", "truncated.ppm",
      )),
    ("not-an-image.png", "color", {"scale": 2}, "E_UNSUPPORTED"),
    ("bomb.jpg", "color", {"scale": 8}, "E_LIMIT"),
    ("missing.jpg", "color", {"scale": 8}, "E_NOT_FOUND"),
    ("missing.jpg", "color", {"scale": 3}, "E_INVALID"),
    (".", "color", {"width": 8}, "E_INVALID"),
]  # fmt: skip

QUALITY = {
    ".jpg": cv2.IMWRITE_JPEG_QUALITY,
    ".jpeg": cv2.IMWRITE_JPEG_QUALITY,
    ".webp": cv2.IMWRITE_WEBP_QUALITY,
    ".png": cv2.IMWRITE_PNG_COMPRESSION,
}

FOLDER = "/dev/shm"  # noqa: S108 # segments are here, not temporary files
# The tests create and clear the names that are OK: no program and no example has one of these.
NAMES = [
    ("names-cam0", "OK"), ("a", "OK"), ("7", "OK"), ("-", "OK"), ("_", "OK"), ("--help", "OK"), ("a.b-c_D9", "OK"),
    ("a.", "OK"), ("a..b", "OK"), ("550e8400-e29b-41d4-a716-446655440000", "OK"), ("n" * 200, "OK"),
    ("", "E_INVALID"), ("n" * 201, "E_INVALID"), ("n" * 1000, "E_INVALID"),
    (".", "E_INVALID"), ("..", "E_INVALID"), (".hidden", "E_INVALID"),
    ("/", "E_INVALID"), ("/cam0", "E_INVALID"), ("a/b", "E_INVALID"), ("../cam0", "E_INVALID"), ("a\\b", "E_INVALID"),
    (" ", "E_INVALID"), ("a b", "E_INVALID"), ("cam0 ", "E_INVALID"), ("cam0\n", "E_INVALID"), ("a\tb", "E_INVALID"),
    ("a:b", "E_INVALID"), ("a*", "E_INVALID"), ("%41", "E_INVALID"), ("$HOME", "E_INVALID"), ("a\x7f", "E_INVALID"),
    ("a~b", "E_INVALID"),
    ("käse", "E_INVALID"), ("猫", "E_INVALID"), ("cam٣", "E_INVALID"), ("\uff43am", "E_INVALID"),
    ("a\u200b", "E_INVALID"),
    (b"\xff\xfe", "E_INVALID"), (b"a\x80", "E_INVALID"), (b"a\xc0\xae", "E_INVALID"),
]  # fmt: skip
# Paths of names, and the results on Linux and on Windows.
PATHS = [
    (f"{FOLDER}/names-cam0", "OK", "E_INVALID"), ("C:/Windows/Temp/names-cam0", "E_INVALID", "OK"),
    ("c:\\Windows\\Temp\\names-cam0", "E_INVALID", "OK"),
    *((path, "E_INVALID", "E_INVALID") for path in (
        "/dev//shm/cam0", "//cam0", "/dev/./shm/cam0", f"{FOLDER}/../shm/cam0", f"{FOLDER}/", f"{FOLDER}/.hidden",
        f"{FOLDER}/a b", "dev/shm/cam0", "C:/Windows//Temp/cam0", "C:/Windows/../Windows/Temp/cam0", "C:/Windows/Temp/",
        "C:/Windows/Temp/.hidden", "C:/Windows/Temp/a b", "C:cam0", "C:/Windows./Temp/cam0", "Local\\cam0",
        "\\\\?\\C:\\Windows\\Temp\\cam0",
    )),
]  # fmt: skip
LAST = rb"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}"
LINUX_RULE = re.compile(rb"(?:(?:/(?!\.\.?/)[^/]+)+/)?" + LAST)
WINDOWS_RULE = re.compile(rb"(?:[A-Za-z]:(?:[/\\](?!\.)[^/\\]*[^/\\. ])+[/\\])?" + LAST)

# width, height, channels, depth, order, stride, bytes of the segment, result, stored stride.
# depth: 1 u8, 2 u16, 3 f32; order: 1 gray, 2 bgr, 3 bgra, 4 rgb, 5 rgba.
TOP = 0xFFFFFFFF
GEOMETRIES = [
    (640, 480, 3, 1, 2, 0, 921_600, "OK", 1920),
    (640, 480, 3, 1, 2, 1920, 921_600, "OK", 1920),
    (640, 480, 3, 1, 4, 0, 921_600, "OK", 1920),
    (640, 480, 1, 1, 1, 0, 307_200, "OK", 640),
    (640, 480, 4, 1, 3, 0, 1_228_800, "OK", 2560),
    (640, 480, 4, 1, 5, 0, 1_228_800, "OK", 2560),
    (640, 480, 3, 2, 2, 0, 1_843_200, "OK", 3840),
    (64, 48, 4, 2, 3, 0, 24_576, "OK", 512),
    (64, 48, 3, 3, 2, 0, 36_864, "OK", 768),
    (1, 1, 1, 1, 1, 0, 1, "OK", 1),
    (1, 1, 4, 3, 5, 0, 16, "OK", 16),
    (67, 43, 3, 1, 2, 204, 8769, "OK", 204),  # rows on multiples of 4; no gap is needed after the last one
    (67, 43, 3, 1, 2, 202, 8685, "OK", 202),  # 8-bit rows may have any gap
    (67, 43, 3, 2, 2, 404, 17370, "OK", 404),
    (1_048_576, 1, 1, 1, 1, 0, 1_048_576, "OK", 1_048_576),
    (1, 1_048_576, 1, 1, 1, 0, 1_048_576, "OK", 1),
    (1, 1, 1, 1, 1, 2_147_483_647, 1, "OK", 2_147_483_647),
    (640, 480, 3, 1, 2, 0, 921_599, "E_TOO_SMALL", None),
    (67, 43, 3, 1, 2, 204, 8768, "E_TOO_SMALL", None),
    (1, 1, 1, 2, 1, 0, 1, "E_TOO_SMALL", None),
    (2, 2, 1, 1, 1, 2_147_483_647, 4096, "E_TOO_SMALL", None),
    (32_768, 32_768, 1, 1, 1, 0, 4096, "E_TOO_SMALL", None),  # exactly the limit of pixels
    (1, 1_048_576, 1, 1, 1, 2_147_483_647, 4096, "E_TOO_SMALL", None),  # 2^51 bytes: more than 32 bits can count
    (0, 480, 3, 1, 2, 0, 4096, "E_INVALID", None),
    (640, 0, 3, 1, 2, 0, 4096, "E_INVALID", None),
    (0, 0, 0, 0, 0, 0, 4096, "E_INVALID", None),
    (64, 48, 3, 0, 2, 0, 65_536, "E_INVALID", None),
    (64, 48, 3, 4, 2, 0, 65_536, "E_INVALID", None),
    (64, 48, 3, TOP, 2, 0, 65_536, "E_INVALID", None),
    (64, 48, 3, 1, 0, 0, 65_536, "E_INVALID", None),
    (64, 48, 3, 1, 6, 0, 65_536, "E_INVALID", None),
    (64, 48, 3, 1, TOP, 0, 65_536, "E_INVALID", None),
    (64, 48, 0, 1, 2, 0, 65_536, "E_INVALID", None),
    (64, 48, 2, 1, 2, 0, 65_536, "E_INVALID", None),
    (64, 48, 2, 1, 1, 0, 65_536, "E_INVALID", None),
    (64, 48, 4, 1, 2, 0, 65_536, "E_INVALID", None),
    (64, 48, 3, 1, 3, 0, 65_536, "E_INVALID", None),
    (64, 48, TOP, 1, 2, 0, 65_536, "E_INVALID", None),
    (64, 48, 3, 1, 2, 191, 65_536, "E_INVALID", None),  # shorter than a row
    (64, 48, 3, 1, 2, 1, 65_536, "E_INVALID", None),
    (67, 43, 3, 2, 2, 403, 65_536, "E_INVALID", None),  # not a multiple of a sample
    (67, 43, 1, 3, 1, 270, 65_536, "E_INVALID", None),
    (1_048_577, 1, 1, 1, 1, 0, 65_536, "E_LIMIT", None),
    (1, 1_048_577, 1, 1, 1, 0, 65_536, "E_LIMIT", None),
    (32_768, 32_769, 1, 1, 1, 0, 65_536, "E_LIMIT", None),
    (65_536, 65_536, 1, 1, 1, 0, 65_536, "E_LIMIT", None),  # 2^32 pixels: 0 in 32 bits
    (TOP, TOP, 4, 3, 3, 0, 65_536, "E_LIMIT", None),
    (1, 1, 1, 1, 1, 2_147_483_648, 65_536, "E_LIMIT", None),
    (1, 1, 1, 1, 1, 2**64 - 1, 65_536, "E_LIMIT", None),
    (2, 2, 1, 1, 1, 2**63, 65_536, "E_LIMIT", None),
]


# What images become, by file: width and height. cv2.INTER_NEAREST, LINEAR, CUBIC, AREA and LANCZOS4.
SIZES = {
    "photograph.jpg": [(1920, 1080), (961, 540)],
    None: [(33, 21), (134, 86), (1, 1), (200, 3)],
}
INTERPOLATIONS = (0, 1, 2, 3, 4)

# Regions of these images: x, y, width, height.
VIEWED = [(file, flag) for file, flag in FLIPPED if file.startswith(("small", "photograph"))]
VIEWS = {
    "photograph.jpg": [(1001, 503, 1921, 1079)],
    None: [(0, 0, 67, 43), (1, 2, 31, 17), (66, 42, 1, 1), (33, 0, 34, 43)],
}

# Regions of images: width and height, x, y, width and height of the region, result of shmcv_view.
REGIONS = [
    (67, 43, 0, 0, 67, 43, "OK"),
    (67, 43, 66, 42, 1, 1, "OK"),
    (67, 43, 0, 42, 67, 1, "OK"),
    (1, 1, 0, 0, 1, 1, "OK"),
    (67, 43, 0, 0, 0, 43, "E_INVALID"),
    (67, 43, 0, 0, 67, 0, "E_INVALID"),
    (67, 43, 67, 0, 0, 1, "E_INVALID"),
    (67, 43, 0, 0, 68, 43, "E_INVALID"),
    (67, 43, 0, 0, 67, 44, "E_INVALID"),
    (67, 43, 1, 0, 67, 43, "E_INVALID"),
    (67, 43, 0, 1, 67, 43, "E_INVALID"),
    (67, 43, 67, 0, 1, 1, "E_INVALID"),
    (67, 43, 0, 43, 1, 1, "E_INVALID"),
    (67, 43, TOP, 0, 1, 1, "E_INVALID"),  # x + width is 0 in 32 bits
    (67, 43, 0, TOP, 1, 1, "E_INVALID"),
    (67, 43, TOP, TOP, 2, 2, "E_INVALID"),
    (67, 43, 1, 1, TOP, TOP, "E_INVALID"),
    (67, 43, TOP, TOP, TOP, TOP, "E_INVALID"),
    (67, 43, 2**31, 0, 2**31, 1, "E_INVALID"),
    (67, 43, 0, 2**31, 1, 2**31, "E_INVALID"),
]


def upright(pixels: np.ndarray, file: str) -> np.ndarray:
    """Turns stored pixels as the file's EXIF orientation says."""
    orientation = Image.open(HERE / file).getexif().get(0x0112, 1)
    tag = Image.Exif()
    tag[0x0112] = orientation
    carrier = io.BytesIO()
    Image.fromarray(pixels).save(carrier, "PNG", exif=tag)
    return np.asarray(ImageOps.exif_transpose(Image.open(carrier)))


def decode(data: np.ndarray, flag: int) -> np.ndarray | None:
    """Returns what cv2.imread makes of a file of these bytes.

    cv2.imdecode refuses some TIFFs and JPEGs that imread loads.
    """
    with tempfile.NamedTemporaryFile() as file:
        file.write(data.tobytes())
        file.flush()
        try:
            return cv2.imread(file.name, flag)
        except cv2.error:
            return None


def read(file: str) -> np.ndarray:
    """Returns a file's bytes, for cv2. A TIFF's unassociated alpha (ExtraSamples 2) is called associated (1).

    The library gives such a file's samples as they are. libtiff, and so cv2, multiplies the colours by the alpha.
    """
    data = (HERE / file).read_bytes()
    if data.startswith(b"II*\0"):
        extra_samples = [struct.pack("<HHII", 338, 3, 1, kind) for kind in (2, 1)]
        data = data.replace(*extra_samples)
    return np.frombuffer(data, np.uint8)


def load(file: str, flag: str) -> np.ndarray | None:
    """Returns the pixels that the library must load; None if it must refuse, as cv2 does or because of the depth."""
    if (file, flag) in FLAGS_REFUSED or (file in FLOATS and not keeps_floats(file, flag)):
        return None
    data = read(SAME_PIXELS.get(file, file))
    if flag != "bgra":
        pixels = decode(data, FLAGS[flag])
        if pixels is None and file == "unusual/lossless.jpg":  # gray; libjpeg-turbo does not convert it
            return np.dstack([decode(data, cv2.IMREAD_GRAYSCALE)] * 3)
        if file in OPAQUE and flag == "unchanged":
            pixels[..., 3] = 255
        return pixels if pixels is None or pixels.dtype in DEPTHS else None
    colour = load(file, "color")
    stored = load(file, "unchanged")
    if colour is None or (stored is None and file != "unusual/planes-16bit.tif"):
        return None
    alpha = np.full(colour.shape[:2], 255, np.uint8)
    if stored is not None and stored.ndim == 3 and stored.shape[2] == 4:
        narrow = stored[..., 3] >> (8 if stored.dtype == np.uint16 else 0)  # the high byte, as cv2 takes of the colours
        alpha = upright(np.ascontiguousarray(narrow.astype(np.uint8)), file)
    return np.dstack([colour, alpha])


def keeps_floats(file: str, flag: str) -> bool:
    """Returns whether a flag asks for a file's floats in the channels that the file has."""
    return flag == "unchanged" or flag == {1: "gray+any_depth", 3: "color+any_depth"}[FLOATS[file]]


def described(pixels: np.ndarray) -> list[object]:
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    return [width, height, channels, DEPTHS[pixels.dtype], ORDERS[channels]]


def checksum(pixels: np.ndarray) -> str:
    little_endian = pixels.astype(pixels.dtype.newbyteorder("<"), copy=False)
    return f"{zlib.crc32(np.ascontiguousarray(little_endian).tobytes()):08x}"


def good_files() -> list[str]:
    images = {".bmp", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".webp"}
    usual = sorted(p.name for p in HERE.iterdir() if p.suffix in images and p.name not in BAD)
    return usual + [f"unusual/{name}" for name in UNUSUAL]


def loads() -> tuple[list[list[object]], list[list[object]]]:
    """Returns the rows of load, and the rows of error for flags that do not suit a good file."""
    loaded: list[list[object]] = []
    refused: list[list[object]] = []
    for file in good_files():
        for flag in FLAGS:
            pixels = load(file, flag)
            if pixels is None:
                # cv2 converts no float samples, and the library has no 64-bit ones.
                refused.append([file, flag, ROOMY, "E_UNSUPPORTED", answer_of_cv2(file, flag)])
                continue
            loaded.append([file, flag, *described(pixels), checksum(pixels)])
    return loaded, refused


def answer_of_cv2(file: str, flag: str) -> str:
    if flag == "bgra" or not (HERE / file).is_file():
        return NOTHING
    data = np.fromfile(HERE / file, np.uint8)
    try:
        return "none" if not data.size or cv2.imdecode(data, FLAGS[flag]) is None else "image"
    except cv2.error:
        return "raises"


def errors() -> list[list[object]]:
    rows: list[list[object]] = []
    for file, result in (BAD | {f"unusual/{name}": code for name, code in REFUSED.items()}).items():
        rows += [[file, flag, ROOMY, result, answer_of_cv2(file, flag)] for flag in ["color", "unchanged", "bgra"]]
    for flag in FLAGS:  # one byte less than the pixels need
        pixels = load("small-bgr16.png", flag)
        rows.append(["small-bgr16.png", flag, pixels.nbytes - 1, "E_TOO_SMALL", answer_of_cv2("small-bgr16.png", flag)])
    rows.append(["photograph.jpg", "color", 3840 * 2160 * 3 - 1, "E_TOO_SMALL", "image"])
    return rows


def pixels() -> list[list[object]]:
    rows: list[list[object]] = []
    for file, tolerance in [("patches.png", 0), ("patches.jpg", 3)]:
        for flag in ["color", "bgra"]:
            found = load(file, flag)
            for row, colours in enumerate(PATCHES):
                for column, (red, green, blue) in enumerate(colours):
                    x, y = column * PATCH + PATCH // 2, row * PATCH + PATCH // 2
                    wanted = [blue, green, red, 255][: found.shape[2]]
                    distance = np.abs(found[y, x].astype(int) - wanted).max()
                    require(distance <= tolerance, f"{file}: ({x}, {y}) is {distance} off")
                    rows.append([file, flag, x, y, ",".join(map(str, wanted)), tolerance])
    return rows


def flips() -> list[list[object]]:
    return [
        [file, flag, code, checksum(cv2.flip(load(file, flag), code))] for file, flag in FLIPPED for code in (-1, 0, 1)
    ]


def resizes() -> list[list[object]]:
    return [
        [file, flag, width, height, number, checksum(resized(load(file, flag), width, height, number))]
        for file, flag in [*FLIPPED, ("small-bgr-f32.tif", "unchanged")]
        for width, height in SIZES.get(file, SIZES[None])
        for number in INTERPOLATIONS
        if is_the_same_everywhere(load(file, flag), width, height, number)
    ]


def is_the_same_everywhere(pixels: np.ndarray, width: int, height: int, interpolation: int) -> bool:
    """Returns whether cv2.resize counts in whole numbers, whose sums do not depend on the processor's instructions."""
    if interpolation == cv2.INTER_NEAREST:
        return True
    if pixels.dtype != np.uint8 or interpolation == cv2.INTER_CUBIC:
        return False
    return interpolation != cv2.INTER_AREA or (pixels.shape[1] % width == 0 and pixels.shape[0] % height == 0)


def resized(pixels: np.ndarray, width: int, height: int, interpolation: int) -> np.ndarray:
    """Returns what cv2.resize gives without IPP, which interpolates floats, 16 bits, and cubic ones, in its own way."""
    cv2.ipp.setUseIPP(False)
    return cv2.resize(pixels, (width, height), interpolation=interpolation)


def rotations() -> list[list[object]]:
    return [
        [file, flag, code, checksum(cv2.rotate(load(file, flag), code))] for file, flag in FLIPPED for code in (0, 1, 2)
    ]


def views() -> list[list[object]]:
    rows: list[list[object]] = []
    for file, flag in VIEWED:
        whole = load(file, flag)
        for x, y, width, height in VIEWS.get(file, VIEWS[None]):
            rows.append([file, flag, x, y, width, height, checksum(whole[y : y + height, x : x + width])])
    return rows


def pastes() -> list[list[object]]:
    rows: list[list[object]] = []
    for file, flag in VIEWED:
        whole = load(file, flag)
        for x, y, width, height in VIEWS.get(file, VIEWS[None]):
            for number in (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_AREA):
                if not is_the_same_everywhere(whole, width, height, number):
                    continue
                pasted = whole.copy()
                pasted[y : y + height, x : x + width] = resized(whole, width, height, number)
                rows.append([file, flag, x, y, width, height, number, checksum(pasted)])
    return rows


def regions() -> list[list[object]]:
    for width, height, x, y, region_width, region_height, result in REGIONS:
        inside = 0 < region_width <= width - x and 0 < region_height <= height - y
        require((result == "OK") == inside, f"{x} {y} {region_width} {region_height} in {width} x {height}: {result}")
    return [list(row) for row in REGIONS]


def saves() -> list[list[object]]:
    rows: list[list[object]] = []
    for file, flag, extension, quality, result in SAVED:
        row: list[object] = [file, flag, extension, quality, result]
        if result != "OK":
            rows.append(row + [NOTHING] * 6)
            continue
        options = [] if quality == "-1" else [QUALITY[extension.lower()], int(quality)]
        done, data = cv2.imencode(extension, load(file, flag), options)
        require(done, f"cv2 does not write {file} as {extension}")
        read = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
        rows.append([*row, *described(read), checksum(read)])
    return rows


def with_alpha(pixels: np.ndarray) -> np.ndarray:
    opaque = {"u8": 255, "u16": 65535, "f32": 1}[DEPTHS[pixels.dtype]]
    return np.dstack([pixels, np.full(pixels.shape[:2], opaque, pixels.dtype)])


def in_order(pixels: np.ndarray, order: int) -> np.ndarray:
    """Returns pixels in cv2's order in another one."""
    if not order or ORDER_NUMBERS[order] == ORDERS[1 if pixels.ndim == 2 else pixels.shape[2]]:
        return pixels
    if order == 1:
        return cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY if pixels.shape[2] == 3 else cv2.COLOR_BGRA2GRAY)
    colour = np.dstack([pixels] * 3) if pixels.ndim == 2 else pixels[..., :3]
    if order in {4, 5}:
        colour = colour[..., ::-1]
    if order in {2, 4}:
        return colour
    return np.dstack([colour, pixels[..., 3]]) if pixels.ndim == 3 and pixels.shape[2] == 4 else with_alpha(colour)


def flag_of(flag: str, order: int) -> str:
    """Returns the flag that gives the channels of an order."""
    if not order or flag == "unchanged":
        return flag
    base = {"gray": "gray", "bgr": "color", "rgb": "color", "bgra": "bgra", "rgba": "bgra"}[ORDER_NUMBERS[order]]
    return base + ("+any_depth" if flag.endswith("+any_depth") else "")


def scaled_by_decoder(file: str, flag: str, scale: int) -> np.ndarray:
    """Returns what libjpeg makes of a JPEG."""
    how = SCALED[scale]
    if flag == "unchanged":
        how |= cv2.IMREAD_IGNORE_ORIENTATION
    if load(file, flag).ndim == 3:
        how |= cv2.IMREAD_COLOR
    pixels = cv2.imdecode(np.fromfile(HERE / file, np.uint8), how)
    return with_alpha(pixels) if flag == "bgra" else pixels


def covers(side: int, wanted: int, scale: int) -> bool:
    """Returns whether a side that the decoder makes smaller is long enough, and ends within an eighth of a pixel."""
    return -(-side // scale) >= wanted and (-side % scale) * wanted * 8 <= side


def decoders_scale(chosen: dict[str, int], whole: np.ndarray, part: np.ndarray, size: tuple[int, int]) -> int:
    """Returns by how much a JPEG's decoder makes the image smaller."""
    height, width = part.shape[:2]
    smaller = size[0] <= width and size[1] <= height and chosen["interpolation"] in {0, cv2.INTER_AREA}
    edges = [chosen["x"], chosen["y"], width, height, *whole.shape[:2]]
    for scale in (8, 4, 2):
        fits = scale == chosen["scale"] or (
            chosen["scale"] < 2 and smaller and covers(width, size[0], scale) and covers(height, size[1], scale)
        )
        if fits and (part.shape == whole.shape or not any(edge % scale for edge in edges)):
            return scale
    return 1


def cut(pixels: np.ndarray, chosen: dict[str, int], scale: int) -> np.ndarray:
    if not chosen["region_width"]:
        return pixels
    x, y, width, height = (chosen[name] // scale for name in ("x", "y", "region_width", "region_height"))
    return pixels[y : y + height, x : x + width]


def wanted_size(chosen: dict[str, int], width: int, height: int) -> tuple[int, int]:
    if chosen["scale"] > 1:
        return -(-width // chosen["scale"]), -(-height // chosen["scale"])
    wanted = chosen["width"], chosen["height"]
    if wanted == (0, 0):
        return width, height
    in_proportion = max(1, int(wanted[1] * width / height + 0.5)), max(1, int(wanted[0] * height / width + 0.5))
    return wanted[0] or in_proportion[0], wanted[1] or in_proportion[1]


def load_with(file: str, flag: str, chosen: dict[str, int]) -> np.ndarray:
    """Returns the pixels that the library must load with options: what a JPEG's decoder scales, or cv2 resizes."""
    flag = flag_of(flag, chosen["order"])
    whole = load(file, flag)
    part = cut(whole, chosen, 1)
    size = wanted_size(chosen, part.shape[1], part.shape[0])
    scale = decoders_scale(chosen, whole, part, size) if file.endswith(".jpg") and "lossless" not in file else 1
    way = chosen["interpolation"] or (
        cv2.INTER_AREA if size[0] <= part.shape[1] and size[1] <= part.shape[0] else cv2.INTER_LINEAR
    )
    if scale > 1:
        part = cut(scaled_by_decoder(file, flag, scale), chosen, scale)
    if (part.shape[1], part.shape[0]) != size:
        part = resized(np.ascontiguousarray(part), *size, way)
    return in_order(part, chosen["order"])


def options() -> list[list[object]]:
    rows: list[list[object]] = []
    good = [(file, "color", {"scale": scale}) for file in SCALED_FILES for scale in (2, 4, 8)]
    good += [(file, flag, {"scale": 2}) for file in SCALED_FILES[::3] for flag in ("bgra", "gray")]
    good += [(file, "unchanged", {"scale": 2}) for file in SCALED_FILES if file.endswith(".jpg")]
    for file, flag, given in good + OPTIONS_OF_FILES:
        chosen = OPTIONS | given
        pixels = load_with(file, flag, chosen)
        order = ORDER_NUMBERS.get(chosen["order"]) or described(pixels)[-1]
        rows.append([file, flag, joined(chosen), "OK", *described(pixels)[:-1], order, checksum(pixels)])
    for file, flag, given, result in BAD_OPTIONS:
        rows.append([file, flag, joined(OPTIONS | given), result] + [NOTHING] * 6)
    return rows


def joined(chosen: dict[str, int]) -> str:
    return ",".join(map(str, chosen.values()))


def names() -> list[list[object]]:
    rows: list[list[object]] = []
    for name, linux, windows in [*((name, result, result) for name, result in NAMES), *PATHS]:
        raw = name.encode() if isinstance(name, str) else name
        for rule, result in (LINUX_RULE, linux), (WINDOWS_RULE, windows):
            require((result == "OK") == bool(rule.fullmatch(raw)), f"{name!r} is not {result} by the rule")
        escaped = quote(raw, safe="").replace("~", "%7E")  # quote leaves the tilde as it is
        rows.append([NOTHING if not raw else "%2D" if raw == b"-" else escaped, linux, windows])
    return rows


def geometries() -> list[list[object]]:
    return [[*row[:-1], NOTHING if row[-1] is None else row[-1]] for row in GEOMETRIES]


def make() -> None:
    loaded, refused = loads()
    sections = {
        "load": loaded,
        "pixel": pixels(),
        "flip": flips(),
        "resize": resizes(),
        "rotate": rotations(),
        "view": views(),
        "paste": pastes(),
        "region": regions(),
        "save": saves(),
        "error": errors() + refused,
        "options": options(),
        "name": names(),
        "geometry": geometries(),
    }
    lines = [
        "# The results that every test suite expects of the library. make.py makes this file; README.md describes it."
    ]
    for kind, rows in sections.items():
        columns = COLUMNS[kind].split()
        require(all(len(row) == len(columns) for row in rows), f"{kind}: a row has too few or too many columns")
        lines.append("\t".join(["#" + kind, *columns]))
        lines += ["\t".join([kind, *map(str, row)]) for row in rows]
    (HERE / "vectors.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
