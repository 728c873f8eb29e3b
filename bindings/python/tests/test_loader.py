"""ImageLoader: the tutorial's program runs unchanged, on segments that any program made."""

from __future__ import annotations

import inspect
import os
import uuid
from multiprocessing import shared_memory

import cv2
import numpy as np
import pytest
from support import PHOTOGRAPH, TESTDATA
from system import mapped, present

import shmcv


@pytest.fixture
def loader():
    loader = shmcv.ImageLoader()
    yield loader
    loader.ClearAllShareMemory()


def test_the_tutorials_program(loader, tmp_path):
    source, target = str(uuid.uuid4()), str(uuid.uuid4())
    loader.CreateShareMemory(source, 3840 * 2160 * 3)
    loader.CreateShareMemory(target, 3840 * 2160 * 3)
    height, width, channel = loader.Load(str(PHOTOGRAPH), source)
    assert [type(number) for number in (height, width, channel)] == [int, int, int]
    assert (height, width, channel) == (2160, 3840, 3)
    loader.Flip(source, target, 1, height, width, channel)
    assert loader.Delay(1) == -1
    saved = tmp_path / "flipped.png"
    loader.SaveImage(str(saved), target, height, width, channel)
    np.testing.assert_array_equal(cv2.imread(os.fspath(saved)), cv2.flip(cv2.imread(os.fspath(PHOTOGRAPH)), 1))
    loader.CloseWindows()
    loader.ClearShareMemory(source)
    assert source not in present()
    assert target in present()
    loader.ClearAllShareMemory()
    assert target not in present()


def test_names_and_arguments_are_the_tutorials():
    wanted = {
        "CreateShareMemory": ["name", "size"],
        "ClearShareMemory": ["name"],
        "ClearAllShareMemory": [],
        "Load": ["path", "share_name"],
        "Show": ["window_name", "share_name", "height", "width", "channel"],
        "Delay": ["ms"],
        "CloseWindows": [],
        "Flip": ["share_name_src", "share_name_dst", "direct", "height", "width", "channel"],
        "SaveImage": ["filename", "share_name", "height", "width", "channel"],
    }
    methods = dict(inspect.getmembers(shmcv.ImageLoader, inspect.isfunction))
    del methods["__init__"]
    public = {
        name: list(inspect.signature(method).parameters)[1:] for name, method in methods.items() if name[0] != "_"
    }
    assert public == wanted


@pytest.mark.parametrize("channel", [1, 3, 4])
def test_segments_of_plain_shared_memory_are_described_by_the_geometry_given(channel, loader, name, tmp_path):
    flag = {1: cv2.IMREAD_GRAYSCALE, 3: cv2.IMREAD_COLOR, 4: cv2.IMREAD_UNCHANGED}[channel]
    pixels = cv2.imread(os.fspath(TESTDATA / "small-bgra.png"), flag)
    memories = [shared_memory.SharedMemory(f"{name}-{n}", create=True, size=pixels.nbytes) for n in range(2)]
    try:
        memories[0].buf[: pixels.nbytes] = pixels.tobytes()
        loader.Flip(f"{name}-0", f"{name}-1", 0, 43, 67, channel)
        assert bytes(memories[1].buf[: pixels.nbytes]) == cv2.flip(pixels, 0).tobytes()
        saved = tmp_path / "saved.png"
        loader.SaveImage(saved, f"{name}-1", 43, 67, channel)
        np.testing.assert_array_equal(cv2.imread(os.fspath(saved), cv2.IMREAD_UNCHANGED), cv2.flip(pixels, 0))
        # Another geometry makes another image of the same bytes.
        loader.SaveImage(saved, f"{name}-1", 1, 43, channel)
        row = np.frombuffer(cv2.flip(pixels, 0).tobytes(), np.uint8)[: 43 * channel].reshape((1, 43, channel))
        np.testing.assert_array_equal(cv2.imread(os.fspath(saved), cv2.IMREAD_UNCHANGED).reshape(row.shape), row)
    finally:
        for memory in memories:
            memory.close()
            memory.unlink()


def test_an_image_of_that_size_stays_what_it_is(loader, create, tmp_path):
    segment = create(67 * 43 * 8)
    segment.load(TESTDATA / "small-bgr16.png", shmcv.LoadFlags.UNCHANGED)
    before = segment.image
    loader.SaveImage(tmp_path / "saved.png", segment.name, 43, 67, 3)
    assert segment.image == before
    saved = cv2.imread(os.fspath(tmp_path / "saved.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(saved, segment.array)


def test_a_name_that_means_another_segment_by_now_is_that_one(loader, name):
    with shmcv.Segment.create(name, 240 * 120 * 3) as first:
        assert loader.Load(TESTDATA / "patches.png", name) == (120, 240, 3)
        first.clear()
    with pytest.raises(FileNotFoundError, match=name):
        loader.Load(TESTDATA / "patches.png", name)
    with shmcv.Segment.create(name, 240 * 120 * 3) as second:
        loader.Load(TESTDATA / "patches.png", name)
        assert second.image.shape == (120, 240, 3)
    loader.ClearShareMemory(name)


def test_a_segment_stays_mapped_until_it_is_cleared(loader, name):
    before = mapped()
    with shmcv.Segment.create(name, 240 * 120 * 3):
        loader.Load(TESTDATA / "patches.png", name)
    assert len(mapped()) == len(before) + 1
    loader.Load(TESTDATA / "patches.png", name)
    assert len(mapped()) == len(before) + 1
    loader.ClearShareMemory(name)
    assert mapped() == before
    assert name not in present()
    with pytest.raises(FileNotFoundError, match=name):
        loader.ClearShareMemory(name)


def test_bad_input_is_refused(loader, name, create, tmp_path):
    segment = create(1000)
    with pytest.raises(FileExistsError):
        loader.CreateShareMemory(segment.name, 10)
    with pytest.raises(ValueError, match="-1"):
        loader.CreateShareMemory(name, -1)
    for use in (
        lambda: loader.Load(PHOTOGRAPH, name),
        lambda: loader.Flip(name, segment.name, 1, 4, 4, 3),
        lambda: loader.Flip(segment.name, name, 1, 4, 4, 3),
        lambda: loader.SaveImage(tmp_path / "x.png", name, 4, 4, 3),
        lambda: loader.Show("window", name, 4, 4, 3),
        lambda: loader.Load(tmp_path / "missing.jpg", segment.name),
    ):
        with pytest.raises(FileNotFoundError):
            use()
    for height, width, channel in ((4, 4, 2), (0, 4, 3), (4, -4, 3), (400, 400, 3), (2**32 + 4, 4, 3)):
        with pytest.raises(ValueError, match=r"\d"):
            loader.SaveImage(tmp_path / "x.png", segment.name, height, width, channel)
    with pytest.raises(shmcv.InvalidError):
        loader.Flip(segment.name, segment.name, 2, 4, 4, 3)
    assert list(tmp_path.iterdir()) == []
