"""Pickling and copying: a segment or stream passes its name, and a frame refuses and says what to send instead."""

from __future__ import annotations

import copy
import ctypes
import gc
import multiprocessing
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from support import clear

import shmcv
from shmcv._check import check
from shmcv._library import library
from shmcv.constants import MESSAGE_SIZE

GRAY = shmcv.ImageInfo(4, 3, shmcv.ColorOrder.GRAY)

WAYS: dict[str, Callable[[Any], Any]] = {
    **{f"pickle{protocol}": lambda what, protocol=protocol: pickle.dumps(what, protocol) for protocol in range(6)},
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "in a list": lambda what: copy.deepcopy([what]),
    "multiprocessing": multiprocessing.reduction.ForkingPickler.dumps,
}


@pytest.fixture
def stream(name: str) -> Iterator[shmcv.Stream]:
    """A stream of small gray frames, with one frame in it."""
    with shmcv.Stream.create(name, GRAY.size) as made:
        made.publish(np.full(GRAY.shape, 7, np.uint8))
        yield made
    clear(name)


def last_message() -> str:
    """Return the message of the library's last error on this thread."""
    buffer = ctypes.create_string_buffer(MESSAGE_SIZE)
    library().shmcv_last_error(buffer, MESSAGE_SIZE)
    return buffer.value.decode()


@pytest.mark.parametrize("way", WAYS)
def test_frame_is_not_copied_and_says_what_to_send(way: str, stream: shmcv.Stream) -> None:
    with stream.wait() as frame:
        with pytest.raises(TypeError, match=rf'frame of stream "{stream.name}".*pickled.*name.*read\(\)'):
            WAYS[way](frame)
        assert (pickle.loads(pickle.dumps(frame.array)) == 7).all()
        assert (pickle.loads(pickle.dumps(frame.read())) == 7).all()


@pytest.mark.parametrize("way", WAYS)
def test_new_frame_is_not_copied_and_says_what_to_send(way: str, stream: shmcv.Stream) -> None:
    with stream.begin() as frame:
        with pytest.raises(TypeError, match=rf'frame of stream "{stream.name}".*pickled.*name'):
            WAYS[way](frame)
        frame.image = GRAY
    assert frame.sequence == 2


@pytest.mark.parametrize("way", WAYS)
def test_closed_frame_is_not_copied_either(way: str, stream: shmcv.Stream) -> None:
    frame = stream.wait()
    frame.close()
    with pytest.raises(TypeError, match="pickled"):
        WAYS[way](frame)


@pytest.mark.parametrize("way", WAYS)
def test_handles_and_iterators_are_not_copied(way: str, stream: shmcv.Stream) -> None:
    frames = stream.frames()
    with pytest.raises(TypeError, match=r"newer_than"):
        WAYS[way](frames)
    with next(frames) as frame:
        for what in (frame._memory, stream._stream):
            with pytest.raises(TypeError, match="handle"):
                WAYS[way](what)


def test_copy_of_a_segment_is_the_same_segment_and_a_deep_copy_is_refused(create: Callable[..., shmcv.Segment]) -> None:
    segment = create(image=GRAY)
    with copy.copy(segment) as again:
        assert again._handle != segment._handle
        again.array[:] = 5
    assert (segment.array == 5).all()
    with pytest.raises(TypeError, match=rf'segment "{segment.name}".*read\(\)'):
        copy.deepcopy(segment)


def test_copy_of_a_stream_is_the_same_stream_and_a_deep_copy_is_refused(stream: shmcv.Stream) -> None:
    with copy.copy(stream) as again, again.wait() as frame:
        assert (frame.array == 7).all()
    with pytest.raises(TypeError, match=f'stream "{stream.name}"'):
        copy.deepcopy(stream)


def test_pickled_segment_is_not_another_one_of_its_name(name: str) -> None:
    for kind, make in (
        (shmcv.Segment, lambda: shmcv.Segment.create(name, 10)),
        (shmcv.Stream, lambda: shmcv.Stream.create(name, 10)),
    ):
        with make() as first:
            pickled = pickle.dumps(first)
            first.clear()
            with pytest.raises(FileNotFoundError, match=name):
                pickle.loads(pickled)
            with make() as second:
                with pytest.raises(FileNotFoundError, match=f'"{name}".*another'):
                    pickle.loads(pickled)
                with pickle.loads(pickle.dumps(second)) as again:
                    assert isinstance(again, kind)
                    assert again.info.uuid == second.info.uuid
                second.clear()


def test_closed_segment_is_not_opened_again_by_pickling(create: Callable[..., shmcv.Segment]) -> None:
    segment = create(10)
    segment.close()
    for way in (pickle.dumps, copy.copy):
        with pytest.raises(shmcv.ClosedError, match=segment.name):
            way(segment)


def test_image_loader_is_copied_without_its_segments(create: Callable[..., shmcv.Segment]) -> None:
    segment, loader = create(image=GRAY), shmcv.ImageLoader()
    loader.Flip(segment.name, segment.name, 1, 3, 4, 1)
    for again in (pickle.loads(pickle.dumps(loader)), copy.copy(loader), copy.deepcopy(loader)):
        again.Flip(segment.name, segment.name, 1, 3, 4, 1)


def test_descriptions_and_errors_are_pickled(create: Callable[..., shmcv.Segment]) -> None:
    segment = create(image=GRAY)
    for value in (GRAY, segment.info, shmcv.ColorOrder.BGR, shmcv.FlipCode.BOTH):
        assert pickle.loads(pickle.dumps(value)) == copy.deepcopy(value) == value


def test_closed_and_published_frames_call_the_library_no_more(stream: shmcv.Stream) -> None:
    with pytest.raises(shmcv.NotFoundError):
        shmcv.Segment.open("no-segment-has-this-name")
    message = last_message()
    assert "no-segment-has-this-name" in message
    with stream.begin() as published:
        published.image = GRAY
    given_back = stream.begin()
    given_back.close()
    given_back.close()
    left = stream.begin()
    with left:
        left.close()
    frame = stream.wait()
    frame.close()
    frame.close()
    del published, given_back, left, frame
    gc.collect()
    assert last_message() == message
    with stream.begin() as again:  # the slots are free
        again.image = GRAY


def test_interrupt_of_publish_is_not_replaced_by_an_error_of_close(stream: shmcv.Stream) -> None:
    """Ctrl-C may come when the library has published the frame, and the package does not know it yet."""
    with pytest.raises(KeyboardInterrupt), stream.begin() as frame:  # noqa: PT012 # the end of the block is what is tested
        frame.image = GRAY
        check(library().shmcv_frame_publish(frame._handle, None))
        raise KeyboardInterrupt
    assert frame.closed
    with stream.wait(1) as published:
        assert published.sequence == 2
