"""After fork(): children that work by names, objects of the parent, workers of all kinds, and signals."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support import PATIENCE, PHOTOGRAPH, ROOT, TESTDATA, Process, environment, errors_of, python
from system_linux import SHM

import shmcv

LIBRARY = Path(os.environ.get("SHMCV_LIBRARY") or ROOT / "build" / "libshmcv.so")

#: The beginning of the programs: a child of os.fork() runs a function, and its result is the exit status.
FORK = """
import gc, os, signal, sys, warnings
import numpy as np
import shmcv
warnings.simplefilter("ignore", DeprecationWarning)  # of fork in a process with threads

def in_fork(body, *arguments):
    child = os.fork()
    if child == 0:
        signal.alarm(300)
        status = 99
        try:
            status = body(*arguments) or 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def work(photograph):
    name = f"shmcv-python-test-{os.getpid()}"
    with shmcv.Segment.from_file(name, photograph, clear_on_close=True) as segment:
        before = segment.read()
        segment.flip(shmcv.FlipCode.BOTH)
        assert np.array_equal(segment.array, before[::-1, ::-1])
        assert name in [info.name for info in shmcv.list_segments()]
        try:
            shmcv.Segment.create(name, 1)
        except FileExistsError as problem:
            assert name in str(problem), problem
        else:
            return 1
"""


def quiet(program: str, *arguments: object, **variables: str) -> str:
    """Run a program that begins with FORK, and return its output. It must not print anything on standard error."""
    done = python(FORK + program, *arguments, env=environment(**variables))
    assert errors_of(done.stderr) == ""
    return done.stdout


def test_forked_children_work_by_names() -> None:
    """60 of 60, and the parent goes on."""
    program = """
work(sys.argv[1])
for _ in range(60):
    assert in_fork(work, sys.argv[2]) == 0
work(sys.argv[1])
"""
    quiet(program, PHOTOGRAPH, TESTDATA / "patches.png")


def test_forked_children_of_forked_children_work() -> None:
    program = """
def deeper(left):
    work(sys.argv[1])
    return left and in_fork(deeper, left - 1)
assert in_fork(deeper, 5) == 0
"""
    quiet(program, TESTDATA / "patches.png")


@pytest.mark.parametrize("others", ["import numpy, cv2, PIL.Image", "import asyncio, ctypes, multiprocessing.pool"])
def test_there_is_room_for_the_copy_beside_other_libraries(others: str) -> None:
    """All libraries that are opened at run time share a little static TLS."""
    program = f"{others}\nwork(sys.argv[1])\nassert in_fork(lambda: in_fork(work, sys.argv[1])) == 0"
    quiet(program, TESTDATA / "patches.png")


def test_objects_of_the_parent_are_refused_in_the_child_and_stay_the_parents(name: str) -> None:
    program = """
name, stream_name, path = sys.argv[1], sys.argv[1] + "s", sys.argv[2]
segment = shmcv.Segment.from_array(name, np.full((4, 6), 9, np.uint8), clear_on_close=True)
stream = shmcv.Stream.create(stream_name, 24, clear_on_close=True)
stream.publish(np.zeros((4, 6), np.uint8))
frame, new = stream.wait(), stream.begin()
new.write(np.ones((4, 6), np.uint8))
loader = shmcv.ImageLoader()
loader.CreateShareMemory(name + "l", 1 << 20)
loader.Load(path, name + "l")
array, framed = segment.array, frame.array

def child():
    uses = [
        lambda: segment.image, lambda: segment.array, lambda: segment.read(), lambda: segment.flip(1), segment.clear,
        lambda: segment.load(path), lambda: segment.write(array), lambda: segment.wait(0), lambda: frame.array,
        new.publish, stream.begin, stream.wait, lambda: stream.info, stream.clear, lambda: next(stream.frames()),
    ]
    for use in uses:
        try:
            use()
        except shmcv.ForkedError as problem:
            assert isinstance(problem, RuntimeError)
            assert "open the name again in this process" in str(problem), problem
        else:
            raise AssertionError("no ForkedError")
    for closed in (new, frame, stream, segment):
        repr(closed)
        closed.close()
        closed.close()
    assert array[0, 0] == 9 and framed[0, 0] == 0
    array[0, 0] = 123
    with shmcv.Segment.open(name) as mine, shmcv.Stream.open(stream_name) as reader:
        assert mine.array[0, 0] == 123
        assert reader.wait().sequence == 1
    assert loader.Load(path, name + "l") == (120, 240, 3)

