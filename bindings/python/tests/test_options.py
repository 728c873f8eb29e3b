"""Load options: a part of a file's image, a smaller one, or another order of its channels."""

from __future__ import annotations

import io
import os

import cv2
import numpy as np
import pytest
from support import FLAGS, PHOTOGRAPH, TESTDATA, Geometry, code, options, vectors

import shmcv

ROWS = [row for row in vectors("options") if options(row[2]) is not None]
SMALL = TESTDATA / "small-bgra.png"


@pytest.mark.parametrize("columns", ROWS, ids=lambda columns: " ".join(columns[:4]))
def test_options(columns, create):
    file, flag, fields, result, *geometry = columns
    path, flags, given = TESTDATA / file, FLAGS[flag], options(fields)
    if result != "OK":
        refused(path, flags, given, code(result), create)
        return
    probed = shmcv.probe(path, flags, **given)
    segment = create(probed.size)
    assert segment.load(path, flags, **given) == probed == segment.image
    assert Geometry.of(segment) == Geometry.parse(tuple(geometry))
    pixels = segment.array.copy()
    segment.array[:] = 0
    data = path.read_bytes()
    assert shmcv.probe_bytes(data, flags, **given) == probed
    assert segment.decode(io.BytesIO(data), flags, **given) == probed
    np.testing.assert_array_equal(segment.array, pixels)


def refused(path, flags, given, wanted, create):
    segment = create(1 << 16)
    segment.image = old = shmcv.ImageInfo(256, 256, shmcv.ColorOrder.GRAY)
    segment.array[:] = 55
    with pytest.raises(shmcv.ShmcvError) as caught:
        segment.load(path, flags, **given)
    assert caught.value.code == wanted
    assert segment.image == old
    assert (segment.array == 55).all()
    if path.is_file() and path.stat().st_size:
        with pytest.raises(shmcv.ShmcvError) as caught:
            segment.decode(path.read_bytes(), flags, **given)
        assert caught.value.code == wanted


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_a_scaled_photograph_is_cv2s(scale, create):
    reduced = {2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}[scale]
    wanted = cv2.imread(os.fspath(PHOTOGRAPH), reduced)
    segment = create(wanted.nbytes)
    segment.load(PHOTOGRAPH, scale=scale)
    np.testing.assert_array_equal(segment.array, wanted)


def test_a_region_is_a_slice(create):
    whole = cv2.imread(os.fspath(SMALL))
    segment = create(1 << 14)
    segment.load(SMALL, region=(5, 3, 30, 25), order=shmcv.ColorOrder.RGB)
    np.testing.assert_array_equal(segment.array, whole[3:28, 5:35, ::-1])


def test_from_file_makes_a_segment_of_the_options_size(name):
    options = {"size": (320, 0), "order": shmcv.ColorOrder.BGRA}
    with shmcv.Segment.from_file(name, PHOTOGRAPH, clear_on_close=True, **options) as made:
        assert made.image == shmcv.ImageInfo(320, 180, shmcv.ColorOrder.BGRA)
        assert made.size == 320 * 180 * 4


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"scale": 2, "size": (5, 0)}, "scale 2 and width 5"),
        ({"scale": 3}, "scale 3"),
        ({"scale": -2}, "scale -2"),
        ({"size": (0, 0)}, "size"),
        ({"size": (-1, 5)}, "size -1"),
        ({"size": (5,)}, r"size has 1 numbers; it is \(width, height\)"),
        ({"region": (0, 0, 0, 0)}, "region"),
        ({"region": (1, 1, 5, 0)}, "region"),
        ({"region": (-1, 0, 5, 5)}, "region -1"),
        ({"region": (60, 0, 8, 1)}, "x 60 and region_width 8"),
        ({"region": (0, 0, 5)}, "region has 3 numbers"),
        ({"order": 9}, "order 9"),
        ({"size": (5, 5), "interpolation": shmcv.Interpolation.NEAREST}, "NEAREST_EXACT"),
        ({"interpolation": shmcv.Interpolation.AREA}, "interpolation 3 without width or height"),
        ({"flags": shmcv.LoadFlags.GRAY, "order": shmcv.ColorOrder.RGB}, "flags 0 and order 4"),
    ],
)
def test_what_contradicts_itself_is_named(given, words, create):
    segment = create(1 << 16)
    with pytest.raises(shmcv.InvalidError, match=words):
        segment.load(SMALL, **given)
    with pytest.raises(shmcv.InvalidError, match=words):
        shmcv.probe(SMALL, **given)
    with pytest.raises(shmcv.InvalidError, match=words):
        segment.decode(SMALL.read_bytes(), **given)


def test_an_unknown_option_is_a_type_error(create):
    with pytest.raises(TypeError, match="scael"):
        create(1 << 16).load(SMALL, scael=2)
