"""Files: loading and saving give bit for bit what cv2 gives, and bad files do no harm."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from support import FLAGS, PHOTOGRAPH, TESTDATA, Geometry, code, crc32, environment, in_a_namespace, python, vectors
from system import WINDOWS, linux_alone

import shmcv
from shmcv import LoadFlags

#: cv2's names of the flags. cv2 has no BGRA.
CV2_FLAGS = {
    LoadFlags.COLOR: cv2.IMREAD_COLOR,
    LoadFlags.GRAY: cv2.IMREAD_GRAYSCALE,
    LoadFlags.UNCHANGED: cv2.IMREAD_UNCHANGED,
    LoadFlags.COLOR | LoadFlags.ANY_DEPTH: cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH,
    LoadFlags.GRAY | LoadFlags.ANY_DEPTH: cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH,
}


def joined(columns: tuple[str, ...]) -> str:
    return " ".join(columns[:3])


@pytest.mark.parametrize("columns", vectors("load"), ids=joined)
def test_load(columns, create):
    file, flag, *geometry = columns
    wanted = Geometry.parse(tuple(geometry))
    probed = shmcv.probe(TESTDATA / file, FLAGS[flag])
    segment = create(probed.size)
    assert segment.load(TESTDATA / file, FLAGS[flag]) == probed == segment.image
    assert Geometry.of(segment) == wanted


@pytest.mark.parametrize("columns", vectors("pixel"), ids=" ".join)
def test_pixel(columns, create):
    file, flag, x, y, values, tolerance = columns
    segment = create(240 * 120 * 4)
    segment.load(TESTDATA / file, FLAGS[flag])
    found = np.atleast_1d(segment.array[int(y), int(x)]).astype(int)
    np.testing.assert_allclose(found, [int(value) for value in values.split(",")], rtol=0, atol=int(tolerance))


def test_the_flags_have_cv2s_numbers():
    assert {int(flags): int(of_cv2) for flags, of_cv2 in CV2_FLAGS.items()} == {n: n for n in (-1, 0, 1, 2, 3)}


@pytest.mark.parametrize("flags", CV2_FLAGS, ids=str)
def test_the_photograph_is_loaded_as_by_cv2(flags, create):
    segment = create(3840 * 2160 * 3)
    segment.load(PHOTOGRAPH, flags)
    wanted = cv2.imread(os.fspath(PHOTOGRAPH), CV2_FLAGS[flags])
    assert wanted is not None
    np.testing.assert_array_equal(segment.array, wanted)


@pytest.mark.parametrize("columns", vectors("save"), ids=lambda columns: " ".join(columns[:4]))
def test_save(columns, create, tmp_path):
    file, flag, extension, quality, result, *geometry = columns
    segment = create(shmcv.probe(TESTDATA / file, FLAGS[flag]).size)
    segment.load(TESTDATA / file, FLAGS[flag])
    target = tmp_path / ("saved" + extension.replace("-", ""))
    if result != "OK":
        with pytest.raises(shmcv.ShmcvError) as caught:
            segment.save(target, int(quality))
        assert caught.value.code == code(result)
        assert list(tmp_path.iterdir()) == []
        return
    segment.save(target, int(quality))
    assert list(tmp_path.iterdir()) == [target]
    saved = create(shmcv.probe(target, LoadFlags.UNCHANGED).size)
    saved.load(target, LoadFlags.UNCHANGED)
    assert Geometry.of(saved) == Geometry.parse(tuple(geometry))


# Both save with their default quality. The bytes of a PNG depend on zlib's version, its pixels do not.
@pytest.mark.parametrize("extension", [".jpg", ".png", ".webp", ".bmp", ".tiff", ".ppm"])
def test_a_part_of_the_photograph_is_saved_as_by_cv2(extension, create, tmp_path):
    segment = create(500 * 400 * 3)
    segment.write(cv2.imread(os.fspath(PHOTOGRAPH))[1000:1400, 2000:2500])
    ours, theirs = tmp_path / f"ours{extension}", tmp_path / f"theirs{extension}"
    segment.save(ours)
    assert cv2.imwrite(os.fspath(theirs), segment.array)
    np.testing.assert_array_equal(
        cv2.imread(os.fspath(ours), cv2.IMREAD_UNCHANGED), cv2.imread(os.fspath(theirs), cv2.IMREAD_UNCHANGED)
    )


@pytest.mark.parametrize("order", [shmcv.ColorOrder.RGB, shmcv.ColorOrder.RGBA], ids=lambda order: order.name)
def test_colours_stay_what_they_are_whatever_their_order(order, create, tmp_path):
    bgr = create(240 * 120 * 3)
    bgr.load(TESTDATA / "patches.png")
    other = create(240 * 120 * 4)
    bgr.convert_into(other, order)
    other.save(tmp_path / "saved.png")
    saved = create(240 * 120 * 3)
    saved.load(tmp_path / "saved.png")
    np.testing.assert_array_equal(saved.array, bgr.array)


def test_saving_honours_a_stride(create, tmp_path):
    pixels = cv2.imread(os.fspath(TESTDATA / "small-bgr.png"))
    segment = create(image=shmcv.ImageInfo(67, 43, stride=256))
    segment.array[:] = pixels
    segment.save(tmp_path / "saved.png")
    np.testing.assert_array_equal(cv2.imread(os.fspath(tmp_path / "saved.png")), pixels)


@pytest.mark.parametrize("columns", vectors("error"), ids=joined)
def test_a_bad_file_is_an_error_and_the_old_image_is_whole(columns, create):
    file, flag, size, result, _ = columns
    segment = create(int(size))
    old = shmcv.ImageInfo(max(min(int(size), 16 * 16) // 16, 1), min(int(size), 16), shmcv.ColorOrder.GRAY)
    segment.image = old
    segment.array[:] = 55
    before = crc32(np.frombuffer(segment.buffer, np.uint8))
    with pytest.raises(shmcv.ShmcvError) as caught:
        segment.load(TESTDATA / file, FLAGS[flag])
    assert caught.value.code == code(result)
    assert segment.image == old
    assert (segment.array == 55).all()
    assert len(str(caught.value)) > 20
    if result != "E_DECODE":  # decoding may have written to bytes that the old image does not cover
        assert crc32(np.frombuffer(segment.buffer, np.uint8)) == before


def test_an_image_too_large_for_the_segment_says_what_it_needs(create):
    with pytest.raises(ValueError, match=r"24883200"):
        create(1000).load(PHOTOGRAPH)


def test_a_missing_file_and_folder_are_file_not_found(create, tmp_path):
    segment = create(image=shmcv.ImageInfo(4, 4))
    for use in (segment.load, shmcv.probe):
        with pytest.raises(FileNotFoundError, match="missing"):
            use(tmp_path / "missing.jpg")
    with pytest.raises(FileNotFoundError, match="missing"):
        segment.save(tmp_path / "missing" / "x.png")


def test_a_folder_is_no_image(create, tmp_path):
    folder = tmp_path / "folder.png"
    folder.mkdir()
    segment = create(image=shmcv.ImageInfo(4, 4))
    for use in (segment.load, segment.save, shmcv.probe):
        with pytest.raises(shmcv.InvalidError, match=r"folder\.png"):
            use(folder)
    assert list(folder.iterdir()) == []
    assert list(tmp_path.iterdir()) == [folder]


def test_unknown_flags_and_qualities_are_refused(create, tmp_path):
    segment = create(image=shmcv.ImageInfo(4, 4))
    for flags in (7, 16, -2, 11, 2**32, 2**40):
        with pytest.raises(shmcv.InvalidError):
            segment.load(TESTDATA / "small.jpg", flags)
        with pytest.raises(shmcv.InvalidError):
            shmcv.probe(TESTDATA / "small.jpg", flags)
    for extension, quality in ((".jpg", 101), (".jpg", -2), (".png", 10), (".webp", 0), (".jpg", 2**32 + 50)):
        with pytest.raises(shmcv.InvalidError):
            segment.save(tmp_path / f"x{extension}", quality)
    assert list(tmp_path.iterdir()) == []


def test_any_text_is_a_file_name(create, tmp_path):
    segment = create(image=shmcv.ImageInfo(4, 4))
    for target in (
        tmp_path / ("猫 größer 🐈.png" if WINDOWS else "猫 größer\n🐈.png"),  # Windows has no such names
        os.fspath(tmp_path / "plain.png"),
        os.fsencode(tmp_path / "bytes.png"),
    ):
        segment.save(target)
        assert segment.load(target) == shmcv.ImageInfo(4, 4)
        assert Path(os.fsdecode(target)).stat().st_size > 0


def test_a_file_name_that_is_no_text_is_refused(create, tmp_path):
    segment = create(image=shmcv.ImageInfo(4, 4))
    with pytest.raises(ValueError, match="UTF-8"):
        segment.save(os.fsencode(tmp_path) + b"/\xff.png")
    with pytest.raises(ValueError, match="NUL"):
        segment.save(os.fspath(tmp_path / "x.png\0.jpg"))
    with pytest.raises(TypeError):
        segment.load(5)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_saving_replaces_a_file_and_leaves_it_when_it_fails(create, tmp_path):
    target = tmp_path / "picture.png"
    segment = create(image=shmcv.ImageInfo(4, 4))
    segment.save(target)
    old = target.read_bytes()
    with pytest.raises(shmcv.InvalidError):
        segment.save(target, 1000)
    assert target.read_bytes() == old
    segment.array[:] = 255
    segment.save(target)
    assert (cv2.imread(os.fspath(target)) == 255).all()
    assert list(tmp_path.iterdir()) == [target]


# The program becomes another user if it is root, because no permission stops root.
REFUSED = """
import os, sys, shmcv
folder, name = sys.argv[1:]
segment = shmcv.Segment.open(name)
if os.geteuid() == 0:
    os.setuid(65534)