def forgotten():
    global segment, stream, frame, new, loader, array, framed
    del segment, stream, frame, new, loader, array, framed
    gc.collect()
    with shmcv.Segment.open(name) as mine:  # the child's handles are no numbers of the parent's
        assert mine.array[0, 0] == 123

def left_by_an_exception():
    try:
        with segment, stream, frame, new:
            raise KeyError
    except KeyError:
        return 5

assert in_fork(child) == 0
assert in_fork(forgotten) == 0
assert in_fork(left_by_an_exception) == 5
assert array[0, 0] == 123
assert new.publish() == 2
left = [info.name for info in shmcv.list_segments() if info.name.startswith(name)]
assert left == [name, name + "l", stream_name], left
for opened in (new, frame, stream, segment):
    opened.close()
loader.ClearAllShareMemory()
"""
    quiet(program, name, TESTDATA / "patches.png")


WORKERS = """
import concurrent.futures, multiprocessing
context = multiprocessing.get_context("fork")
name = sys.argv[1]

def sum_of(number):
    # A worker opens the stream once, as a loader of data does, and looks at a frame of the parent's for each task.
    global stream
    if "stream" not in globals():
        stream = shmcv.Stream.open(name)
    with stream.wait(number - 1, 60) as frame:
        assert frame.sequence >= number
        return os.getpid(), frame.sequence, int(frame.array[0, 0])

def preloaded(number):
    global stream
    del stream
    return sum_of(number)
"""


def test_a_pool_of_forked_workers_reads_the_parents_frames(name: str) -> None:
    program = (
        WORKERS
        + """
writer = shmcv.Stream.create(name, 24, slots=8, clear_on_close=True)
with writer, context.Pool(3) as pool:
    for number in range(1, 40):
        asked = pool.apply_async(sum_of, (number,))
        writer.publish(np.full((4, 6), number, np.uint8))
        worker, sequence, found = asked.get(60)
        assert worker != os.getpid() and sequence == found == number, (sequence, found, number)
"""
    )
    quiet(program, name)


def test_forked_workers_of_a_program_that_has_opened_everything_open_it_again(name: str) -> None:
    """As gunicorn's --preload: the program is loaded and begins to work, and its workers are forked from that."""
    program = (
        WORKERS
        + """
writer = shmcv.Stream.create(name, 24, slots=8, clear_on_close=True)
writer.publish(np.full((4, 6), 1, np.uint8))
stream = shmcv.Stream.open(name)
assert stream.wait().sequence == 1
with concurrent.futures.ProcessPoolExecutor(3, mp_context=context) as pool:
    assert {found for _, _, found in pool.map(sum_of, [1], timeout=60)} == {1}
""".replace("sum_of", "preloaded")
        + """
workers = [context.Process(target=work, args=(sys.argv[2],)) for _ in range(4)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join(60)
    assert worker.exitcode == 0
writer.close()
"""
    )
    quiet(program, name, TESTDATA / "patches.png")


def test_segments_go_to_forked_workers_by_pickling(name: str) -> None:
    program = """
import multiprocessing
def flip(segment):
    segment.flip(shmcv.FlipCode.HORIZONTAL)
with shmcv.Segment.from_array(sys.argv[1], np.arange(6, dtype=np.uint8).reshape(1, 6), clear_on_close=True) as segment:
    with multiprocessing.get_context("fork").Pool(1) as pool:
        pool.apply_async(flip, (segment,)).get(60)
    assert segment.array.tolist() == [[5, 4, 3, 2, 1, 0]]
"""
    quiet(program, name)


