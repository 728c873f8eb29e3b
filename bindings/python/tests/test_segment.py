"""Segments: making, opening, naming, closing and clearing them, and the memory that arrays share with them."""

from __future__ import annotations

import contextlib
import copy
import ctypes
import os
import pickle
import subprocess
import sys
import threading
import uuid
import weakref
from datetime import datetime, timedelta, timezone
from urllib.parse import unquote_to_bytes

import cv2
import numpy as np
import pytest
from support import PATIENCE, TESTDATA, Process, code, environment, in_a_namespace, python, vectors
from system import WINDOWS, died_of_a_fault, file_of_a_segment, linux_alone, plain_memory, present
from system_linux import SHM

import shmcv
from shmcv._check import check
from shmcv._library import library


def test_a_new_segment_is_zero_writable_and_seen_by_who_opens_its_name(create):
    made = create(1000)
    assert (made.size, bytes(made.buffer)) == (1000, bytes(1000))
    made.buffer[:5] = b"hello"
    with shmcv.Segment.open(made.name) as opened:
        assert (opened.name, opened.size) == (made.name, 1000)
        assert bytes(opened.buffer[:5]) == b"hello"


@pytest.mark.parametrize(("encoded", "linux", "windows"), vectors("name"))
def test_names(encoded, linux, windows):
    result = windows if WINDOWS else linux
    name = unquote_to_bytes("" if encoded == "-" else encoded)
    with contextlib.suppress(UnicodeDecodeError):  # Windows has no text for bytes that are not UTF-8
        name = os.fsdecode(name)
    if result == "OK":
        with shmcv.Segment.create(name, 16):
            shmcv.clear(name)
        return
    for use in (lambda n: shmcv.Segment.create(n, 16), shmcv.Segment.open, shmcv.clear):
        with pytest.raises(shmcv.InvalidError) as caught:
            use(name)
        assert caught.value.code == code(result)


def test_a_name_with_a_nul_is_refused_whole(create):
    taken = create(16)
    for use in (lambda n: shmcv.Segment.create(n, 16), shmcv.Segment.open, shmcv.clear):
        with pytest.raises(shmcv.InvalidError, match="NUL"):
            use(taken.name + "\0suffix")
    assert taken.name in present()


@pytest.mark.parametrize("size", [0, -1, 2**63, 2**64, 2**64 + 4096, -(2**64) + 4096])
def test_sizes_that_make_no_sense_are_refused(size, name):
    with pytest.raises(shmcv.InvalidError, match=str(abs(size))):
        shmcv.Segment.create(name, size)


def test_a_size_beyond_the_memory_is_no_space_and_leaves_no_name(name):
    size = 2**45
    if not WINDOWS:
        room = os.statvfs(SHM)
        size = room.f_blocks * room.f_frsize + 2**20
    with pytest.raises(shmcv.NoSpaceError, match=name) as caught:
        shmcv.Segment.create(name, size)
    assert isinstance(caught.value, OSError)
    assert name not in present()


