"""Transforms agree with cv2 bit for bit, from one segment to another and in place."""

from __future__ import annotations

import os
import platform
import sys

import cv2
import numpy as np
import pytest
from support import FLAGS, PHOTOGRAPH, TESTDATA, crc32, vectors

import shmcv
from shmcv import ColorOrder, Depth, FlipCode, ImageInfo, Interpolation, RotateCode


@pytest.mark.parametrize("columns", vectors("flip"), ids=" ".join)
def test_flip(columns, create):
    file, flag, flip, checksum = columns
    size = shmcv.probe(TESTDATA / file, FLAGS[flag]).size
    source, target = create(size), create(size)
    image = source.load(TESTDATA / file, FLAGS[flag])
    source.flip_into(target, int(flip))
    assert (target.image, crc32(target.array)) == (image, checksum)
    source.flip(int(flip))
    assert (source.image, crc32(source.array)) == (image, checksum)


@pytest.mark.parametrize("columns", vectors("resize"), ids=" ".join)
def test_resize(columns, create):
    file, flag, *numbers, checksum = columns
    width, height, interpolation = map(int, numbers)
    source, target = create(shmcv.probe(TESTDATA / file, FLAGS[flag]).size), create(width * height * 16)
    image = source.load(TESTDATA / file, FLAGS[flag])
    source.resize_into(target, width, height, interpolation)
    assert (target.image, crc32(target.array)) == (ImageInfo(width, height, image.order, image.depth), checksum)


@pytest.mark.parametrize("columns", vectors("rotate"), ids=" ".join)
def test_rotate(columns, create):
    file, flag, turn, checksum = columns
    size = shmcv.probe(TESTDATA / file, FLAGS[flag]).size
    source, target = create(size), create(size)
    source.load(TESTDATA / file, FLAGS[flag])
    source.rotate_into(target, int(turn))
    assert crc32(target.array) == checksum
    source.rotate(int(turn))
    assert (source.image, crc32(source.array)) == (target.image, checksum)


@pytest.mark.usefixtures("cv2_without_ipp")
@pytest.mark.parametrize("depth", Depth, ids=lambda depth: depth.name)
@pytest.mark.parametrize("order", [ColorOrder.GRAY, ColorOrder.BGR, ColorOrder.RGBA], ids=lambda order: order.name)
def test_every_kind_is_resized_and_turned_as_by_cv2(depth, order, create):
    # cv2's compiler for another system or processor may sum floats up in another order or precision.
    same_compiler = sys.platform == "linux" and platform.machine() == "x86_64"
    tolerance = 0 if same_compiler else 1 if depth != Depth.F32 else 1e-3
    image = ImageInfo(61, 37, order, depth, 61 * 16 + 20)
    random = np.random.default_rng(5).integers(0, 256, image.shape).astype(image.dtype)
    source, target = create(image=image), create(200 * 100 * 16)
    source.array[:] = random
    for width, height in [(20, 12), (30, 74), (200, 100), (61, 37), (1, 1)]:
        for interpolation in Interpolation:
            source.resize_into(target, width, height, interpolation)
            wanted = cv2.resize(random, (width, height), interpolation=int(interpolation))
            what = f"{width} x {height} {interpolation.name}"
            np.testing.assert_allclose(target.array.astype(float), wanted, rtol=0, atol=tolerance, err_msg=what)
    for turn in RotateCode:
        source.rotate_into(target, turn)
        np.testing.assert_array_equal(target.array, cv2.rotate(random, int(turn)))


def test_resize_is_linear_unless_told_otherwise(create):
    source, target = create(image=ImageInfo(8, 8)), create(300)
    source.array[:] = np.arange(192, dtype=np.uint8).reshape(8, 8, 3)
    source.resize_into(target, 3, 5)
    np.testing.assert_array_equal(target.array, cv2.resize(source.read(), (3, 5)))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((0, 4), "width"),
        ((4, 0), "height"),
        ((-1, 4), "width -1"),
        ((4, 2**32), "height 4294967296"),
        ((2, 2, 5), "interpolation 5"),
        ((2, 2, -1), "interpolation -1"),
        ((2, 2, 2**32), "interpolation 4294967296"),
    ],
)
def test_another_size_or_interpolation_is_refused(arguments, words, create):
    source, target = create(image=ImageInfo(4, 4)), create(image=ImageInfo(4, 4))
    target.array[:] = 9
    with pytest.raises(shmcv.InvalidError, match=words):
        source.resize_into(target, *arguments)
    assert (target.array == 9).all()


@pytest.mark.parametrize("turn", [3, -1, 2**32])
def test_another_turn_is_refused(turn, create):
    segment = create(image=ImageInfo(4, 4))
    with pytest.raises(shmcv.InvalidError, match=f"code {turn}"):
        segment.rotate(turn)


def test_resizing_in_place_is_refused(create):
    segment = create(image=ImageInfo(4, 4))
    with pytest.raises(shmcv.InvalidError, match="overlap"):
        segment.resize_into(segment, 2, 2)


@pytest.mark.parametrize("flip", FlipCode, ids=lambda flip: flip.name)
def test_the_photograph_is_flipped_as_by_cv2(flip, create):
    source, target = create(3840 * 2160 * 3), create(3840 * 2160 * 3)
    source.load(PHOTOGRAPH)
    source.flip_into(target, flip)
    np.testing.assert_array_equal(target.array, cv2.flip(cv2.imread(os.fspath(PHOTOGRAPH)), flip))