def test_forked_child_waits_asynchronously(name: str) -> None:
    program = """
import asyncio
async def next_frame(stream, newer_than):
    return (await stream.wait_async(newer_than, 60)).sequence

async def both(stream, mine):
    task = asyncio.create_task(next_frame(stream, 0))
    await asyncio.sleep(0)
    mine.publish(np.zeros((4, 6), np.uint8))
    return await task

def child():
    with shmcv.Stream.open(sys.argv[1]) as stream:
        assert asyncio.run(next_frame(stream, 0)) == 1
    with shmcv.Stream.create(sys.argv[1] + "c", 24, clear_on_close=True) as mine:
        assert asyncio.run(both(mine, mine)) == 1

with shmcv.Stream.create(sys.argv[1], 24, clear_on_close=True) as stream:
    assert asyncio.run(both(stream, stream)) == 1  # the parent's thread for these waits is there, and not in the child
    assert in_fork(child) == 0
"""
    quiet(program, name)


def test_forked_child_can_end_as_programs_end(name: str) -> None:
    program = """
segment = shmcv.Segment.create(sys.argv[1], 100, clear_on_close=True)
child = os.fork()
if child == 0:
    work(sys.argv[2])
    sys.exit(6)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 6
segment.close()
"""
    quiet(program, name, PHOTOGRAPH)


def test_killed_parent_is_dead_although_its_forked_child_lives(name: str) -> None:
    program = """
import os, signal, sys, time, numpy, shmcv
stream = shmcv.Stream.create(sys.argv[1], 24)
stream.publish(numpy.zeros((4, 6), numpy.uint8))
child = os.fork()
if child == 0:
    signal.alarm(300)
    signal.pause()
print(child, flush=True)
signal.pause()
"""
    with Process(program, name) as parent:
        child = int(parent.hear())
        parent.child.kill()
        parent.child.wait()
        with shmcv.Stream.open(name) as stream:
            assert stream.info.owner_alive is False
            assert stream.publish(np.ones((4, 6), np.uint8)) == 2
            stream.clear()
        os.kill(child, signal.SIGKILL)


def test_ctrl_c_is_a_keyboard_interrupt_in_a_forked_child(name: str) -> None:
    program = """
def child():
    with shmcv.Stream.create(sys.argv[1], 24, clear_on_close=True) as stream:
        try:
            print("waits", flush=True)
            stream.wait()
        except KeyboardInterrupt:
            return 8
work(sys.argv[2])
child_of = os.fork
def noting():
    pid = child_of()
    if pid:
        print(pid, flush=True)
    return pid
os.fork = noting
print(in_fork(child))
"""
    with Process(FORK + program, name, TESTDATA / "patches.png") as process:
        said = {process.hear(), process.hear()}
        said.remove("waits")
        os.kill(int(said.pop()), signal.SIGINT)
        assert process.end() == "8\n"


FAULT = """
import ctypes
def fault(works, path):
    if works:
        work(path)
    ctypes.string_at(16)
work(sys.argv[1])
print(in_fork(fault, False, sys.argv[1]), in_fork(fault, True, sys.argv[1]))
"""


def test_a_fault_ends_a_forked_child_in_silence() -> None:
    assert quiet(FAULT, TESTDATA / "patches.png") == "-11 -11\n"


@pytest.mark.parametrize("order", ["import faulthandler\nfaulthandler.enable()\n", ""])
def test_a_fault_of_a_forked_child_is_the_hosts_handlers(order: str) -> None:
    """The handler is installed before the library, or after it. It prints the stack once and gives the fault back."""
    enable = "" if order else "work(sys.argv[1])\nimport faulthandler\nfaulthandler.enable()\n"
    done = python(order + FORK + enable + FAULT, TESTDATA / "patches.png")
    assert done.stdout == "-11 -11\n"
    assert done.stderr.count("Fatal Python error: Segmentation fault") == 2
    assert "goroutine" not in done.stderr
    assert "SIGSEGV" not in done.stderr


def run_with_copy(tmp_path: Path, program: str) -> str:
    """Run a program with a library of its own, which the program may change."""
    library = tmp_path / "libshmcv.so"
    shutil.copy(LIBRARY, library)
    return quiet(program, TESTDATA / "patches.png", library, SHMCV_LIBRARY=str(library))


