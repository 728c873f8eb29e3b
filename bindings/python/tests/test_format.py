"""docs/segment-format.md is true: a reader that uses struct, mmap and the document, and not this library."""

from __future__ import annotations

import fcntl
import mmap
import os
import re
import struct
import time
import uuid
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from support import ROOT, SHM

import shmcv

TRAILER = 4096
FIRST_LOCK = 1 << 62


class Reader:
    """A segment as the document describes it."""

    def __init__(self, name: str) -> None:
        self.file = (SHM / name).open("r+b")
        self.memory = mmap.mmap(self.file.fileno(), 0)
        self.trailer = len(self.memory) - TRAILER

    def close(self) -> None:
        self.memory.close()
        self.file.close()

    def read(self, layout: str, offset: int) -> tuple:
        return struct.unpack_from("<" + layout, self.memory, self.trailer + offset)

    def identity(self) -> dict[str, object]:
        names = (
            "magic version trailer file_size size capacity created_at uuid owner_start owner slots slot_size zero crc"
        )
        values = self.read("8sIIQQQQ16sQIIQ36sI", 0)
        return dict(zip([*names.split(), "crc"], values))

    def image(self, offset: int) -> tuple[int, ...]:
        return self.read("IIIIIIQ32s", offset)

    def single(self) -> tuple[int, ...]:
        while True:
            (before,) = self.read("Q", 128)
            image = self.image(192)
            if before % 2 == 0 and self.read("Q", 128) == (before,):
                return image

    def newest(self) -> tuple[int, int, tuple[int, ...], bytes]:
        """Return sequence, time, image and pixels of the newest frame, read under a lease as the document says."""
        identity = self.identity()
        lease = next(i for i in range(96) if self.lock(64 + i, fcntl.F_WRLCK))
        while True:
            (published,) = self.read("Q", 320)  # R1
            slots = [i for i in range(identity["slots"]) if self.read("Q", 512 + 128 * i) == (published,)]
            if not slots:
                continue
            slot = 512 + 128 * slots[0]
            self.write("QQ", 2560 + 16 * lease, (slots[0] + 1) << 32 | os.getpid(), published)  # R2
            if self.read("Q", slot) == (published,):  # R3
                break
            self.write("Q", 2560 + 16 * lease, 0)
        (published_at,) = self.read("Q", slot + 8)
        image = self.image(slot + 64)
        start = slots[0] * identity["slot_size"]
        pixels = self.memory[start : start + (image[1] - 1) * image[6] + image[0] * image[2]]
        self.write("Q", 2560 + 16 * lease, 0)  # R4
        self.lock(64 + lease, fcntl.F_UNLCK)
        return published, published_at, image, pixels

    def write(self, layout: str, offset: int, *values: int) -> None:
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

    def make(name: str) -> Reader:
        opened.append(Reader(name))
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
        assert identity == {
            "magic": b"SHMCVSEG",
            "version": 1,
            "trailer": TRAILER,
            "file_size": length,
            "size": size,
            "capacity": length - TRAILER,
            "owner_start": int(started),
            "owner": os.getpid(),
            "slots": slots,
            "slot_size": slot_size,
            "zero": bytes(36),
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
    assert raw.read("QI", 320) == (0, 0)
    for sequence in range(1, 10):
        pixels = np.full((20, 30 + sequence), sequence, np.uint8)
        before = time.monotonic_ns()
        stream.publish(pixels)
        found, published_at, image, content = raw.newest()
        assert found == sequence
        assert before < published_at < time.monotonic_ns()
        assert image == (30 + sequence, 20, 1, 1, 1, 0, 30 + sequence, bytes(32))
        assert content == pixels.tobytes()
        assert raw.read("QI", 320) == (sequence, sequence)
    assert raw.read("I", 448) == (os.getpid(),)
    assert sorted(raw.read("Q", 512 + 128 * slot)[0] for slot in range(3)) == [7, 8, 9]


def test_documented_lease_holds_a_slot(stream: shmcv.Stream, reader: Callable[[str], Reader]) -> None:
    raw = reader(stream.name)
    stream.publish(np.full((2, 2), 1, np.uint8))
    slot = next(i for i in range(3) if raw.read("Q", 512 + 128 * i) == (1,))
    assert raw.lock(64 + 9, fcntl.F_WRLCK)
    raw.write("Q", 2560 + 16 * 9, (slot + 1) << 32 | os.getpid())
    for mark in range(2, 10):
        stream.publish(np.full((2, 2), mark, np.uint8))
        assert raw.read("Q", 512 + 128 * slot) == (1,)
        assert raw.memory[slot * 8192] == 1
    with stream.wait() as frame:  # the library's own lease is where the document says
        holders = [raw.read("Q", 2560 + 16 * i)[0] for i in range(96)]
        (library,) = (holder for i, holder in enumerate(holders) if holder and i != 9)
        assert library & 0xFFFFFFFF == os.getpid()
        assert raw.read("Q", 512 + 128 * ((library >> 32) - 1)) == (frame.sequence,)
    assert raw.lock(64 + 9, fcntl.F_UNLCK)  # as if its holder had died: the lease is reclaimed when slots run out
    kept = stream.wait()
    stream.publish(np.full((2, 2), 10, np.uint8))
    stream.publish(np.full((2, 2), 11, np.uint8))
    kept.close()


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


def test_document_and_layout_name_the_same_version() -> None:
    document = (ROOT / "docs" / "segment-format.md").read_text()
    source = (ROOT / "shm" / "layout.go").read_text()
    found = re.search(r"layoutVersion = (\d+)", source)
    assert found is not None
    assert f"layout version, {found[1]} |" in document
