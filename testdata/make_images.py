"""Makes the images of this folder from photograph.jpg: one for each format, and files that are bad in one way each."""

import io
import struct
import tempfile
import zlib
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

HERE = Path(__file__).resolve().parent
SMALL = (67, 43)  # odd and prime: no row is a multiple of 4 bytes or of a vector register

# The colours of patches.png, left to right and top to bottom, as red, green, blue.
PATCH = 60
PATCHES = [
    [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)],
    [(0, 255, 255), (255, 0, 255), (255, 255, 0), (0, 0, 0)],
]

# For each EXIF orientation, the operation that stores upright pixels so that this orientation makes them upright again.
STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
EXIF_ORIENTATION = 0x0112

GRAY, RGB, PALETTE, GRAY_ALPHA, RGBA = 0, 2, 3, 4, 6  # PNG colour types


def require(condition: bool, what: str) -> None:
    """Ends the program if condition is false."""
    if not condition:
        raise SystemExit(f"make.py: {what}")


def write(name: str, data: bytes) -> bytes:
    (HERE / name).write_bytes(data)
    return data


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def by_opencv(kind: str, pixels: np.ndarray) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "file").with_suffix(kind)
        require(cv2.imwrite(str(file), pixels), f"cv2 does not write {kind}")
        return file.read_bytes()


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[EXIF_ORIENTATION] = orientation
    return tags


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    distances = [abs(guess - left), abs(guess - up), abs(guess - corner)]
    return (left, up, corner)[distances.index(min(distances))]


