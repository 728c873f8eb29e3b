"""Between processes: plain shared memory, forks, spawned workers, kills, interrupts and threads."""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
import threading
from multiprocessing import shared_memory

import cv2
import numpy as np
import pytest
from support import PATIENCE, PHOTOGRAPH, TESTDATA, Process, python
from system import interrupt, kept_by_nobody, linux_alone, present

import shmcv

#: A program that reads a segment without shmcv, as the documentation says.
PLAIN_READER = """
import sys
from multiprocessing import resource_tracker, shared_memory
import numpy as np

name, height, width, output = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
if sys.version_info >= (3, 13) or sys.platform == "win32":
    memory = shared_memory.SharedMemory(name, **({} if sys.platform == "win32" else {"track": False}))
else:
    memory = shared_memory.SharedMemory(name)
    resource_tracker.unregister(memory._name, "shared_memory")
pixels = np.ndarray((height, width, 3), np.uint8, memory.buf)
np.save(output, pixels)
del pixels
memory.close()
"""


def test_a_plain_reader_sees_the_photograph_and_the_segment_survives_it(create, tmp_path):
    segment = create(3840 * 2160 * 3)
    segment.load(PHOTOGRAPH)
    done = python(PLAIN_READER, segment.name, 2160, 3840, tmp_path / "seen.npy")
    assert done.stderr == ""
    np.testing.assert_array_equal(np.load(tmp_path / "seen.npy"), cv2.imread(os.fspath(PHOTOGRAPH)))
    with shmcv.Segment.open(segment.name) as again:
        assert again.image == segment.image


@linux_alone("Windows has no resource tracker, and no name that it could unlink")
@pytest.mark.skipif(sys.version_info >= (3, 13), reason="Python 3.13 and later need not track what they only attach")
def test_a_careless_plain_reader_takes_the_name_but_not_the_memory(create, tmp_path):
    segment = create(image=shmcv.ImageInfo(4, 4))
    careless = PLAIN_READER.replace("    resource_tracker.unregister", "    # resource_tracker.unregister")
    python(careless, segment.name, 4, 4, tmp_path / "seen.npy")
    assert segment.name not in present()  # the reader's resource tracker has unlinked it
    segment.array[:] = 3
    assert (segment.array == 3).all()


def test_plain_shared_memory_is_flipped_and_saved(name, tmp_path):
    pixels = cv2.imread(os.fspath(TESTDATA / "small-bgr.png"))
    plain = shared_memory.SharedMemory(name, create=True, size=pixels.nbytes)
    try:
        np.ndarray(pixels.shape, np.uint8, plain.buf)[:] = pixels
        with shmcv.Segment.open(name) as segment:
            assert segment.info.foreign
            segment.image = shmcv.ImageInfo(67, 43)
            np.testing.assert_array_equal(segment.array, pixels)
            segment.save(tmp_path / "saved.png")
            np.testing.assert_array_equal(cv2.imread(os.fspath(tmp_path / "saved.png")), pixels)
            segment.flip(shmcv.FlipCode.HORIZONTAL)
            np.testing.assert_array_equal(np.ndarray(pixels.shape, np.uint8, plain.buf), cv2.flip(pixels, 1))
            segment.load(TESTDATA / "small-bgr.png")
            np.testing.assert_array_equal(np.ndarray(pixels.shape, np.uint8, plain.buf), pixels)
    finally:
        gc.collect()
        plain.close()
        plain.unlink()


def test_a_plain_writer_in_another_process_is_seen(name):
    writer = """
import sys
from multiprocessing import shared_memory
import numpy as np
plain = shared_memory.SharedMemory(sys.argv[1], create=True, size=67 * 43 * 3)
pixels = np.ndarray((43, 67, 3), np.uint8, plain.buf)
pixels[:] = np.arange(67 * 43 * 3).reshape(pixels.shape) % 251
print("written")
input()
del pixels
plain.close()
plain.unlink()
"""
    with Process(writer, name) as process:
        assert process.hear() == "written"
        with shmcv.Segment.open(name) as segment:
            segment.image = shmcv.ImageInfo(67, 43)
            segment.flip(shmcv.FlipCode.VERTICAL)
            wanted = (np.arange(67 * 43 * 3).reshape(43, 67, 3) % 251).astype(np.uint8)[::-1]
            np.testing.assert_array_equal(segment.array, wanted)
        process.say()
        process.end()
    assert name not in present()


@linux_alone("Windows does not copy processes")
def test_a_fork_before_the_first_use_is_none(create):
    program = """
import os, sys, shmcv
child = os.fork()
with shmcv.Segment.open(sys.argv[1]) as segment:
    segment.array[0, 1 if child else 0] = 5
if child == 0:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""
    segment = create(image=shmcv.ImageInfo(2, 1, shmcv.ColorOrder.GRAY))
    python(program, segment.name)
    assert segment.array.tolist() == [[5, 5]]


def flip(segment: shmcv.Segment) -> shmcv.ImageInfo:
    """Flip a segment. A spawned process imports this module and calls the function."""
    with segment:
        segment.flip(shmcv.FlipCode.HORIZONTAL)
        return segment.image


def test_a_spawned_worker_is_given_a_segment(create):
    segment = create(240 * 120 * 3)
    segment.load(TESTDATA / "patches.png")
    before = segment.read()
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(flip, (segment,)) == segment.image
        with pytest.raises(FileNotFoundError, match="missing"):
            pool.apply(shmcv.probe, ("/missing.png",))
    np.testing.assert_array_equal(segment.array, cv2.flip(before, 1))


def test_a_segment_survives_the_kill_of_its_creator(name):
    creator = """
