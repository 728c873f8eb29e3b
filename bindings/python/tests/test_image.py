"""Images: descriptions of pixels, and copying pixels in and out."""

from __future__ import annotations

import ctypes

import cv2
import numpy as np
import pytest
from support import code, vectors

import shmcv
from shmcv import ColorOrder, Depth, ImageInfo
from shmcv._check import check
from shmcv._library import library
from shmcv._native import ShmcvImageInfo
from shmcv.image import describe


def random_pixels(shape, dtype=np.uint8):
    values = np.random.default_rng(7).integers(0, 256, shape)
    return (
        values.astype(np.float32) / 255
        if dtype == np.float32
        else (values * (257 if dtype == np.uint16 else 1)).astype(dtype)
    )


@pytest.mark.parametrize(
    ("image", "shape", "dtype", "strides", "size"),
    [
        (ImageInfo(67, 43), (43, 67, 3), "u1", (201, 3, 1), 8643),
        (ImageInfo(67, 43, ColorOrder.GRAY), (43, 67), "u1", (67, 1), 2881),
        (ImageInfo(67, 43, ColorOrder.RGBA, Depth.U16), (43, 67, 4), "u2", (536, 8, 2), 23048),
        (ImageInfo(67, 43, ColorOrder.GRAY, Depth.F32, 512), (43, 67), "f4", (512, 4), 42 * 512 + 268),
        (ImageInfo(1, 1, stride=100), (1, 1, 3), "u1", (100, 3, 1), 3),
    ],
)
def test_an_image_tells_numpy_what_it_is(image, shape, dtype, strides, size, create):
    assert (image.shape, image.dtype, image.strides, image.size) == (shape, np.dtype(dtype), strides, size)
    segment = create(image=image)
    array = segment.array
    assert (array.shape, array.dtype, array.strides) == (shape, np.dtype(dtype), strides)
    assert array.flags.writeable
    array[-1, -1] = 200
    assert np.frombuffer(segment.buffer[: image.size], np.uint8)[-array.itemsize :].any()
    array[-1, -1] = 0
    assert not any(segment.buffer)


def test_equal_images_are_equal_however_they_were_spelled():
    assert (
        ImageInfo(67, 43, 2, 1)
        == ImageInfo(67, 43, ColorOrder.BGR, Depth.U8, 201)
        == ImageInfo(np.int64(67), np.uint8(43))
    )
    assert ImageInfo(67, 43, stride=204) != ImageInfo(67, 43)


@pytest.mark.parametrize(
    ("image", "pixel_size", "row_size", "packed", "has_alpha"),
    [
        (ImageInfo(67, 43), 3, 201, True, False),
        (ImageInfo(67, 43, stride=202), 3, 201, False, False),
        (ImageInfo(67, 43, ColorOrder.GRAY, Depth.F32), 4, 268, True, False),
        (ImageInfo(67, 43, ColorOrder.RGBA, Depth.U16, 600), 8, 536, False, True),
        (ImageInfo(67, 43, ColorOrder.BGRA), 4, 268, True, True),
    ],
)
def test_an_image_tells_its_sizes(image, pixel_size, row_size, packed, has_alpha):
    assert (image.pixel_size, image.row_size) == (pixel_size, row_size)
    assert (image.packed, image.has_alpha) == (packed, has_alpha)
    size = ctypes.c_uint64()
    assert library().shmcv_image_size(ctypes.byref(image._to_native()), ctypes.byref(size)) == shmcv.ErrorCode.OK
    assert image.size == size.value


@pytest.mark.parametrize("field", ["width", "height", "stride"])
@pytest.mark.parametrize("value", [-1, 2**64, -(2**64) + 5])
def test_numbers_that_c_would_cut_are_refused(field, value):
    with pytest.raises(shmcv.InvalidError, match=f"{field}.*{value}"):
        ImageInfo(**{"width": 5, "height": 5, field: value})


def test_orders_and_depths_that_do_not_exist_are_refused_by_name():
    with pytest.raises(ValueError, match=r"colour order 9.*BGRA"):
        ImageInfo(5, 5, 9)
    with pytest.raises(ValueError, match=r"depth 0.*F32"):
        ImageInfo(5, 5, depth=0)