REFUSED = """
def refused():
    try:
        work(sys.argv[1])
    except shmcv.ForkedError as problem:
        print(problem, flush=True)
work(sys.argv[1])
"""


@pytest.mark.parametrize(
    "change",
    [
        "os.unlink(sys.argv[2])",
        "os.rename(sys.argv[2], sys.argv[2] + '.old'); open(sys.argv[2], 'wb').write(bytes(1 << 20))",
        # Another build of the library: the build id lies in the first 1024 bytes.
        "content = bytearray(open(sys.argv[2], 'rb').read()); at = content.index(b'GNU\\0') + 4; content[at] ^= 1;"
        " os.unlink(sys.argv[2]); open(sys.argv[2], 'wb').write(content)",
    ],
    ids=["removed", "replaced", "another build"],
)
def test_a_library_that_was_replaced_is_not_mixed_with_the_one_that_runs(tmp_path: Path, change: str) -> None:
    said = run_with_copy(tmp_path, f"{REFUSED}\n{change}\nassert in_fork(refused) == 0\nassert in_fork(refused) == 0")
    lines = said.splitlines()
    assert len(lines) == 2
    for line in lines:
        assert str(tmp_path / "libshmcv.so") in line
        assert "spawn" in line


def test_the_library_is_found_wherever_the_process_goes(tmp_path: Path) -> None:
    """By a relative path, from another folder; and under another name that leads to it, which goes away."""
    link = tmp_path / "current"
    link.symlink_to(tmp_path)
    program = f"""
import ctypes
os.chdir({str(tmp_path)!r})
ctypes.CDLL("current/libshmcv.so")
os.environ["SHMCV_LIBRARY"] = "current/libshmcv.so"
work(sys.argv[1])
os.chdir("/")
os.unlink({str(link)!r})
assert in_fork(work, sys.argv[1]) == 0
"""
    run_with_copy(tmp_path, program)


@pytest.mark.skipif("SHMCV_TEST_QEMU" in os.environ, reason="a process has QEMU's own memory there")
def test_copies_share_what_they_only_read() -> None:
    """A copy costs a forked child a few MiB, and not as much as the library is large."""
    program = """
def own(pid="self"):
    lines = [line.split() for line in open(f"/proc/{pid}/smaps_rollup")]
    return sum(int(line[1]) for line in lines if line[0] in ("Private_Clean:", "Private_Dirty:"))
def child():
    before = own()
    shmcv.list_segments()
    print(own() - before)
work(sys.argv[1])
assert in_fork(child) == 0
"""
    grown = int(quiet(program, TESTDATA / "patches.png"))
    assert grown < LIBRARY.stat().st_size // 1024 // 2


def test_names_of_segments_that_a_child_left_are_its_own(name: str) -> None:
    """clear_all() of a child removes what the child made, and nothing of its parent's."""
    program = """
parents = shmcv.Segment.create(sys.argv[1], 10)
def child():
    mine = shmcv.Segment.create(sys.argv[1] + "c", 10)
    assert mine.info.owner == os.getpid()
    shmcv.clear_all()
assert in_fork(child) == 0
shmcv.Segment.open(sys.argv[1])
shmcv.clear_all()
"""
    quiet(program, name)
    assert not (SHM / (name + "c")).exists()


def test_windows_work_in_a_forked_child(display: str, name: str) -> None:
    program = """
def child():
    with shmcv.Segment.from_file(sys.argv[1], sys.argv[2], clear_on_close=True) as segment:
        segment.show("forked")
        shmcv.delay(1)
        shmcv.close_windows()
work(sys.argv[2])
assert in_fork(child) == 0
"""
    variables = {"DISPLAY": display, "GDK_BACKEND": "x11"}
    environ = {key: value for key, value in environment(**variables).items() if key != "WAYLAND_DISPLAY"}
    done = subprocess.run(
        [sys.executable, "-c", FORK + program, name, str(TESTDATA / "patches.png")],
        env=environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
