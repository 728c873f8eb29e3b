"""docs/segment-format.md is true: a reader that uses struct, mmap and the document, and not this library."""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import platform
import re
import struct
import threading
import time
import uuid
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from support import ROOT
from system_linux import SHM

import shmcv

TRAILER = 4096
PAGE = 4096
RECORD = 1152
FIRST_LOCK = 1 << 62
WRITER = 1 << 63
SYS_FUTEX, FUTEX_WAIT = {"x86_64": 202, "aarch64": 98}.get(platform.machine(), 0), 0
SEQUENTIALLY_CONSISTENT, ACQUIRE = 5, 2  # GCC's __ATOMIC_SEQ_CST and __ATOMIC_ACQUIRE

atomic = ctypes.CDLL("libatomic.so.1")  # what Python lacks
compare_exchange = atomic["__atomic_compare_exchange_8"]
compare_exchange.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_int, ctypes.c_int]
compare_exchange.restype = ctypes.c_bool


ImageFields = tuple[int, int, int, int, int, int, int, bytes]


def pages(size: int) -> int:
    return -(-size // PAGE) * PAGE


class Reader:
    """A segment as the document describes it. One that is read-only cannot write a byte, and has no place."""

    def __init__(self, name: str, read_only: bool = False) -> None:
        self.file = (SHM / name).open("rb" if read_only else "r+b")
        self.memory = mmap.mmap(self.file.fileno(), 0, access=mmap.ACCESS_READ if read_only else mmap.ACCESS_WRITE)
        self.trailer = len(self.memory) - TRAILER
        slots = self.identity()["slots"]
        self.holders = self.trailer - pages(64 * slots + 4096 * bool(slots))
        self.places = self.trailer - 4096
        self.records = self.holders - pages(RECORD * slots)

    def close(self) -> None:
        self.memory.close()
        self.file.close()

    def read(self, layout: str, offset: int) -> tuple:
        return struct.unpack_from("<" + layout, self.memory, self.trailer + offset)

    def identity(self) -> dict[str, object]:
        names = (
            "magic version trailer file_size size capacity created_at uuid owner_start owner slots slot_size "
            "when_behind zero utc_offset zeros crc"
        )
        return dict(zip(names.split(), self.read("8sIIQQQQ16sQIIQIIq20sI", 0)))

    def image(self, offset: int) -> ImageFields:
        return self.read("IIIIIIQ32s", offset)

    def single(self) -> ImageFields:
        while True:
            (before,) = self.read("Q", 128)
            image = self.image(192)
            if before % 2 == 0 and self.read("Q", 128) == (before,):
                return image

    def record(self, slot: int) -> tuple[int, int, int, int, int]:
        """Return sequence, time, time of capture, turn, and bytes of metadata."""
        return struct.unpack_from("<5Q", self.memory, self.records + RECORD * slot)

    def take_place(self) -> int:
        place = next(p for p in range(63) if self.lock(64 + p, fcntl.F_WRLCK))
        for slot in range(self.identity()["slots"]):
            self.change_holders(slot, lambda bits: bits & ~(1 << place))
        return place

    def leave_place(self, place: int) -> None:
        self.lock(64 + place, fcntl.F_UNLCK)

    def held(self, slot: int) -> int:
        return struct.unpack_from("<Q", self.memory, self.holders + 64 * slot)[0]

    def change_holders(self, slot: int, change: Callable[[int], int | None]) -> bool:
        """Change a slot's holders as one step. The change is refused by None."""
        word = ctypes.c_uint64.from_buffer(self.memory, self.holders + 64 * slot)
        while True:
            before = ctypes.c_uint64(word.value)
            after = change(before.value)
            if after is None:
                return False
            order = (SEQUENTIALLY_CONSISTENT, SEQUENTIALLY_CONSISTENT)
            if compare_exchange(ctypes.addressof(word), ctypes.addressof(before), after, *order):
                return True

    def newest(self) -> tuple[int, int, ImageFields, bytes]:
        """Return sequence, time, image and pixels of the newest frame, read in a place as the document says."""
        place = self.take_place()
        while True:
            (published,) = self.read("Q", 320)  # R1
            sequence, slot = divmod(published, 1024)
            if not self.change_holders(slot, lambda bits: None if bits & WRITER else bits | 1 << place):  # R2
                continue
            if self.record(slot)[0] == sequence:  # R3
                break
            self.change_holders(slot, lambda bits: bits & ~(1 << place))
        frame = self.frame(slot)
        self.change_holders(slot, lambda bits: bits & ~(1 << place))  # R4
        self.leave_place(place)
        return sequence, *frame

    def newest_without_place(self) -> tuple[int, int, ImageFields, bytes]:
        """Return the same, read as by a reader that may not write to the file."""
        while True:
            sequence, slot = divmod(*self.read("Q", 320), 1024)  # L1
            if self.record(slot)[0] != sequence:  # L2
                continue
            frame = self.frame(slot)  # L3
            if self.is_still(sequence, slot):
                return sequence, *frame

    def is_still(self, sequence: int, slot: int) -> bool:
        """Return true if all that was read of a frame before is of that frame."""
        atomic["atomic_thread_fence"](ACQUIRE)
        return self.record(slot)[0] == sequence  # L4

    def sleep(self, bell: int) -> None:
        """Sleep on the stream bell until it is rung, unless it has another value than ``bell``. No mark is set."""
        word = np.frombuffer(self.memory, np.uint32, 1, self.trailer + 328)
        ctypes.CDLL(None).syscall(SYS_FUTEX, ctypes.c_void_p(word.ctypes.data), FUTEX_WAIT, bell, None)

    def frame(self, slot: int) -> tuple[int, ImageFields, bytes]:
        at = self.records + RECORD * slot + 64
        image = struct.unpack_from("<IIIIIIQ32s", self.memory, at)
        start = slot * self.identity()["slot_size"]
        size = (image[1] - 1) * image[6] + image[0] * image[2]
        return self.record(slot)[1], image, self.memory[start : start + size]

    def publish(self, image: ImageFields, pixels: bytes) -> int:
        """Publish a frame as the document says. Return its sequence."""
        assert self.lock(2, fcntl.F_WRLCK)
        slots = self.identity()["slots"]
        newest, newest_slot = divmod(*self.read("Q", 320), 1024)
        slot = next(
            (newest_slot + 1 + i) % slots
            for i in range(slots)
            if (newest_slot + 1 + i) % slots != newest_slot or newest == 0
            if self.change_holders((newest_slot + 1 + i) % slots, lambda bits: None if bits else WRITER)  # W1
        )
        assert self.read("Q", 640) == (0,)  # W2: nobody reads every frame
        record = self.records + RECORD * slot
        struct.pack_into("<Q", self.memory, record, 0)
        start = slot * self.identity()["slot_size"]
        self.memory[start : start + len(pixels)] = pixels  # W3
        struct.pack_into("<QQ", self.memory, record + 8, time.monotonic_ns(), 0)
        struct.pack_into("<IIIIIIQ32s", self.memory, record + 64, *image)
        struct.pack_into("<Q", self.memory, record, newest + 1)  # W4
        packed = (newest + 1) * 1024 + slot
        struct.pack_into("<Q", self.memory, self.records + RECORD * ((newest + 1) % slots) + 24, packed)
        self.change_holders(slot, lambda bits: bits & ~WRITER)
        self.write("Q", 320, packed)  # W5
        self.write("I", 328, self.read("I", 328)[0] + 1)  # nobody sleeps
        assert self.lock(2, fcntl.F_UNLCK)
        return newest + 1

    def replaced(self, name: str) -> bool:
        """Return True if another stream has the name."""
        own = os.fstat(self.file.fileno())
        try:
            named = (SHM / name).lstat()
        except FileNotFoundError:
            return False
        if (named.st_dev, named.st_ino) == (own.st_dev, own.st_ino):
            return False
        return Reader(name).identity()["slots"] != 0

    def clear(self, name: str) -> None:
        """Remove the stream's name, and tell."""
        assert self.lock(5, fcntl.F_WRLCK)
        (SHM / name).unlink()
        self.write("I", 472, 1)
        self.write("I", 328, self.read("I", 328)[0] + 1)  # nobody sleeps
        self.write("I", 512, self.read("I", 512)[0] + 1)
        assert self.lock(5, fcntl.F_UNLCK)

    def write(self, layout: str, offset: int, *values: object) -> None:
        struct.pack_into("<" + layout, self.memory, self.trailer + offset, *values)

    def lock(self, number: int, kind: int) -> bool:
        """Try to take or give back the lock on a byte. 37 is F_OFD_SETLK. The structure is that of 64-bit Linux."""
        request = struct.pack("hhqqi4x", kind, os.SEEK_SET, FIRST_LOCK + number, 1, 0)
        try:
            fcntl.fcntl(self.file, 37, request)
        except BlockingIOError:
            return False
        return True


@pytest.fixture
def reader() -> Iterator[Callable[[str], Reader]]:
    """A function that opens readers, which are closed after the test."""
    opened: list[Reader] = []

    def make(name: str, read_only: bool = False) -> Reader:
        opened.append(Reader(name, read_only))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@pytest.fixture
def stream(name: str) -> Iterator[shmcv.Stream]:
    with shmcv.Stream.create(name, 5000, slots=3) as made:
        yield made
    shmcv.clear(name)


def test_identity_is_as_documented(
    create: Callable[..., shmcv.Segment], stream: shmcv.Stream, reader: Callable[[str], Reader]
) -> None:
    segment = create(100_000)
    for opened, size, slots, slot_size in ((segment, 100_000, 0, 0), (stream, 3 * 8192, 3, 8192)):
        raw, info = reader(opened.name), opened.info
        identity = raw.identity()
        assert identity.pop("created_at") // 10**9 == pytest.approx(time.time(), abs=3600)
        assert uuid.UUID(bytes=identity.pop("uuid")) == info.uuid
        started = Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19]
        length = len(raw.memory)
        assert length % 65536 == 0
        offset = time.time_ns() - time.monotonic_ns()
        assert identity.pop("utc_offset") == pytest.approx(offset, abs=3600 * 10**9)
        assert identity == {
            "magic": b"SHMCVSEG",
            "version": 2,
            "trailer": TRAILER,
            "file_size": length,
            "size": size,
            "capacity": raw.records,
            "owner_start": int(started),
            "owner": os.getpid(),
            "slots": slots,
            "slot_size": slot_size,
            "when_behind": 1 if slots else 0,
            "zero": 0,
            "zeros": bytes(20),
            "crc": zlib.crc32(raw.memory[raw.trailer : raw.trailer + 124]),
        }