@pytest.mark.parametrize("columns", vectors("geometry"), ids="-".join)
def test_geometry(columns, create):
    width, height, channels, depth, order, stride, size = map(int, columns[:7])
    result, stored = columns[7:]
    segment = create(size)
    native = ShmcvImageInfo(width=width, height=height, channels=channels, depth=depth, order=order, stride=stride)
    status = library().shmcv_image_set(segment._handle, native)
    assert shmcv.ErrorCode(status) == code(result)
    if result == "OK":
        assert segment.image.stride == int(stored)
        return
    with pytest.raises(shmcv.ShmcvError):
        check(status)
    with pytest.raises(shmcv.NoImageError):
        _ = segment.image


def test_a_reserved_field_must_be_zero(create):
    native = ImageInfo(4, 4)._to_native()
    native.reserved1[3] = 1
    with pytest.raises(shmcv.InvalidError, match="reserved"):
        check(library().shmcv_image_set(create(1000)._handle, native))


def test_a_segment_has_no_image_before_one_is_stored(create, tmp_path):
    segment, other = create(1000), create(1000)
    uses = [
        lambda: segment.image,
        lambda: segment.array,
        lambda: segment.read(),
        lambda: segment.save(tmp_path / "x.png"),
        lambda: segment.flip(1),
        lambda: segment.flip_into(other, 1),
        lambda: segment.convert_into(other, ColorOrder.GRAY),
    ]
    for use in uses:
        with pytest.raises(shmcv.NoImageError):
            use()
    assert segment.info.image is None


def test_an_image_that_does_not_fit_says_what_it_needs(create):
    segment = create(1000)
    with pytest.raises(shmcv.TooSmallError, match=r"1200.*1000"):
        segment.image = ImageInfo(20, 20)
    with pytest.raises(shmcv.NoImageError):
        _ = segment.image


def test_another_process_of_mind_sees_a_new_description_at_once(create):
    segment = create(1000)
    with shmcv.Segment.open(segment.name) as other:
        segment.image = ImageInfo(10, 10, ColorOrder.RGB)
        assert other.image == segment.image


SHAPES = [(11, 13), (11, 13, 1), (11, 13, 3), (11, 13, 4), (1, 13, 3), (11, 1, 3), (1, 1)]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_what_is_written_is_read(shape, dtype, create):
    pixels = random_pixels(shape, dtype)
    segment = create(11 * 13 * 4 * 4)
    image = segment.write(pixels)
    assert image == segment.image == ImageInfo.of(pixels)
    np.testing.assert_array_equal(segment.array, pixels.reshape(image.shape))
    np.testing.assert_array_equal(segment.read(), pixels.reshape(image.shape))


VIEWS = {
    "mirrored": lambda a: a[:, ::-1],
    "upside down": lambda a: a[::-1],
    "every second pixel": lambda a: a[:, ::2],
    "every second row": lambda a: a[::2],
    "a part": lambda a: a[2:9, 3:10],
    "transposed": lambda a: a.swapaxes(0, 1),
    "other channels": lambda a: a[..., ::-1],
    "one row for all": lambda a: np.broadcast_to(a[:1], a.shape),
    "Fortran's order": np.asfortranarray,
    "the other byte order": lambda a: a.astype(a.dtype.newbyteorder()),
    "unaligned": lambda a: np.frombuffer(b"x" + a.tobytes(), a.dtype, offset=1).reshape(a.shape),
    "read-only": lambda a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
}


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_arrays_are_written_whatever_their_strides(view, dtype, create):
    pixels = view(random_pixels((12, 14, 3), dtype))
    segment = create(12 * 14 * 3 * 4)
    segment.write(pixels)
    np.testing.assert_array_equal(segment.array, pixels)