import sys, shmcv
segment = shmcv.Segment.create(sys.argv[1], 240 * 120 * 3)
segment.load(sys.argv[2])
print("loaded")
input()
"""
    with Process(creator, name, TESTDATA / "patches.png") as process:
        assert process.hear() == "loaded"
        with shmcv.Segment.open(name) as segment:
            assert (segment.info.owner, segment.info.owner_alive) == (process.child.pid, True)
            process.child.kill()
            process.child.wait()
            assert segment.info.owner_alive is False
            np.testing.assert_array_equal(segment.array, cv2.imread(os.fspath(TESTDATA / "patches.png")))
            segment.flip(1)
            assert [info.owner_alive for info in shmcv.list_segments() if info.name == name] == [False]
            segment.clear()
    assert name not in present()


@kept_by_nobody
def test_a_segment_survives_its_creators_end(name):
    python(f"import shmcv; shmcv.Segment.create({name!r}, 300, image=shmcv.ImageInfo(10, 10)).array[:] = 8")
    with shmcv.Segment.open(name) as segment:
        assert (segment.array == 8).all()
        segment.clear()


def test_arrays_may_outlive_everything_at_the_interpreters_end(create):
    program = """
import atexit, sys
import numpy, shmcv
arrays = []
atexit.register(lambda: print(sum(int(array.sum()) for array in arrays)))
segment = shmcv.Segment.open(sys.argv[1])
arrays.append(segment.array)
"""
    segment = create(image=shmcv.ImageInfo(4, 4))
    segment.array[:] = 1
    assert python(program, segment.name).stdout == "48\n"


def test_ctrl_c_ends_a_long_delay():
    program = """
import shmcv
shmcv.delay(1)
try:
    print("waiting")
    shmcv.delay(2**31 - 1)
except KeyboardInterrupt:
    print("interrupted")
print(shmcv.delay(1))
"""
    with Process(program) as process:
        assert process.hear() == "waiting"
        interrupt(process.child)
        assert process.end() == "interrupted\n-1\n"


def test_other_threads_run_during_a_delay():
    program = f"""
import threading, shmcv
threading.Thread(target=shmcv.delay, args=({2**31 - 1},), daemon=True).start()
shmcv.delay(1)
print("not held up")
"""
    assert python(program).stdout == "not held up\n"


def test_eight_threads_at_once(create, tmp_path, name):
    wanted = cv2.imread(os.fspath(TESTDATA / "small-bgr.png"))
    shared = create(67 * 43 * 3)
    shared.load(TESTDATA / "small-bgr.png")
    problems: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for round_ in range(20):
                with (
                    shmcv.Segment.create(f"{name}-{number}", 67 * 43 * 4) as own,
                    shmcv.Segment.open(shared.name) as all_,
                ):
                    own.load(TESTDATA / "small-bgr.png")
                    own.flip(shmcv.FlipCode.BOTH)
                    np.testing.assert_array_equal(own.array, cv2.flip(wanted, -1))
                    all_.flip_into(own, shmcv.FlipCode.VERTICAL)
                    np.testing.assert_array_equal(own.array, cv2.flip(wanted, 0))
                    own.save(tmp_path / f"{number}-{round_}.png")
                    own.load(tmp_path / f"{number}-{round_}.png", shmcv.LoadFlags.BGRA)
                    assert own.info.image == own.image
                    shmcv.list_segments()
                    with pytest.raises(FileNotFoundError, match=f"missing-{number}"):
                        shmcv.Segment.open(f"missing-{number}")
                    shmcv.delay(1)
                    own.clear()
        except BaseException as problem:  # of any kind: the main thread reports it
            problems.append(problem)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_closing_while_other_threads_use_it_is_an_error_and_no_crash(create):
    for _ in range(50):
        segment = create(image=shmcv.ImageInfo(64, 64))
        using = threading.Barrier(5, timeout=PATIENCE)
        problems: list[BaseException] = []

        def use(segment=segment, using=using, problems=problems) -> None:
            using.wait()
            try:
                while True:
                    segment.flip(1)
                    segment.array[:] = 5
            except shmcv.ClosedError:
                pass
            except BaseException as problem:
                problems.append(problem)

        threads = [threading.Thread(target=use) for _ in range(4)]
        for thread in threads:
            thread.start()
        using.wait()
        segment.close()
        for thread in threads:
            thread.join()
        assert problems == []


def test_the_library_prints_nothing(create):
    program = """
import sys, shmcv
with shmcv.Segment.create(sys.argv[1], 1 << 20) as segment:
    segment.clear()
    for bad in ("corrupt.jpg", "truncated.png", "truncated.tif", "corrupt-deflate.png", "bomb.png", "truncated.webp"):
        try:
            segment.load(sys.argv[2] + "/" + bad)
        except ValueError:
            continue
        raise SystemExit(bad + " was loaded")
"""
    done = python(program, create(16).name + "-own", TESTDATA)
    assert (done.stdout, done.stderr) == ("", "")