def test_single_image_is_as_documented(create: Callable[..., shmcv.Segment], reader: Callable[[str], Reader]) -> None:
    segment = create(100_000)
    raw = reader(segment.name)
    assert raw.single() == (0, 0, 0, 0, 0, 0, 0, bytes(32))
    pixels = np.random.default_rng(1).integers(0, 65536, (20, 30, 3), np.uint16)
    segment.write(pixels)
    assert raw.single() == (30, 20, 3, 2, 2, 0, 180, bytes(32))
    assert raw.memory[: pixels.nbytes] == pixels.tobytes()
    assert raw.read("QI", 128) == (2, 1)
    (stored,) = raw.read("Q", 144)
    assert stored > 0
    assert stored % 2 == 0
    segment.image = shmcv.ImageInfo(4, 5, shmcv.ColorOrder.RGBA, shmcv.Depth.F32, 80)
    assert raw.single() == (4, 5, 4, 3, 5, 0, 80, bytes(32))
    assert raw.read("QI", 128) == (4, 2)


def test_frames_are_as_documented(stream: shmcv.Stream, reader: Callable[[str], Reader]) -> None:
    raw = reader(stream.name)
    assert raw.read("Q", 320) == (0,)
    for sequence in range(1, 10):
        pixels = np.full((20, 30 + sequence), sequence, np.uint8)
        before = time.monotonic_ns()
        (bell,) = raw.read("I", 328)
        stream.publish(pixels)
        for read in (raw.newest, raw.newest_without_place):
            found, published_at, image, content = read()
            assert found == sequence
            assert before < published_at < time.monotonic_ns()
            assert image == (30 + sequence, 20, 1, 1, 1, 0, 30 + sequence, bytes(32))
            assert content == pixels.tobytes()
        assert raw.read("Q", 320)[0] // 1024 == sequence
        assert raw.read("I", 328)[0] > bell
    assert raw.read("II", 448) == (os.getpid(), 1)
    assert sorted(raw.record(slot)[0] for slot in range(3)) == [7, 8, 9]
    turns = [divmod(raw.record(slot)[3], 1024) for slot in range(3)]
    assert [turn[0] for turn in turns] == [9, 7, 8]
    assert all(raw.record(slot)[0] == sequence for sequence, slot in turns)