def test_arrays_are_copied_first_only_where_they_must():
    pixels = random_pixels((12, 14, 3), np.uint16)
    for plain in (pixels, pixels[3:, 2:], pixels[::2], pixels[:, :, :3], random_pixels((5, 7, 1)), pixels[:, :7]):
        image, described = describe(plain, None)
        assert np.may_share_memory(described, plain)
        assert (image.shape, image.strides) == (described.shape, described.strides)
    for odd in VIEWS["mirrored"], VIEWS["unaligned"], VIEWS["the other byte order"], VIEWS["one row for all"]:
        image, described = describe(odd(pixels), None)
        assert (described.flags.c_contiguous, described.flags.aligned, described.dtype.isnative) == (True, True, True)
        np.testing.assert_array_equal(described, odd(pixels))


def test_a_segment_can_be_written_from_its_own_array(create):
    pixels = random_pixels((12, 14, 3))
    segment = create(12 * 14 * 4)
    segment.write(pixels)
    segment.write(segment.array, stored=ColorOrder.BGRA)
    np.testing.assert_array_equal(segment.array, cv2.cvtColor(pixels, cv2.COLOR_BGR2BGRA))


def test_reading_honours_a_stride(create):
    image = ImageInfo(5, 4, stride=32)
    segment = create(image=image)
    pixels = random_pixels(image.shape)
    segment.array[:] = pixels
    assert segment.read().flags.c_contiguous
    np.testing.assert_array_equal(segment.read(), pixels)


@pytest.mark.usefixtures("cv2_without_ipp")
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_colours_are_converted_on_the_way_as_cv2_does(dtype, create):
    bgr = random_pixels((11, 13, 3), dtype)
    segment = create(11 * 13 * 4 * 4)
    segment.write(bgr)
    conversions = {
        ColorOrder.GRAY: cv2.COLOR_BGR2GRAY,
        ColorOrder.RGB: cv2.COLOR_BGR2RGB,
        ColorOrder.BGRA: cv2.COLOR_BGR2BGRA,
        ColorOrder.RGBA: cv2.COLOR_BGR2RGBA,
    }
    for order, conversion in conversions.items():
        np.testing.assert_array_equal(segment.read(order), cv2.cvtColor(bgr, conversion))
    segment.write(bgr[..., ::-1], ColorOrder.RGB, ColorOrder.BGR)
    assert segment.image.order == ColorOrder.BGR
    np.testing.assert_array_equal(segment.array, bgr)


def test_a_buffer_that_is_too_small_is_refused_before_it_is_touched(create):
    segment = create(1000, image=ImageInfo(4, 4))
    segment.array[:] = 9
    layout, pixels = ctypes.byref(ImageInfo(4, 4, stride=20)._to_native()), np.zeros(72, np.uint8)
    assert library().shmcv_read(segment._handle, layout, pixels.ctypes.data, 71, None) == shmcv.ErrorCode.TOO_SMALL
    assert not pixels.any()
    assert library().shmcv_write(segment._handle, layout, pixels.ctypes.data, 71, 2) == shmcv.ErrorCode.TOO_SMALL
    assert (segment.array == 9).all()
    assert library().shmcv_read(segment._handle, layout, pixels.ctypes.data, 72, None) == shmcv.ErrorCode.OK
    assert pixels[:12].all()
    assert not pixels[12:20].any()
    assert library().shmcv_write(segment._handle, layout, pixels.ctypes.data, 72, 2) == shmcv.ErrorCode.OK


def test_writing_what_is_no_image_leaves_the_old_one(create):
    segment = create(300)
    old = random_pixels((10, 10, 3))
    segment.write(old)
    bad = {
        "shape": np.zeros(10, np.uint8),
        "channels": np.zeros((4, 4, 2), np.uint8),
        "int64": np.zeros((4, 4), np.int64),
        "0 x 5": np.zeros((5, 0), np.uint8),
    }
    for words, array in bad.items():
        with pytest.raises(shmcv.InvalidError, match=words):
            segment.write(array)
    with pytest.raises(shmcv.InvalidError, match="channels"):
        segment.write(np.zeros((4, 4, 3), np.uint8), ColorOrder.RGBA)
    with pytest.raises(shmcv.TooSmallError, match="363"):
        segment.write(np.zeros((11, 11, 3), np.uint8))
    np.testing.assert_array_equal(segment.array, old)
