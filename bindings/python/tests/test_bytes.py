"""Files' bytes in memory: they are decoded as their files are, and what is encoded is what would be saved."""

from __future__ import annotations

import gzip
import io
import mmap
import threading

import numpy as np
import pytest
from support import FLAGS, PHOTOGRAPH, TESTDATA, Geometry, code, vectors

import shmcv


def joined(columns: tuple[str, ...]) -> str:
    return " ".join(columns[:4])


@pytest.mark.parametrize("columns", vectors("load"), ids=joined)
def test_decode(columns, create):
    file, flag, *geometry = columns
    data = (TESTDATA / file).read_bytes()
    probed = shmcv.probe_bytes(data, FLAGS[flag])
    assert probed == shmcv.probe(TESTDATA / file, FLAGS[flag])
    segment = create(probed.size)
    assert segment.decode(data, FLAGS[flag]) == probed == segment.image
    assert Geometry.of(segment) == Geometry.parse(tuple(geometry))


@pytest.mark.parametrize("columns", [row for row in vectors("save") if row[2] != "-"], ids=joined)
def test_encode(columns, create, tmp_path):
    file, flag, extension, quality, result, *_ = columns
    segment = create(shmcv.probe(TESTDATA / file, FLAGS[flag]).size)
    segment.load(TESTDATA / file, FLAGS[flag])
    if result != "OK":
        with pytest.raises(shmcv.ShmcvError) as caught:
            segment.encode(extension, int(quality))
        assert caught.value.code == code(result)
        return
    segment.save(tmp_path / f"saved{extension}", int(quality))
    encoded = segment.encode(extension, int(quality))
    assert encoded == (tmp_path / f"saved{extension}").read_bytes()
    assert len(encoded) <= shmcv.encode_bound(segment.image, extension)


@pytest.mark.parametrize(
    "source",
    [
        bytes,
        bytearray,
        memoryview,
        lambda data: np.frombuffer(data, np.uint8),
        lambda data: np.frombuffer(data[: len(data) // 2 * 2], np.uint16),
        io.BytesIO,
        lambda data: gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(data))),
    ],
    ids=["bytes", "bytearray", "memoryview", "uint8", "uint16", "BytesIO", "gzip"],
)
def test_whatever_holds_bytes_is_decoded(source, create):
    path = TESTDATA / "small.ppm"
    data = path.read_bytes() + b"\n"  # behind the pixels, so that an odd number of bytes may be cut
    segment = create(shmcv.probe(path).size)
    segment.decode(source(data))
    decoded = bytes(segment.buffer)
    segment.load(path)
    assert decoded == bytes(segment.buffer)
    assert shmcv.probe_bytes(source(data)) == segment.image


def test_an_open_file_is_read_from_where_it_is(create):
    segment = create(image=shmcv.probe(PHOTOGRAPH))
    with PHOTOGRAPH.open("rb") as file:
        segment.decode(file)
        assert file.read() == b""
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as view:
            assert shmcv.probe_bytes(view) == segment.image
    with pytest.raises(shmcv.DecodeError, match="0 bytes"):
        segment.decode(io.BytesIO())


@pytest.mark.parametrize("wrong", ["photograph.jpg", None, 7, [1, 2]], ids=repr)
def test_what_has_no_bytes_is_a_type_error(wrong, create):
    segment = create(100)
    for use in (segment.decode, shmcv.probe_bytes):
        with pytest.raises(TypeError):
            use(wrong)


def test_bytes_with_gaps_are_refused(create):
    with pytest.raises(BufferError, match="contiguous"):
        create(100).decode(memoryview(b"GIF89a" * 10)[::2])


def test_bytes_go_into_a_callers_buffer_and_another_segment(create):
    photo = create(image=shmcv.probe(TESTDATA / "patches.png"))
    photo.load(TESTDATA / "patches.png")
    wanted = photo.encode(".png")
    room = bytearray(shmcv.encode_bound(photo.image, ".png"))
    assert bytes(room[: photo.encode_into(room, ".png")]) == wanted
    file, again = create(len(room)), create(photo.size)
    size = photo.encode_into(file.buffer, ".png")
    again.decode(file.buffer[:size])
    np.testing.assert_array_equal(again.array, photo.array)
    file.decode(file.buffer[:size])  # in its own place
    np.testing.assert_array_equal(file.array, photo.array)
    with pytest.raises(shmcv.TooSmallError, match=str(len(wanted))):
        photo.encode_into(bytearray(10), ".png")
    with pytest.raises(TypeError, match="read-only"):
        photo.encode_into(bytes(len(room)), ".png")


def test_frames_take_and_give_bytes(name):
    data = (TESTDATA / "patches.jpg").read_bytes()
    with shmcv.Stream.create(name, shmcv.probe_bytes(data).size, clear_on_close=True) as stream:
        with stream.begin() as frame:
            frame.decode(data)
            frame.publish()
        with shmcv.Stream.open(name) as reader, reader.wait(timeout=10) as seen:
            assert shmcv.probe_bytes(seen.encode(".png")) == seen.image


def test_encode_follows_an_image_that_grows_meanwhile(create):
    segment = create(1000 * 1000)
    images = [np.zeros((8, 8), np.uint8), np.random.default_rng(1).integers(0, 256, (1000, 1000), np.uint8)]
    segment.write(images[0])
    stop = threading.Event()

    def store() -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            segment.write(images[turn % 2])

    writer = threading.Thread(target=store)
    writer.start()
    try:
        for _ in range(30):
            assert shmcv.probe_bytes(segment.encode(".bmp")).height in (8, 1000)
    finally:
        stop.set()
        writer.join()