@pytest.mark.parametrize("width", [1, 2, 3, 15, 16, 17, 31, 32, 33, 64, 67, 257])
@pytest.mark.parametrize("depth", Depth, ids=lambda depth: depth.name)
@pytest.mark.parametrize("order", [ColorOrder.GRAY, ColorOrder.BGR, ColorOrder.RGBA], ids=lambda order: order.name)
def test_every_width_is_flipped_as_by_cv2_gaps_or_not(width, depth, order, create):
    image = ImageInfo(width, 5, order, depth, (width + 3) * 4 * 4)
    random = np.random.default_rng(width).integers(0, 256, image.shape).astype(image.dtype)
    source, target = create(image=image), create(image.size)
    for flip in FlipCode:
        source.array[:] = random
        source.flip_into(target, flip)
        np.testing.assert_array_equal(target.array, cv2.flip(random, flip))
        assert target.image == ImageInfo(width, 5, order, depth)
        source.flip(flip)
        np.testing.assert_array_equal(source.array, cv2.flip(random, flip))
        assert source.image == image


@pytest.mark.parametrize("flip", [2, -2, 100, 2**31 - 1, 2**32, 2**32 + 1, -(2**40)])
def test_another_flip_code_is_refused(flip, create):
    segment = create(image=ImageInfo(4, 4))
    segment.array[1, 2] = 200
    before = segment.read()
    with pytest.raises(shmcv.InvalidError, match=str(flip)):
        segment.flip(flip)
    np.testing.assert_array_equal(segment.array, before)


def test_a_target_that_is_too_small_says_so_and_keeps_its_image(create):
    source, target = create(image=ImageInfo(20, 20)), create(image=ImageInfo(4, 4))
    target.array[:] = 9
    for use in (lambda: source.flip_into(target, 1), lambda: source.convert_into(target, ColorOrder.BGRA)):
        with pytest.raises(shmcv.TooSmallError, match=r"1200|1600"):
            use()
    assert target.image == ImageInfo(4, 4)
    assert (target.array == 9).all()


def test_flipping_into_another_handle_of_the_same_segment_is_in_place(create):
    segment = create(image=ImageInfo(9, 5))
    random = np.random.default_rng(1).integers(0, 256, segment.array.shape, np.uint8)
    segment.array[:] = random
    with shmcv.Segment.open(segment.name) as other:
        segment.flip_into(other, FlipCode.BOTH)
    np.testing.assert_array_equal(segment.array, cv2.flip(random, -1))


CONVERSIONS = {
    ("BGR", "GRAY"): cv2.COLOR_BGR2GRAY,
    ("BGR", "BGRA"): cv2.COLOR_BGR2BGRA,
    ("BGR", "RGB"): cv2.COLOR_BGR2RGB,
    ("BGR", "RGBA"): cv2.COLOR_BGR2RGBA,
    ("BGRA", "GRAY"): cv2.COLOR_BGRA2GRAY,
    ("BGRA", "BGR"): cv2.COLOR_BGRA2BGR,
    ("BGRA", "RGB"): cv2.COLOR_BGRA2RGB,
    ("BGRA", "RGBA"): cv2.COLOR_BGRA2RGBA,
    ("RGB", "GRAY"): cv2.COLOR_RGB2GRAY,
    ("RGB", "BGR"): cv2.COLOR_RGB2BGR,
    ("RGBA", "GRAY"): cv2.COLOR_RGBA2GRAY,
    ("RGBA", "BGRA"): cv2.COLOR_RGBA2BGRA,
    ("GRAY", "BGR"): cv2.COLOR_GRAY2BGR,
    ("GRAY", "RGBA"): cv2.COLOR_GRAY2RGBA,
}


@pytest.mark.usefixtures("cv2_without_ipp")
@pytest.mark.parametrize("in_place", [False, True], ids=["into another", "in place"])
@pytest.mark.parametrize("depth", Depth, ids=lambda depth: depth.name)
@pytest.mark.parametrize(("source", "target"), CONVERSIONS, ids=str)
def test_colours_are_converted_as_by_cv2(source, target, depth, in_place, create):
    image = ImageInfo(67, 43, ColorOrder[source], depth)
    random = np.random.default_rng(3).integers(0, 256, image.shape).astype(image.dtype)
    one = create(67 * 43 * 16)
    other = one if in_place else create(67 * 43 * 16)
    one.write(random, image.order)
    one.convert_into(other, ColorOrder[target])
    wanted = cv2.cvtColor(random, CONVERSIONS[source, target])
    if depth == Depth.F32 and wanted.shape[-1] == 4 and len(wanted.shape) == 3 and "A" not in source:
        assert (other.array[..., 3] == 1).all()  # opaque
    np.testing.assert_array_equal(other.array, wanted)
    assert other.image == ImageInfo(67, 43, ColorOrder[target], depth)


@pytest.mark.parametrize("order", [0, 6, -1, 2**32 + 2])
def test_an_unknown_colour_order_is_refused(order, create):
    segment = create(image=ImageInfo(4, 4))
    with pytest.raises(shmcv.InvalidError):
        segment.convert_into(segment, order)
    assert segment.image == ImageInfo(4, 4)