def test_a_size_that_is_no_number_is_a_type_error(name):
    with pytest.raises(TypeError):
        shmcv.Segment.create(name, 10.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a size in bytes or an ImageInfo"):
        shmcv.Segment.create(name)
    assert name not in present()


def test_a_taken_name_is_refused_and_the_segment_unharmed(create):
    taken = create(16)
    taken.buffer[:3] = b"abc"
    with pytest.raises(FileExistsError, match=taken.name):
        shmcv.Segment.create(taken.name, 16)
    assert bytes(taken.buffer[:3]) == b"abc"


def test_an_unknown_name_is_file_not_found(name):
    for use in (shmcv.Segment.open, shmcv.clear):
        with pytest.raises(FileNotFoundError, match=name):
            use(name)


def test_create_with_an_image_takes_its_size_and_describes_it(create):
    image = shmcv.ImageInfo(640, 480, shmcv.ColorOrder.RGBA, stride=2600)
    segment = create(image=image)
    assert segment.image == image
    assert segment.size == image.size == 479 * 2600 + 640 * 4


def test_create_with_an_image_that_does_not_fit_leaves_nothing(name):
    with pytest.raises(shmcv.TooSmallError):
        shmcv.Segment.create(name, 100, image=shmcv.ImageInfo(640, 480))
    assert name not in present()


def test_from_array_holds_a_copy(name):
    pixels = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    with shmcv.Segment.from_array(name, pixels) as segment:
        segment.clear()
        assert segment.image == shmcv.ImageInfo(7, 5)
        assert segment.size == pixels.nbytes
        np.testing.assert_array_equal(segment.array, pixels)


@pytest.mark.parametrize("pixels", [np.zeros((4, 4, 2), np.uint8), np.zeros((4, 4), np.int64), np.zeros(4, np.uint8)])
def test_from_array_of_what_is_no_image_leaves_nothing(pixels, name):
    with pytest.raises(shmcv.InvalidError):
        shmcv.Segment.from_array(name, pixels)
    assert name not in present()


def test_an_array_outlives_its_segment(create):
    segment = create(image=shmcv.ImageInfo(64, 64))
    row = segment.array[3]
    mapped = weakref.ref(segment._memory)
    segment.clear()
    segment.close()
    del segment
    row[:] = 77  # a segmentation fault, if the memory were gone
    assert row.sum() == 77 * row.size
    assert mapped() is not None
    del row
    assert mapped() is None


def test_a_buffer_outlives_its_segment(create):
    with create(4096) as segment:
        part = segment.buffer[10:20]
    part[:] = b"0123456789"
    assert bytes(part) == b"0123456789"


def test_what_comes_after_close_is_closed(create, tmp_path):
    segment, other = create(image=shmcv.ImageInfo(4, 4)), create(1000)
    segment.close()
    assert segment.closed
    uses = [
        lambda: segment.array,
        lambda: segment.buffer,
        lambda: segment.size,
        lambda: segment.image,
        lambda: segment.info,
        lambda: setattr(segment, "image", shmcv.ImageInfo(2, 2)),
        lambda: segment.load("photograph.jpg"),
        lambda: segment.save(tmp_path / "x.png"),
        lambda: segment.flip(0),
        lambda: segment.flip_into(other, 0),
        lambda: other.flip_into(segment, 0),
        lambda: segment.convert_into(other, 1),
        lambda: segment.read(),
        lambda: segment.write(np.zeros((2, 2), np.uint8)),
        lambda: segment.show("window"),
        lambda: pickle.dumps(segment),
    ]
    for use in uses:
        with pytest.raises(shmcv.ClosedError, match=segment.name):
            use()
    segment.close()
    assert "closed" in repr(segment)


def test_a_stale_and_an_invented_handle_are_closed(create):
    segment = create(16)
    handle = ctypes.c_uint64()
    check(library().shmcv_open(segment.name.encode(), ctypes.byref(handle)))
    assert library().shmcv_close(handle) == shmcv.ErrorCode.OK
    for stale in (handle.value, 0, 1, 12345, 2**64 - 1):
        assert library().shmcv_close(stale) == shmcv.ErrorCode.CLOSED
        assert library().shmcv_flip(stale, stale, 0) == shmcv.ErrorCode.CLOSED
    assert bytes(segment.buffer) == bytes(16)


def test_nulls_are_refused(create):
    handle, native = create(1000, image=shmcv.ImageInfo(4, 4))._handle, library()
    image = ctypes.byref(shmcv.ImageInfo(4, 4)._to_native())
    calls = {
        "out": [
            lambda: native.shmcv_create(b"name", 1, None),
            lambda: native.shmcv_open(b"name", None),
            lambda: native.shmcv_image_get(handle, None),
            lambda: native.shmcv_info(handle, None),
            lambda: native.shmcv_probe(b"path", 0, None),
        ],
        "name": [lambda: native.shmcv_clear(None), lambda: native.shmcv_open(None, ctypes.byref(ctypes.c_uint64()))],
        "path": [lambda: native.shmcv_load(handle, None, 0, None), lambda: native.shmcv_save(handle, None, -1)],
        "image": [lambda: native.shmcv_image_set(handle, None)],
        "layout": [lambda: native.shmcv_write(handle, None, None, 0, 1)],
        "buffer": [
            lambda: native.shmcv_write(handle, image, None, 48, 1),
            lambda: native.shmcv_read(handle, image, None, 48, None),
        ],
        "count": [lambda: native.shmcv_list(None, 0, None)],
        "infos": [lambda: native.shmcv_list(None, 5, ctypes.byref(ctypes.c_uint64()))],
        "window": [lambda: native.shmcv_show(None, handle), lambda: native.shmcv_close_window(None)],
    }
    for argument, uses in calls.items():
        for use in uses:
            with pytest.raises(shmcv.InvalidError, match=rf"\b{argument}\b.*NULL"):
                check(use())


def test_clear_frees_the_name_and_leaves_the_memory(create):
    first = create(image=shmcv.ImageInfo(8, 8))
    first.array[:] = 1
    first.clear()
    with pytest.raises(FileNotFoundError):
        first.clear()
    with shmcv.Segment.create(first.name, 16) as second:
        assert second.buffer[0] == 0
        assert first.array.all()
        second.clear()


def test_clear_all_removes_what_this_process_created_and_no_more(create):
    segments = [create(16) for _ in range(3)]
    creator = """
import sys, shmcv
with shmcv.Segment.create(sys.argv[1], 16, clear_on_close=True):
    print("created")
    input()
"""
    with Process(creator, segments[0].name + "-other") as other:
        assert other.hear() == "created"
        shmcv.clear_all()
        assert segments[0].name + "-other" in present()
        other.say()
        other.end()
    assert not present() & {segment.name for segment in segments}
    assert [bytes(segment.buffer) for segment in segments] == [bytes(16)] * 3


def test_info_and_list_tell_what_is_known(create):
    start = datetime.now(timezone.utc)
    segment = create(1000, image=shmcv.ImageInfo(10, 10))
    info = segment.info
    assert (info.name, info.size, info.image) == (segment.name, 1000, segment.image)
    assert (info.owner, info.owner_alive, info.foreign) == (os.getpid(), True, False)
    if not WINDOWS:
        assert info.file_size == (SHM / segment.name).stat().st_size
    assert isinstance(info.uuid, uuid.UUID)
    assert info.uuid.int
    assert info.created_at is not None
    assert abs(info.created_at - start) < timedelta(days=1)  # the right unit and time zone
    assert create(16).info.uuid != info.uuid
    listed = [found for found in shmcv.list_segments() if found.name == segment.name]
    assert listed == [info]


def test_list_gives_many_in_the_order_of_their_names(create):
    names = [create(16).name for _ in range(40)]
    assert [info.name for info in shmcv.list_segments() if info.name in set(names)] == sorted(names)


def test_a_foreign_segment_can_be_used_and_has_no_image_at_first(name):
    size = 4096 if WINDOWS else 768  # whole pages there
    with plain_memory(name, bytes(range(256)) * 3) as content:
        with shmcv.Segment.open(name) as segment:
            info = segment.info
            assert (info.foreign, info.size, info.image, info.uuid, info.owner) == (True, size, None, None, None)
            with pytest.raises(shmcv.NoImageError):
                _ = segment.array
            segment.image = shmcv.ImageInfo(16, 16)
            assert segment.array[0, 1].tolist() == [3, 4, 5]
            segment.array[0, 0] = 9
        assert content()[:4] == bytes([9, 9, 9, 3])


@file_of_a_segment
def test_a_segment_that_somebody_truncates_is_an_error_and_no_crash(create, tmp_path):
    segment, other = create(image=shmcv.ImageInfo(300, 300)), create(300 * 300 * 3)
    os.truncate(SHM / segment.name, 100)
    uses = [
        lambda: segment.array,
        lambda: segment.buffer,
        lambda: segment.read(),
        lambda: segment.write(np.zeros((2, 2), np.uint8)),
        lambda: segment.save(tmp_path / "x.png"),
        lambda: segment.flip(1),
        lambda: segment.flip_into(other, 1),
    ]
    for use in uses:
        with pytest.raises(shmcv.TruncatedError):
            use()


@file_of_a_segment
@pytest.mark.skipif(WINDOWS or os.geteuid() != 0, reason="only root can give a file to another user")
def test_a_file_of_another_user_is_refused(name):
    file = SHM / name
    file.write_bytes(bytes(4096))
    try:
        os.chown(file, 65534, 65534)
        with pytest.raises(PermissionError, match=name):
            shmcv.Segment.open(name)
        with pytest.raises(PermissionError, match=name):
            shmcv.clear(name)
    finally:
        file.unlink()


@file_of_a_segment
def test_a_symbolic_link_is_refused(name, tmp_path):
    target = tmp_path / "file"
    target.write_bytes(bytes(4096))
    (SHM / name).symlink_to(target)
    try:
        with pytest.raises(PermissionError, match=name):
            shmcv.Segment.open(name)
    finally:
        (SHM / name).unlink()


def test_a_pickled_segment_is_its_name(create):
    segment = create(16)
    segment.buffer[0] = 42
    for other in (pickle.loads(pickle.dumps(segment)), copy.copy(segment)):
        assert other.name == segment.name
        assert other.buffer[0] == 42
        other.close()
    assert segment.buffer[0] == 42


def test_a_hundred_rounds_leave_nothing_open(name):
    for _ in range(100):
        with shmcv.Segment.create(name, 4096) as segment, shmcv.Segment.open(name) as other:
            other.image = shmcv.ImageInfo(8, 8)
            segment.array[:] = 1
            segment.clear()


def test_a_read_only_segment_has_what_reads(create):
    made = create(48, image=shmcv.ImageInfo(4, 4))
    made.array[...] = 5
    with shmcv.ReadOnlySegment.open(made.name) as reader:
        assert isinstance(reader, shmcv.Pixels)
        assert not isinstance(reader, shmcv.WritablePixels)
        assert (reader.name, reader.size, reader.image, reader.sequence) == (made.name, 48, made.image, 1)
        assert reader.wait(0) == 1
        assert (reader.read() == 5).all()
        assert not reader.array.flags.writeable
        assert reader.buffer.readonly
        with pytest.raises(ValueError, match="read-only"):
            reader.array[0, 0] = 1
        with pytest.raises(AttributeError):
            reader.image = shmcv.ImageInfo(2, 2)
        with pytest.raises(shmcv.PermissionError, match="read-only"):
            made.flip_into(reader, shmcv.FlipCode.BOTH)
        assert issubclass(shmcv.PermissionError, PermissionError)
        made.array[...] = 6
        assert (reader.array == 6).all()
        again = pickle.loads(pickle.dumps(reader))
        assert isinstance(again, shmcv.ReadOnlySegment)
        assert again.image == reader.image
    with pytest.raises(shmcv.ClosedError):
        reader.read()
    with pytest.raises(shmcv.NotFoundError):
        shmcv.ReadOnlySegment.open("nowhere")


@file_of_a_segment
def test_a_file_of_mode_0444_can_be_read(create):
    made = create(48, image=shmcv.ImageInfo(4, 4))
    (SHM / made.name).chmod(0o444)
    with shmcv.ReadOnlySegment.open(made.name) as reader:
        assert reader.image == made.image


def test_memory_of_a_read_only_segment_that_is_written_to_faults(create):
    made = create(48, image=shmcv.ImageInfo(4, 4))
    wrong = """
import ctypes, signal, sys, shmcv
reader = shmcv.ReadOnlySegment.open(sys.argv[1])
assert not reader.array.any()
signal.signal(signal.SIGSEGV, signal.SIG_DFL)
ctypes.memset(reader.array.ctypes.data, 6, 1)
"""
    done = subprocess.run(
        [sys.executable, "-c", wrong, made.name],
        env=environment(), capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert died_of_a_fault(done), done.stderr
    assert not made.array.any()


@linux_alone("Windows promises a section's memory when it is made")
def test_shared_memory_that_has_no_room_left_is_an_error():
    program = """
import shmcv
from multiprocessing import resource_tracker, shared_memory
block = shared_memory.SharedMemory("sparse", create=True, size=2000 * 1500 * 3)
resource_tracker.unregister(block._name, "shared_memory")
for open in (shmcv.Segment.open, shmcv.ReadOnlySegment.open):
    try:
        open("sparse")
    except shmcv.NoSpaceError as error:
        print(error)
"""
    done = python(program, prefix=in_a_namespace("-o", "size=4m", "tmpfs", str(SHM)))
    assert [line.split(":")[1] for line in done.stdout.splitlines()] == [' open "sparse"'] * 2


def test_a_copy_is_one_image_while_another_thread_stores_others(create):
    large, small = np.full((480, 640, 3), 1, np.uint8), np.full((100, 200), 2, np.uint8)
    segment = create(large.nbytes)
    segment.write(large)

    def store() -> None:
        for i in range(300):
            segment.write((small, large)[i % 2])

    storer = threading.Thread(target=store)
    storer.start()
    seen = set()
    while storer.is_alive():
        copied = segment.read()
        assert copied.shape in (large.shape, small.shape)
        assert (copied == (1 if copied.shape == large.shape else 2)).all()
        assert segment.read(shmcv.ColorOrder.RGBA).shape[2] == 4
        seen.add(copied.shape)
    storer.join()
    assert seen


def test_exists_names_whose_it_is_and_sweep(create):
    taken = create(16)
    with pytest.raises(shmcv.ExistsError, match=f"process {os.getpid()}, which has it open.*sweep"):
        shmcv.Segment.create(taken.name, 16)


def test_open_or_create_makes_one_or_opens_what_fits(name):
    with shmcv.Segment.open_or_create(name, 100) as first, shmcv.Segment.open_or_create(name, 50) as second:
        assert (first.created, second.created) == (True, False)
        first.buffer[0] = 7
        assert (second.size, second.buffer[0]) == (100, 7)
        with pytest.raises(shmcv.TooSmallError, match=f'"{name}".*100 bytes.*101 are wanted'):
            shmcv.Segment.open_or_create(name, 101)
        with pytest.raises(shmcv.InvalidError, match="no stream"):
            shmcv.Stream.open_or_create(name, 1)
        first.clear()
    with shmcv.Stream.open_or_create(name, 100, slots=3) as writer, shmcv.Stream.open_or_create(name, 1) as reader:
        assert (writer.created, reader.created) == (True, False)
        assert reader.info.slots == 3
        with pytest.raises(shmcv.TooSmallError, match="4 slots"):
            shmcv.Stream.open_or_create(name, 1, slots=4)
        with pytest.raises(shmcv.TooSmallError, match="4097 bytes"):
            shmcv.Stream.open_or_create(name, 4097)
        writer.clear()


def test_segment_of_an_image_needs_no_size(name):
    image = shmcv.ImageInfo(7, 5, shmcv.ColorOrder.BGRA)
    with shmcv.Segment.create(name, image, clear_on_close=True) as segment:
        assert (segment.image, segment.size, segment.created) == (image, image.size, True)
    with shmcv.Segment.create(name, 1000, image=image, clear_on_close=True) as segment:
        assert (segment.image, segment.size) == (image, 1000)
    with pytest.raises(shmcv.TooSmallError):
        shmcv.Segment.create(name, 10, image=image)
    assert name not in present()


def test_segment_of_a_file_holds_its_picture(name):
    with shmcv.Segment.from_file(name, TESTDATA / "patches.png", clear_on_close=True) as segment:
        np.testing.assert_array_equal(segment.array, cv2.imread(os.fspath(TESTDATA / "patches.png")))
        assert segment.size == segment.image.size
    with shmcv.Segment.from_file(name, TESTDATA / "small-bgra.png", shmcv.LoadFlags.BGRA) as segment:
        assert segment.image.order == shmcv.ColorOrder.BGRA
        segment.clear()
    for bad, kind in (("missing.png", FileNotFoundError), ("truncated.png", shmcv.DecodeError)):
        with pytest.raises(kind):
            shmcv.Segment.from_file(name, TESTDATA / bad)
        assert name not in present()


MAKERS = {
    "create": lambda name: shmcv.Segment.create(name, 10, clear_on_close=True),
    "open_or_create": lambda name: shmcv.Segment.open_or_create(name, 10, clear_on_close=True),
    "from_array": lambda name: shmcv.Segment.from_array(name, np.zeros((2, 2), np.uint8), clear_on_close=True),
    "from_file": lambda name: shmcv.Segment.from_file(name, TESTDATA / "patches.png", clear_on_close=True),
    "stream": lambda name: shmcv.Stream.create(name, 10, clear_on_close=True),
    "open_or_create of a stream": lambda name: shmcv.Stream.open_or_create(name, 10, clear_on_close=True),
}


@pytest.mark.parametrize("maker", MAKERS)
def test_name_is_removed_by_closing_where_wanted(maker, name):
    with pytest.raises(FileNotFoundError, match="missing"), MAKERS[maker](name):
        shmcv.probe("missing.png")
    assert name not in present()

    made = MAKERS[maker](name)
    opened = type(made).open(name)
    made.clear_on_close = False
    made.close()
    assert name in present()
    opened.clear_on_close = True
    view = opened.buffer if isinstance(opened, shmcv.Segment) else None
    opened.close()
    assert name not in present()
    opened.close()
    del view


@pytest.mark.parametrize("maker", MAKERS)
def test_newcomers_name_stays(maker, name):
    with MAKERS[maker](name) as first:
        first.clear()
        with shmcv.Segment.create(name, 10) as newcomer:
            with pytest.raises(shmcv.NotFoundError, match=f'"{name}".*another'):
                first.clear()
            first.close()
            assert name in present()
            newcomer.clear()
    assert name not in present()