def test_reader_that_only_reads_is_as_documented(name: str, reader: Callable[..., Reader]) -> None:
    """It sees whole frames, knows when it was overtaken, and is woken although it cannot say that it sleeps."""
    with shmcv.Stream.create(name, 5000, slots=2, mode=0o644, clear_on_close=True) as stream:
        stream.publish(np.full((20, 30), 1, np.uint8))
        raw = reader(name, read_only=True)
        with pytest.raises(TypeError):
            raw.memory[0] = 1
        sequence, slot = divmod(*raw.read("Q", 320), 1024)
        assert raw.newest_without_place()[0] == sequence == 1
        stream.publish(np.full((20, 30), 2, np.uint8))
        assert raw.is_still(sequence, slot)
        stream.publish(np.full((20, 30), 3, np.uint8))
        assert not raw.is_still(sequence, slot)
        assert raw.newest_without_place()[3] == bytes([3]) * 600
        assert not any(raw.held(slot) for slot in range(2))

        (bell,) = raw.read("I", 328)
        sleeper = threading.Thread(target=raw.sleep, args=(bell,), daemon=True)
        sleeper.start()
        call = Path(f"/proc/self/task/{sleeper.native_id}/syscall")
        deadline = time.monotonic() + 60
        while not call.read_text().startswith(f"{SYS_FUTEX} ") and time.monotonic() < deadline:
            pass  # it does not sleep yet
        stream.publish(np.full((20, 30), 4, np.uint8))
        sleeper.join(60)
        assert not sleeper.is_alive()
        assert raw.newest_without_place()[0] == 4


