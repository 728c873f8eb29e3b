"""Views: regions of images, as numpy's slices, as sources and as targets."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import threading
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from support import FLAGS, TESTDATA, crc32, vectors

import shmcv
from shmcv import ColorOrder, ImageInfo, Interpolation, RotateCode

Create = Callable[..., shmcv.Segment]


def loaded(create: Create, file: str, flag: str) -> shmcv.Segment:
    segment = create(shmcv.probe(TESTDATA / file, FLAGS[flag]).size)
    segment.load(TESTDATA / file, FLAGS[flag])
    return segment


def random(create: Create, image: ImageInfo) -> shmcv.Segment:
    segment = create(image=image)
    segment.array[:] = np.random.default_rng(image.size).integers(0, 256, image.shape).astype(image.dtype)
    return segment


@pytest.mark.parametrize("columns", vectors("view"), ids=" ".join)
def test_view(columns: tuple[str, ...], create: Create) -> None:
    file, flag, *region, checksum = columns
    whole = loaded(create, file, flag)
    x, y, width, height = map(int, region)
    view, target = whole.view(x, y, width, height), create(whole.size)
    assert crc32(view.array) == crc32(view.read()) == checksum
    np.testing.assert_array_equal(view.array, whole.array[y : y + height, x : x + width])
    assert np.shares_memory(view.array, whole.array)
    view.copy_into(target)
    assert crc32(target.array) == checksum


@pytest.mark.parametrize("columns", vectors("paste"), ids=" ".join)
def test_paste(columns: tuple[str, ...], create: Create) -> None:
    file, flag, *numbers, checksum = columns
    source, target = loaded(create, file, flag), loaded(create, file, flag)
    x, y, width, height, interpolation = map(int, numbers)
    source.resize_into(target.view(x, y, width, height), width, height, interpolation)
    assert crc32(target.array) == checksum


@pytest.mark.parametrize("columns", vectors("region"), ids=" ".join)
def test_region(columns: tuple[str, ...], create: Create) -> None:
    *numbers, result = columns
    width, height, x, y, region_width, region_height = map(int, numbers)
    segment = create(image=ImageInfo(width, height, ColorOrder.GRAY))
    if result == "OK":
        assert segment.view(x, y, region_width, region_height).array.shape == (region_height, region_width)
    else:
        with pytest.raises(shmcv.InvalidError, match=r"width|height"):
            segment.view(x, y, region_width, region_height)


@pytest.mark.parametrize("field", ["x", "y", "width", "height"])
@pytest.mark.parametrize("value", [-1, 2**32, -(2**40)])
def test_number_that_is_none_is_refused_by_its_name(field: str, value: int, create: Create) -> None:
    region = {"x": 0, "y": 0, "width": 1, "height": 1, field: value}
    with pytest.raises(shmcv.InvalidError, match=f"{field} {value}"):
        create(image=ImageInfo(4, 4)).view(**region)


def test_view_is_a_target_of_everything(create: Create) -> None:
    whole = random(create, ImageInfo(100, 80))
    small = loaded(create, "small.jpg", "color")
    wanted = whole.read()
    view = whole.view(20, 30, 67, 43)
    uses: list[Callable[[], object]] = [
        lambda: view.load(TESTDATA / "small.jpg"),
        lambda: view.decode((TESTDATA / "small.jpg").read_bytes()),
        lambda: view.write(small.read()),
        lambda: small.copy_into(view),
        lambda: small.convert_into(view, ColorOrder.BGR),
        lambda: view.array.__setitem__(slice(None), small.array),
    ]
    wanted[30:73, 20:87] = small.array
    for use in uses:
        view.array[:] = 0
        use()
        np.testing.assert_array_equal(whole.array, wanted)
    view.flip(1)
    wanted[30:73, 20:87] = cv2.flip(small.read(), 1)
    np.testing.assert_array_equal(whole.array, wanted)
    small.rotate_into(view, RotateCode.ROTATE_180)
    wanted[30:73, 20:87] = cv2.rotate(small.read(), cv2.ROTATE_180)
    np.testing.assert_array_equal(whole.array, wanted)
    assert whole.image == ImageInfo(100, 80)


def test_another_size_or_kind_changes_nothing(create: Create) -> None:
    whole = random(create, ImageInfo(100, 80))
    before, view = whole.read(), whole.view(20, 30, 10, 5)
    gray = create(image=ImageInfo(10, 5, ColorOrder.GRAY))
    uses: list[Callable[[], object]] = [
        lambda: view.load(TESTDATA / "small.jpg"),
        lambda: view.decode((TESTDATA / "one-pixel.png").read_bytes()),
        lambda: view.write(np.zeros((5, 11, 3), np.uint8)),
        lambda: view.write(np.zeros((5, 10, 3), np.uint8), stored=ColorOrder.RGB),
        lambda: gray.copy_into(view),
        lambda: gray.resize_into(view, 10, 5),
        lambda: whole.resize_into(view, 5, 10),
        lambda: view.rotate(RotateCode.ROTATE_90_CLOCKWISE),
        lambda: setattr(view, "image", ImageInfo(10, 5)),
    ]
    for use in uses:
        with pytest.raises(shmcv.InvalidError):
            use()
        np.testing.assert_array_equal(whole.array, before)
    assert whole.image == ImageInfo(100, 80)


def test_view_of_an_image_that_is_no_more(create: Create) -> None:
    segment = create(image=ImageInfo(10, 8))
    view = segment.view(1, 2, 3, 4)
    segment.image = ImageInfo(8, 10)
    for use in (lambda: view.array, view.read, lambda: view.image, lambda: view.flip(0)):
        with pytest.raises(shmcv.InvalidError, match=r"of an image of 10 x 8.*holds one of 8 x 10"):
            use()
    assert view.info.image is None
    segment.image = ImageInfo(10, 8)
    assert view.array.shape == (4, 3, 3)


def test_view_of_a_view(create: Create) -> None:
    segment = random(create, ImageInfo(20, 20))
    outer = segment.view(2, 3, 10, 12)
    inner = outer.view(1, 1, 4, 5)
    outer.close()
    np.testing.assert_array_equal(inner.array, segment.array[4:9, 3:7])
    assert repr(inner).startswith(f"<shmcv.WritableView {segment.name!r} (5, 4, 3) uint8 BGR")


def test_view_keeps_the_memory(create: Create) -> None:
    segment = create(image=ImageInfo(4, 4))
    segment.array[:] = 7
    view = segment.view(1, 1, 2, 2)
    segment.close()
    assert (view.array == 7).all()
    pixels = view.array
    view.close()
    del view
    gc.collect()
    assert (pixels == 7).all()


def test_closed_view(create: Create) -> None:
    segment = create(image=ImageInfo(4, 4))
    with segment.view(1, 1, 2, 2) as view:
        pass
    with pytest.raises(shmcv.ClosedError, match="view of"):
        view.read()
    assert repr(view).endswith("closed>")


def test_view_is_not_pickled(create: Create) -> None:
    view = create(image=ImageInfo(4, 4)).view(1, 1, 2, 2)
    for use in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="view of"):
            use(view)


def test_view_of_what_is_read_only(create: Create) -> None:
    segment = random(create, ImageInfo(20, 20))
    with shmcv.ReadOnlySegment.open(segment.name) as reader:
        view = reader.view(1, 2, 3, 4)
        assert type(view) is shmcv.View
        assert not view.array.flags.writeable
        np.testing.assert_array_equal(view.array, segment.array[2:6, 1:4])
        with pytest.raises(ValueError, match="WRITEABLE"):
            view.array.flags.writeable = True
        with pytest.raises(shmcv.PermissionError):
            segment.view(0, 0, 3, 4).copy_into(view)  # type: ignore[arg-type]
        view.copy_into(segment.view(10, 10, 3, 4))
        np.testing.assert_array_equal(view.array, segment.array[10:14, 10:13])


def test_writer_pastes_and_reader_crops(name: str, create: Create) -> None:
    picture, target = random(create, ImageInfo(40, 30)), create(1 << 16)
    with shmcv.Stream.create(name, 100 * 80 * 3, slots=3, clear_on_close=True) as stream:
        for _ in range(2):
            with stream.begin() as frame:
                frame.image = ImageInfo(100, 80)
                frame.array[:] = 0
                picture.copy_into(frame.view(50, 40, 40, 30))
                small = frame.view(0, 0, 20, 15)
                picture.resize_into(small, 20, 15, Interpolation.AREA)
            with pytest.raises(shmcv.ClosedError, match="published"):
                small.flip(0)
            with stream.wait() as got:
                view = got.view(50, 40, 40, 30)
                np.testing.assert_array_equal(view.array, picture.array)
                view.copy_into(target)
                assert not view.array.flags.writeable
            np.testing.assert_array_equal(target.array, picture.array)
            np.testing.assert_array_equal(view.array, picture.array)  # it keeps the frame, as arrays do
            del got, view  # and with them the lease
        gc.collect()
        for _ in range(5):
            stream.begin().close()


def test_frame_that_is_given_back_is_closed_for_its_views(name: str) -> None:
    with shmcv.Stream.create(name, 300, clear_on_close=True) as stream:
        frame = stream.begin()
        frame.image = ImageInfo(10, 10)
        view = frame.view(1, 1, 2, 2)
        frame.close()
        with pytest.raises(shmcv.ClosedError):
            view.flip(0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_view_of_the_parent_is_the_parents(create: Create) -> None:
    segment = create(image=ImageInfo(4, 4))
    view = segment.view(1, 1, 2, 2)
    child = os.fork()
    if child == 0:
        try:
            view.flip(0)
        except shmcv.ForkedError:
            os._exit(7)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_two_threads_paste_side_by_side(create: Create) -> None:
    whole, pictures = create(image=ImageInfo(64, 32)), [random(create, ImageInfo(32, 32 + i)) for i in range(2)]
    views = [whole.view(32 * i, 0, 32, 32) for i in range(2)]

    def paste(i: int) -> None:
        for _ in range(200):
            pictures[i].view(0, i, 32, 32).copy_into(views[i])

    threads = [threading.Thread(target=paste, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(2):
        np.testing.assert_array_equal(views[i].array, pictures[i].array[i : i + 32])


@pytest.mark.parametrize("extension", [".jpg", ".png", ".webp", ".tif", ".bmp", ".ppm"])
@pytest.mark.parametrize("region", [(1001, 503, 1921, 1079), (1, 1, 9, 7)], ids=["large", "small"])
def test_file_of_a_view_is_that_of_a_copy(extension: str, region: tuple[int, int, int, int], create: Create) -> None:
    whole, copied = loaded(create, "photograph.jpg", "color"), create(1921 * 1079 * 3)
    view = whole.view(*region)
    view.copy_into(copied)
    assert view.encode(extension) == copied.encode(extension)