def filtered(rows: np.ndarray, step: int) -> bytes:
    """Returns the rows (height x bytes) of a PNG with the five filters in turn, so that a decoder needs all of them."""
    out = bytearray()
    before = np.zeros(rows.shape[1], np.uint8)
    for y, row in enumerate(rows):
        left = np.concatenate([np.zeros(step, np.uint8), row[:-step]])
        corner = np.concatenate([np.zeros(step, np.uint8), before[:-step]])
        guess = [
            np.zeros_like(row),
            left,
            before,
            ((left.astype(int) + before) // 2).astype(np.uint8),
            np.array([paeth(*map(int, p)) for p in zip(left, before, corner, strict=True)], np.uint8),
        ][y % 5]
        out.append(y % 5)
        out += (row - guess).tobytes()
        before = row
    return bytes(out)


def rows_of(pixels: np.ndarray, bits: int) -> np.ndarray:
    flat = pixels.reshape(pixels.shape[0], -1)
    if bits == 16:
        return flat.astype(">u2").view(np.uint8)
    if bits == 8:
        return flat
    return np.packbits(flat, axis=1)


def png(pixels: np.ndarray, colour: int, bits: int = 8, chunks: bytes = b"", interlaced: bool = False) -> bytes:
    """Returns a PNG of pixels in PNG's channel order. Pillow and cv2 do not write all kinds of PNG."""
    height, width = pixels.shape[:2]
    step = max(1, (1 if pixels.ndim == 2 else pixels.shape[2]) * bits // 8)
    passes = [(0, 0, 1, 1)]
    if interlaced:  # Adam7: first column, first row, columns and rows from one to the next
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    data = b"".join(filtered(rows_of(pixels[y::dy, x::dx], bits), step) for x, y, dx, dy in passes)
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, int(interlaced))
    idat = chunk(b"IDAT", zlib.compress(data, 9))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunks + idat + chunk(b"IEND", b"")


def png_exif(orientation: int) -> bytes:
    return chunk(b"eXIf", exif(orientation).tobytes().removeprefix(b"Exif\0\0"))


def make_patches() -> None:
    blocks = np.repeat(np.repeat(np.array(PATCHES, np.uint8), PATCH, axis=0), PATCH, axis=1)
    write("patches.png", png(blocks, RGB))
    write("patches.jpg", encoded(Image.fromarray(blocks), "JPEG", quality=95, subsampling=0))


def make_jpegs(photo: Image.Image) -> None:
    whole = write("small.jpg", encoded(photo, "JPEG", quality=90))
    write("small-trailing-bytes.jpg", whole + b"bytes after the end of the image, as some cameras leave them")
    write("small-444.jpg", encoded(photo, "JPEG", quality=90, subsampling=0))
    write("small-progressive.jpg", encoded(photo, "JPEG", quality=90, progressive=True))
    write("small-restart.jpg", encoded(photo, "JPEG", quality=90, restart_marker_rows=1))
    write("small-gray.jpg", encoded(photo.convert("L"), "JPEG", quality=90))
    write("small-cmyk.jpg", encoded(photo.convert("CMYK"), "JPEG", quality=90))
    for orientation, turn in STORED.items():
        data = encoded(photo.transpose(turn), "JPEG", quality=90, exif=exif(orientation))
        write(f"orientation-{orientation}.jpg", data)
        upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
        require(upright.size == SMALL, f"orientation {orientation} is not upright")
        difference = np.abs(np.asarray(upright, int) - np.asarray(photo, int)).mean()
        require(difference < 8, f"orientation {orientation} differs by {difference} from the photograph")


def make_pngs(photo: Image.Image, alpha: np.ndarray) -> None:
    rgb = np.asarray(photo)
    gray = np.asarray(photo.convert("L"))
    # The low bytes differ from the high ones, so that a test notices a decoder that takes the wrong half.
    noise = np.random.Generator(np.random.PCG64(16)).integers(0, 256, (*rgb.shape[:2], 4), np.uint16)
    rgba = np.dstack([rgb, alpha])
    rgba16 = rgba.astype(np.uint16) << 8 | noise
    gray16 = gray.astype(np.uint16) << 8 | noise[..., 0]
    indexed = photo.quantize(64, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    palette = chunk(b"PLTE", bytes(indexed.getpalette()[: 64 * 3]))
    index = np.asarray(indexed)

    write("small-bgr.png", png(rgb, RGB))
    write("small-bgra.png", png(rgba, RGBA))
    write("small-gray.png", png(gray, GRAY))
    write("small-gray-alpha.png", png(np.dstack([gray, alpha]), GRAY_ALPHA))
    write("small-gray16.png", png(gray16, GRAY, 16))
    write("small-bgr16.png", png(rgba16[..., :3], RGB, 16))
    write("small-bgra16.png", png(rgba16, RGBA, 16))
    write("small-palette.png", png(index, PALETTE, chunks=palette))
    opacity = chunk(b"tRNS", bytes(range(0, 256, 4)))
    write("small-palette-trns.png", png(index, PALETTE, chunks=palette + opacity))
    write("small-1bit.png", png((gray > 96).astype(np.uint8), GRAY, 1))
    write("small-interlaced.png", png(rgb, RGB, interlaced=True))
    write("orientation-6.png", png(np.asarray(photo.transpose(STORED[6])), RGB, chunks=png_exif(6)))
    turned = np.asarray(Image.fromarray(rgba).transpose(STORED[8]))
    write("orientation-8-bgra.png", png(turned, RGBA, chunks=png_exif(8)))
    write("row.png", png(np.resize(rgb, (1, 301, 3)), RGB))
    write("column.png", png(np.resize(rgb, (301, 1, 3)), RGB))
    write("one-pixel.png", png(rgb[20:21, 20:21], RGB))
    write("ünï code 猫.png", png(rgb[:, ::-1], RGB))


def make_others(photo: Image.Image, alpha: np.ndarray) -> None:
    rgb = np.asarray(photo)
    gray = photo.convert("L")
    with_alpha = Image.fromarray(np.dstack([rgb, alpha]))
    bgr16 = rgb[..., ::-1].astype(np.uint16) * 257
    floats = rgb[..., ::-1].astype(np.float32) / 170 - np.float32(0.25)  # beyond 0 and 1 at both ends

    write("small-bgr.bmp", encoded(photo, "BMP"))
    write("small-bgra.bmp", by_opencv(".bmp", np.dstack([rgb[..., ::-1], alpha])))
    write("small-bgrx.bmp", encoded(with_alpha, "BMP"))  # 32 bits a pixel and no alpha mask: the last 8 mean nothing
    write("small-gray.bmp", encoded(gray, "BMP"))
    write("small-lossy.webp", encoded(photo, "WEBP", quality=80))
    write("small-lossless-bgra.webp", encoded(with_alpha, "WEBP", lossless=True, exact=True))
    write("small-bgr.tif", encoded(photo, "TIFF", compression="tiff_lzw"))
    write("small-bgra.tif", encoded(with_alpha, "TIFF", compression="tiff_adobe_deflate"))
    write("small-gray.tif", encoded(gray, "TIFF"))
    write("small-bgr16.tif", by_opencv(".tiff", bgr16))
    write("small-gray16.tif", by_opencv(".tiff", bgr16[..., 1]))
    write("small-bgr-f32.tif", by_opencv(".tiff", floats))
    write("small-gray-f32.tif", by_opencv(".tiff", floats[..., 1]))
    write("small-gray-f64.tif", by_opencv(".tiff", floats[..., 1].astype(np.float64)))
    write("small.ppm", encoded(photo, "PPM"))
    write("small.pgm", encoded(gray, "PPM"))
    write("small.pbm", encoded(gray.point(lambda v: 255 * (v > 96), "1"), "PPM"))
    write("small16.pgm", b"P5 67 43 65535\n" + (np.asarray(gray).astype(">u2") * 257).tobytes())


def tiff(pixels: np.ndarray, planes: bool = False, without: tuple[int, ...] = (), **more: int) -> bytes:
    """Returns an uncompressed RGB or RGBA TIFF of one strip, or of one for each plane. cv2 and Pillow write none such.

    without: tags that are left out. more: further tags of a kind's first letter and its number, s262=2 or l256=67.
    """
    height, width, samples = pixels.shape
    bits, format_ = pixels.dtype.itemsize * 8, 3 if pixels.dtype.kind == "f" else 1
    parts = [pixels[..., i].tobytes() for i in range(samples)] if planes else [pixels.tobytes()]
    starts = [8 + sum(map(len, parts[:i])) for i in range(len(parts))]
    tags = {
        256: ("I", [width]), 257: ("I", [height]), 258: ("H", [bits] * samples), 259: ("H", [1]), 262: ("H", [2]),
        273: ("I", starts), 277: ("H", [samples]), 278: ("I", [height]), 279: ("I", [len(part) for part in parts]),
        284: ("H", [2 if planes else 1]), 339: ("H", [format_] * samples),
    }  # fmt: skip
    for name, value in more.items():
        tags[int(name[1:])] = ({"s": "H", "l": "I"}[name[0]], [value])
    kept = {tag: value for tag, value in sorted(tags.items()) if tag not in without}
    at = 8 + sum(map(len, parts))
    directory, behind = struct.pack("<H", len(kept)), at + 2 + 12 * len(kept) + 4
    values = b""
    for tag, (kind, numbers) in kept.items():
        packed = struct.pack(f"<{len(numbers)}{kind}", *numbers)
        head = struct.pack("<HHI", tag, 3 if kind == "H" else 4, len(numbers))
        if len(packed) > 4:
            directory += head + struct.pack("<I", behind + len(values))
            values += packed
        else:
            directory += head + packed.ljust(4, b"\0")
    return b"II*\0" + struct.pack("<I", at) + b"".join(parts) + directory + bytes(4) + values


def make_unusual(photo: Image.Image, alpha: np.ndarray) -> None:
    rgb = np.asarray(photo.crop((0, 0, 19, 13)))
    rgba = np.dstack([rgb, alpha[:13, :19] + 7])
    rgb16, floats = rgb.astype(np.uint16) * 257, rgb.astype(np.float32) / 255
    write("unusual/planes.tif", tiff(rgb, planes=True))
    write("unusual/planes-16bit.tif", tiff(rgb16, planes=True))
    write("unusual/planes-float.tif", tiff(floats, planes=True))
    write("unusual/no-samples.tif", tiff(rgb16, without=(277,)))
    write("unusual/alpha-unassociated-16bit.tif", tiff(rgba.astype(np.uint16) * 257, s338=2))
    write("unusual/alpha-associated.tif", tiff(rgba, s338=1))
    huge = tiff(rgb, without=(273, 278, 279), l322=16000, l323=16000, l324=8, l325=741)
    write("unusual/huge-tile.tif", huge)
    write("unusual/strip-of-more-rows.tif", tiff(rgb, l278=1 << 24))
    whole = np.asarray(photo)[..., ::-1]
    write("unusual/bgr.jp2", by_opencv(".jp2", whole))
    write("unusual/gray-16bit.jp2", by_opencv(".jp2", whole[..., 1].astype(np.uint16) * 257))
    write("unusual/bgra.jp2", by_opencv(".jp2", np.dstack([whole, alpha])))
    write("unusual/bgr.pfm", by_opencv(".pfm", floats[..., ::-1]))
    write("unusual/gray.pfm", by_opencv(".pfm", floats[..., 1]))


def after(data: bytes, marker: bytes) -> int:
    """Returns the index of the first byte after a marker."""
    return data.index(marker) + len(marker)


def make_bad() -> None:
    read = {
        name: (HERE / name).read_bytes()
        for name in [
            "small.jpg",
            "small-progressive.jpg",
            "small-bgr.png",
            "small-bgr.bmp",
            "small-lossy.webp",
            "small-bgr.tif",
            "small-gray.tif",
            "small.ppm",
        ]
    }
    jpeg, picture = read["small.jpg"], read["small-bgr.png"]

    write("empty.jpg", b"")
    write("empty.png", b"")
    write("not-an-image.png", b"This is a text file, whatever its name says.\n" * 3)

    write("truncated.jpg", jpeg[: len(jpeg) * 3 // 5])
    write("truncated-progressive.jpg", read["small-progressive.jpg"][: len(read["small-progressive.jpg"]) * 3 // 5])
    write("truncated.png", picture[: len(picture) * 3 // 5])
    for name in ["small-bgr.bmp", "small-lossy.webp", "small-gray.tif", "small.ppm"]:
        write("truncated" + Path(name).suffix, read[name][: len(read[name]) * 3 // 5])

    # The entropy-coded data begins after the scan header, which starts with its length. Unused markers in the middle of
    # the data are damage that every decoder sees. A decoder goes on after the markers, with a warning and wrong pixels.
    scan = after(jpeg, b"\xff\xda")
    scan += int.from_bytes(jpeg[scan : scan + 2])
    write("header-only.jpg", jpeg[:scan])
    middle = (scan + len(jpeg)) // 2
    write("corrupt.jpg", jpeg[:middle] + b"\xff\x02\x55\xaa" * 8 + jpeg[middle + 32 :])

    data = after(picture, b"IDAT")
    write("header-only.png", picture[: data - 8])
    write("signature-only.png", picture[:8])
    write("signature-only.jpg", jpeg[:3])
    length = int.from_bytes(picture[data - 8 : data - 4])
    flipped = bytes([picture[data + length] ^ 1])
    write("corrupt.png", picture[: data + length] + flipped + picture[data + length + 1 :])
    broken = bytearray(picture[data : data + length])
    broken[length // 2 : length // 2 + 16] = b"\xff" * 16
    write("corrupt-deflate.png", picture[: data - 8] + chunk(b"IDAT", bytes(broken)) + chunk(b"IEND", b""))

    write("header-only.bmp", read["small-bgr.bmp"][:54])
    write("header-only.webp", read["small-lossy.webp"][:40])
    write("header-only.ppm", read["small.ppm"][: after(read["small.ppm"], b"255\n")])
    tif = read["small-gray.tif"]
    require(tif[:8] == b"II*\0\x08\0\0\0", "small-gray.tif: the directory is not ahead of the pixels")
    write("header-only.tif", tif[: len(tif) - SMALL[0] * SMALL[1]])

    # Bombs: files whose header promises far more pixels than the file contains.
    tiny = chunk(b"IDAT", zlib.compress(bytes(64), 9)) + chunk(b"IEND", b"")
    for name, side in [("bomb.png", 100_000), ("large.png", 20_000)]:
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, RGB, 0, 0, 0))
        write(name, b"\x89PNG\r\n\x1a\n" + header + tiny)
    frame = after(jpeg, b"\xff\xc0") + 3  # after the marker: length (2), precision (1), height (2), width (2)
    write("bomb.jpg", jpeg[:frame] + struct.pack(">HH", 65_500, 65_500) + jpeg[frame + 4 :])


def make() -> None:
    photo = Image.open(HERE / "photograph.jpg").convert("RGB").resize(SMALL, Image.Resampling.LANCZOS)
    # The opacity runs from 0 to 255 along the diagonal, both ends included.
    y, x = np.mgrid[0 : SMALL[1], 0 : SMALL[0]]
    alpha = (255 * (x + y) // (SMALL[0] + SMALL[1] - 2)).astype(np.uint8)
    make_patches()
    make_jpegs(photo)
    make_pngs(photo, alpha)
    make_others(photo, alpha)
    make_bad()
    make_unusual(photo, alpha)