for use in (segment.save, segment.load):
    try:
        use(folder + "/x.png")
    except PermissionError as problem:
        assert problem.errno == 13 and folder in str(problem), problem
    else:
        raise SystemExit("nothing was refused")
"""


@linux_alone("modes are Linux's; Go's tests have Windows' files that refuse")
def test_a_folder_that_refuses_is_a_permission_error(create, tmp_path):
    folder = tmp_path / "closed"
    folder.mkdir()
    shutil.copy(TESTDATA / "small-bgr.png", folder / "x.png")
    (folder / "x.png").chmod(0)
    folder.chmod(0o555)
    for parent in [folder, *folder.parents][1:]:
        if parent.stat().st_uid == os.geteuid():
            parent.chmod(parent.stat().st_mode | 0o111)
    python(REFUSED, folder, create(image=shmcv.ImageInfo(4, 4)).name)
    assert [file.name for file in folder.iterdir()] == ["x.png"]


FULL_DISK = """
import os, sys, shmcv
name, folder = sys.argv[1:]
with shmcv.Segment.open(name) as segment:
    try:
        segment.save(folder + "/x.bmp")
    except shmcv.NoSpaceError as problem:
        assert problem.errno == 28 and folder in str(problem), problem
    else:
        raise SystemExit("it fitted")
assert os.listdir(folder) == [], os.listdir(folder)
"""
FULL_MEMORY = """
import os, shmcv
with shmcv.Segment.create("first", 700_000):
    try:
        shmcv.Segment.create("second", 700_000)
    except shmcv.NoSpaceError as problem:
        assert "second" in str(problem), problem
    else:
        raise SystemExit("it fitted")
    assert os.listdir("/dev/shm") == ["first"], os.listdir("/dev/shm")
"""


@linux_alone("a small file system is mounted")
def test_a_full_disk_is_no_space_and_leaves_nothing(create, tmp_path):
    segment = create(image=shmcv.ImageInfo(1000, 1000))
    python(FULL_DISK, segment.name, tmp_path, prefix=in_a_namespace("-o", "size=1m", "none", str(tmp_path)))


@linux_alone("a small file system is mounted")
def test_full_shared_memory_is_no_space():
    python(FULL_MEMORY, env=environment(), prefix=in_a_namespace("-o", "size=1m", "none", "/dev/shm"))  # noqa: S108
