"""Pixels among Python's own things: what is taken for an array, and what numpy and notebooks see in a segment."""

from __future__ import annotations

import errno
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image
import pytest
from support import PHOTOGRAPH, TESTDATA
from system import WINDOWS, present
from system_linux import SHM

import shmcv

SQUARE = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)


class WithArray:
    """What many libraries have: an object that gives numpy an array."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return SQUARE


class Unknown:
    """Nothing that numpy takes."""


TAKEN: dict[str, tuple[Any, np.ndarray]] = {
    "list": ([[1, 2], [3, 255]], np.array([[1, 2], [3, 255]], np.uint8)),
    "tuple of lists": (([0, 1, 2],), np.array([[0, 1, 2]], np.uint8)),
    "list of pixels": (SQUARE.tolist(), SQUARE),
    "list of arrays": (list(SQUARE), SQUARE),
    "memoryview": (memoryview(SQUARE), SQUARE),
    "object with __array__": (WithArray(), SQUARE),
    "16 bits": (SQUARE.astype(np.uint16) * 100, SQUARE.astype(np.uint16) * 100),
}


@pytest.mark.parametrize("what", TAKEN)
def test_what_numpy_takes_is_taken(what: str, name: str) -> None:
    value, wanted = TAKEN[what]
    with shmcv.Segment.from_array(name, value, clear_on_close=True) as segment:
        np.testing.assert_array_equal(segment.array, wanted)
        assert segment.array.dtype == wanted.dtype
        segment.array[:] = 0
        segment.write(value)
        np.testing.assert_array_equal(segment.array, wanted)
        assert shmcv.ImageInfo.of(value) == segment.image


REFUSED = {
    "bytes": (b"1234", TypeError, r"bytes.*no shape.*frombuffer"),
    "bytearray": (bytearray(16), TypeError, r"bytearray.*no shape.*frombuffer"),
    "None": (None, TypeError, "NoneType"),
    "str": ("photograph.jpg", TypeError, "str"),
    "dict": ({1: 2}, TypeError, "dict"),
    "object": (Unknown(), TypeError, "Unknown"),
    "list of None": ([None, 1], TypeError, "list"),
    "list of text": ([["a", "b"]], shmcv.InvalidError, "uint8"),
    "list of large numbers": ([[1, 256]], shmcv.InvalidError, "list.*from 1 to 256.*uint16"),
    "list of negative numbers": ([[-1, 2]], shmcv.InvalidError, "from -1 to 2"),
    "list of fractions": ([[0.5, 2]], shmcv.InvalidError, "float64"),
    "one dimension": ([1, 2, 3], shmcv.InvalidError, "shape"),
    "nothing": ([], shmcv.InvalidError, "shape"),
    "plain memoryview": (memoryview(b"1234"), shmcv.InvalidError, "shape"),
    "ragged list": ([[1], [1, 2]], ValueError, "shape"),
    "palette": (PIL.Image.new("P", (4, 4)), TypeError, r'Pillow.*mode P.*convert\("RGB"\)'),
    "CMYK": (PIL.Image.new("CMYK", (4, 4)), TypeError, "mode CMYK"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_image_gets_a_sentence_that_names_it(
    what: str, name: str, create: Callable[..., shmcv.Segment]
) -> None:
    value, kind, words = REFUSED[what]
    with pytest.raises(kind, match=words):
        shmcv.Segment.from_array(name, value)
    assert name not in present()
    with pytest.raises(kind, match=words):
        create(100).write(value)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_image_of_pillow_keeps_its_colours(mode: str, name: str) -> None:
    picture = PIL.Image.open(TESTDATA / "small-bgra.png").convert(mode)
    with shmcv.Segment.from_array(name, picture, clear_on_close=True) as segment:
        assert segment.image.order.name == {"L": "GRAY"}.get(mode, mode)
        np.testing.assert_array_equal(segment.array, np.asarray(picture))
        if mode == "RGB":
            np.testing.assert_array_equal(segment.read(shmcv.ColorOrder.BGR), np.asarray(picture)[..., ::-1])


def test_another_segment_keeps_its_colours(name: str, create: Callable[..., shmcv.Segment]) -> None:
    first = create(SQUARE.size)
    first.write(SQUARE, shmcv.ColorOrder.RGB)
    with shmcv.Segment.from_array(name, first, clear_on_close=True) as second:
        assert second.image == first.image
        np.testing.assert_array_equal(second.array, SQUARE)


def test_size_that_is_none_gets_a_sentence(name: str) -> None:
    for value in (SQUARE, "100", 1.5, None):
        with pytest.raises(TypeError, match=rf"{type(value).__name__}.*from_array"):
            shmcv.Segment.create(name, value)  # type: ignore[arg-type]
    assert name not in present()


def test_asarray_is_the_memory_itself(create: Callable[..., shmcv.Segment]) -> None:
    segment = create(image=shmcv.ImageInfo(5, 4))
    view = np.asarray(segment)
    view[:] = SQUARE
    np.testing.assert_array_equal(segment.array, SQUARE)
    assert np.shares_memory(view, segment.array)
    assert np.shares_memory(np.asarray(segment, np.uint8), view)
    floats = np.asarray(segment, np.float32)
    np.testing.assert_array_equal(floats, SQUARE)
    assert not np.shares_memory(np.array(segment), view)
    np.testing.assert_array_equal(np.array(segment), SQUARE)
    if int(np.__version__.split(".")[0]) >= 2:
        assert np.shares_memory(np.asarray(segment, copy=False), view)
        assert not np.shares_memory(np.asarray(segment, copy=True), view)
        assert np.array(segment, np.float32, copy=True).dtype == np.float32
        with pytest.raises(ValueError, match="float32"):
            np.asarray(segment, np.float32, copy=False)
    assert np.mean(segment) == SQUARE.mean()
    np.testing.assert_array_equal(np.flipud(segment), SQUARE[::-1])
    with pytest.raises(shmcv.NoImageError):
        np.asarray(create(10))


def test_asarray_of_a_frame_is_read_only(name: str) -> None:
    with shmcv.Stream.create(name, SQUARE.size, clear_on_close=True) as stream:
        stream.publish(SQUARE)
        with stream.wait() as frame:
            view = np.asarray(frame)
            assert not view.flags.writeable
            assert np.shares_memory(view, frame.array)
            copied = np.array(frame)
            assert copied.flags.writeable
            np.testing.assert_array_equal(copied, SQUARE)


def test_repr_tells_what_it_is(name: str, create: Callable[..., shmcv.Segment]) -> None:
    segment = create(100)
    assert repr(segment) == f"<shmcv.Segment {segment.name!r} no image, 100 bytes>"
    segment.write(SQUARE)
    assert repr(segment) == f"<shmcv.Segment {segment.name!r} (4, 5, 3) uint8 BGR, sequence 1>"
    segment.write(SQUARE[..., 0].astype(np.float32) / 255)
    assert repr(segment) == f"<shmcv.Segment {segment.name!r} (4, 5) float32 GRAY, sequence 2>"
    if not WINDOWS:
        os.truncate(SHM / segment.name, 0)
        assert repr(segment) == f"<shmcv.Segment {segment.name!r} TruncatedError>"
    segment.close()
    assert repr(segment) == f"<shmcv.Segment {segment.name!r} closed>"

    with shmcv.Stream.create(name, 100, clear_on_close=True) as stream:
        assert repr(stream) == f"<shmcv.Stream {name!r} 4 slots of 4096 bytes>"
        with stream.begin() as begun:
            assert repr(begun) == f"<shmcv.NewFrame {name!r} no image, 4096 bytes>"
            begun.write(SQUARE)
            assert repr(begun) == f"<shmcv.NewFrame {name!r} (4, 5, 3) uint8 BGR>"
        assert repr(begun) == f"<shmcv.NewFrame {name!r} closed>"
        with stream.wait() as frame:
            assert repr(frame) == f"<shmcv.Frame {name!r} (4, 5, 3) uint8 BGR, sequence 1>"
    assert repr(stream) == f"<shmcv.Stream {name!r} closed>"


@pytest.mark.parametrize("depth", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("order", shmcv.ColorOrder, ids=lambda order: order.name)
def test_notebook_shows_the_picture(order: shmcv.ColorOrder, depth: type, create: Callable[..., shmcv.Segment]) -> None:
    segment = create(67 * 43 * 4 * 4)
    segment.load(TESTDATA / "small-bgra.png", shmcv.LoadFlags.BGRA)
    segment.convert_into(segment, order)
    if depth is not np.uint8:
        scale = {np.uint16: np.uint16(257), np.float32: np.float32(1 / 255)}[depth]
        segment.write((segment.array * scale).astype(depth), order)
    shown = segment._repr_png_()
    assert shown is not None
    decoded = cv2.imdecode(np.frombuffer(shown, np.uint8), cv2.IMREAD_UNCHANGED)
    wanted = segment.read(
        {1: shmcv.ColorOrder.GRAY, 3: shmcv.ColorOrder.BGR, 4: shmcv.ColorOrder.BGRA}[segment.image.channels]
    )
    if depth is np.float32:
        wanted = (wanted * 255).round().astype(np.uint8)
    np.testing.assert_array_equal(decoded, wanted)


def test_notebook_shows_a_large_picture_smaller_and_none_as_text(create: Callable[..., shmcv.Segment]) -> None:
    segment = create(3840 * 2160 * 3)
    assert segment._repr_png_() is None
    segment.load(PHOTOGRAPH)
    shown = segment._repr_png_()
    assert shown is not None
    decoded = cv2.imdecode(np.frombuffer(shown, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(decoded, segment.array[::3, ::3])
    segment.close()
    assert segment._repr_png_() is None


def test_errors_of_files_and_names_have_what_an_oserror_has(
    name: str, create: Callable[..., shmcv.Segment], tmp_path: Path
) -> None:
    segment = create(image=shmcv.ImageInfo(2, 2))
    missing, folder = tmp_path / "missing.png", tmp_path / "none" / "x.png"
    for use, number, filename in (
        (lambda: segment.load(missing), errno.ENOENT, str(missing)),
        (lambda: segment.load(os.fsencode(missing)), errno.ENOENT, os.fsencode(missing)),
        (lambda: shmcv.probe(missing), errno.ENOENT, str(missing)),
        (lambda: segment.save(folder), errno.ENOENT, str(folder)),
        (lambda: shmcv.Segment.open(name), errno.ENOENT, name),
        (lambda: shmcv.Stream.open(name), errno.ENOENT, name),
        (lambda: shmcv.clear(name), errno.ENOENT, name),
        (lambda: shmcv.Segment.create(segment.name, 1), errno.EEXIST, segment.name),
        (lambda: shmcv.Stream.create(segment.name, 1), errno.EEXIST, segment.name),
        (lambda: shmcv.Segment.create(name, 1 << 39), errno.ENOSPC, name),
    ):
        with pytest.raises(OSError) as caught:  # noqa: PT011 # its fields are what is tested
            use()
        problem = caught.value
        assert (problem.errno, problem.strerror, problem.filename) == (number, os.strerror(number), filename)
        assert os.fspath(os.fsdecode(filename)) in str(problem).replace("\\\\", "\\")  # the text is quoted
        assert not str(problem).startswith("[Errno")
        again = pickle.loads(pickle.dumps(problem))
        assert type(again) is type(problem)
        assert (again.errno, again.strerror, again.filename) == (number, os.strerror(number), filename)
        assert (str(again), again.code) == (str(problem), problem.code)
    with pytest.raises(shmcv.TooSmallError) as other:
        segment.load(PHOTOGRAPH)
    assert not hasattr(other.value, "filename")
    assert str(pickle.loads(pickle.dumps(other.value))) == str(other.value)