def test_documented_place_holds_a_slot(stream: shmcv.Stream, reader: Callable[[str], Reader]) -> None:
    raw = reader(stream.name)
    stream.publish(np.full((2, 2), 1, np.uint8))
    slot = raw.read("Q", 320)[0] % 1024
    place = 9
    assert raw.lock(64 + place, fcntl.F_WRLCK)
    assert raw.change_holders(slot, lambda bits: bits | 1 << place)
    for mark in range(2, 10):
        stream.publish(np.full((2, 2), mark, np.uint8))
        assert raw.record(slot)[0] == 1
        assert raw.memory[slot * 8192] == 1
    with stream.wait() as frame:  # the library's own bit is where the document says
        (held,) = (i for i in range(3) if raw.held(i) & ~(1 << place))
        assert raw.record(held)[0] == frame.sequence
        library = raw.held(held).bit_length() - 1
        assert struct.unpack_from("<Q", raw.memory, raw.places + 64 * library + 8) == (os.getpid(),)
        assert not raw.lock(64 + library, fcntl.F_WRLCK)
    raw.leave_place(place)  # as if its holder had died: the slot is reclaimed when slots run out
    kept = stream.wait()
    stream.publish(np.full((2, 2), 10, np.uint8))
    stream.publish(np.full((2, 2), 11, np.uint8))
    kept.close()


def test_frame_of_a_documented_writer_is_read(stream: shmcv.Stream, reader: Callable[[str], Reader]) -> None:
    raw = reader(stream.name)
    for sequence in range(1, 10):
        pixels = np.full((4, 6, 3), sequence, np.uint8)
        assert raw.publish((6, 4, 3, 1, 2, 0, 18, bytes(32)), pixels.tobytes()) == sequence
        with stream.wait(sequence - 1, timeout=60) as frame:
            assert frame.sequence == sequence
            assert np.array_equal(np.asarray(frame), pixels)
    assert stream.publish(np.zeros((2, 2), np.uint8)) == 10


def test_documented_locks_are_held(stream: shmcv.Stream, reader: Callable[[str], Reader]) -> None:
    raw = reader(stream.name)
    assert not raw.lock(0, fcntl.F_WRLCK)  # the creator has it open
    assert raw.lock(2, fcntl.F_WRLCK)  # the stream has no writer yet
    with pytest.raises(shmcv.BusyError):
        stream.begin()
    raw.lock(2, fcntl.F_UNLCK)
    stream.publish(np.zeros((2, 2), np.uint8))
    assert not raw.lock(2, fcntl.F_WRLCK)
    assert not raw.lock(4, fcntl.F_WRLCK)  # a process has it open
    assert raw.lock(4, fcntl.F_RDLCK)


def test_cleared_stream_is_marked_as_documented(stream: shmcv.Stream, reader: Callable[[str], Reader]) -> None:
    raw = reader(stream.name)
    assert raw.read("I", 472) == (0,)
    assert not raw.replaced(stream.name)
    stream.clear()
    assert raw.read("I", 472) == (1,)
    assert raw.read("I", 328) == (1,)
    assert not raw.replaced(stream.name)  # nobody has the name
    with shmcv.Stream.create(stream.name, 5000):
        assert raw.replaced(stream.name)
        with pytest.raises(shmcv.ReplacedError):
            stream.wait()


def test_documented_removal_of_a_name_is_told(stream: shmcv.Stream, reader: Callable[[str], Reader]) -> None:
    raw = reader(stream.name)
    raw.clear(stream.name)
    with pytest.raises(TimeoutError):
        stream.wait(timeout=0)
    with shmcv.Stream.create(stream.name, 5000), pytest.raises(shmcv.ReplacedError):
        stream.wait(timeout=0)  # at once, by the mark


def test_document_and_layout_name_the_same_version() -> None:
    document = (ROOT / "docs" / "segment-format.md").read_text()
    source = (ROOT / "shm" / "layout.go").read_text()
    found = re.search(r"layoutVersion = (\d+)", source)
    assert found is not None
    assert f"layout version, {found[1]} |" in document
