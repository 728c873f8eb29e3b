"""The library leaves the signals of its host as they were. docs/host-safety.md tells more.

The programs here load the library without the package, because NumPy's threads take signals too.
"""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from support import ROOT, Process, environment, errors_of, python

LIBRARY = Path(os.environ.get("SHMCV_LIBRARY", ROOT / "build" / "libshmcv.so"))

#: Every program starts with this. load() loads the library. call() calls the library more often than the library waits
#: before it checks the host's signals again.
PRELUDE = f"""
import ctypes, json, os, signal, subprocess, sys

def load():
    global library
    library = ctypes.CDLL({os.fspath(LIBRARY)!r})

def call():
    for _ in range(200):
        assert library.shmcv_clear(b"there-is-none-of-this-name") == -2
"""

#: Reads all dispositions and this thread's mask from the kernel: before the library is loaded, after that, and after
#: calls. It uses the kernel's own structure, because libc's sigaction() refuses the signals that libc uses itself.
DISPOSITIONS = """
import platform

class Disposition(ctypes.Structure):
    _fields_ = [("handler", ctypes.c_uint64), ("flags", ctypes.c_uint64), ("restorer", ctypes.c_uint64),
                ("mask", ctypes.c_uint64)]

libc = ctypes.CDLL(None, use_errno=True)
rt_sigaction = {"x86_64": 13, "aarch64": 134}[platform.machine()]

def dispositions():
    found = {}
    for number in set(range(1, 65)) - {32, 33}:  # libc handles these itself as soon as there are threads
        action = Disposition()
        assert libc.syscall(rt_sigaction, number, None, ctypes.byref(action), ctypes.c_size_t(8)) == 0
        found[number] = [action.handler, action.flags, action.mask]
    return found

def blocked():
    line = next(line for line in open("/proc/thread-self/status") if line.startswith("SigBlk:"))
    return int(line.split()[1], 16)

def now():
    return {"dispositions": dispositions(), "blocked": blocked()}

exec(sys.argv[1])
seen = [now()]
load()
seen.append(now())
call()
seen.append(now())
print(json.dumps(seen))
"""

#: Go keeps handling these, to turn its own faults into errors.
KEPT_BY_GO = {signal.SIGSEGV, signal.SIGBUS}

SA_ONSTACK = 0x08000000
SA_RESTORER = 0x04000000  # libc sets it in every disposition that it installs


def observe(host: str) -> list[dict]:
    """Return what a program that begins with ``host`` sees before the library is loaded, then, and after calls."""
    return json.loads(python(PRELUDE + DISPOSITIONS, host).stdout)


def changed(before: dict, after: dict, ignoring: int = 0) -> set[int]:
    """Return the signals whose disposition differs. The flags in ``ignoring`` may differ."""

    def plain(disposition: list[int]) -> list[int]:
        return [disposition[0], disposition[1] & ~(ignoring | SA_RESTORER), disposition[2]]

    pairs = ((int(n), before["dispositions"][n], after["dispositions"][n]) for n in before["dispositions"])
    return {number for number, old, new in pairs if plain(old) != plain(new)}


def test_a_plain_python_keeps_its_signals():
    # Python 3.9 handles SIGINT without SA_ONSTACK, later ones with it.
    before, loaded, called = observe("")
    assert changed(before, loaded, ignoring=SA_ONSTACK) == KEPT_BY_GO
    assert changed(loaded, called) == set()
    assert before["blocked"] == loaded["blocked"] == called["blocked"] == 0


def test_a_host_that_handles_signals_keeps_its_handlers():
    # Handlers of signal.signal() and of faulthandler: SIGFPE, SIGILL and SIGABRT among them.
    before, loaded, called = observe(
        "import faulthandler; faulthandler.enable()\n"
        "for s in (signal.SIGUSR1, signal.SIGCHLD, signal.SIGTERM, signal.SIGPIPE, signal.SIGTRAP, signal.SIGPROF):\n"
        "    signal.signal(s, lambda *_: None)"
    )
    assert changed(before, loaded, ignoring=SA_ONSTACK) == KEPT_BY_GO
    assert changed(loaded, called) == set()


def test_a_host_that_handles_sigrtmin_keeps_all_of_every_handler():
    before, loaded, called = observe(
        "for s in (signal.SIGRTMIN, signal.SIGUSR1, signal.SIGCHLD): signal.signal(s, lambda *_: None)"
    )
    assert changed(before, loaded) == KEPT_BY_GO
    assert changed(loaded, called) == set()


def test_a_host_that_blocks_signals_finds_them_blocked_after_calls():
    # Go unblocks SIGCHLD, SIGPROF, SIGRTMIN and others on a thread that calls it for the first time.
    before, loaded, called = observe("signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())")
    held_open = 1 << (signal.SIGSEGV - 1) | 1 << (signal.SIGBUS - 1)  # a blocked fault ends the process
    assert before["blocked"] & 1 << (signal.SIGCHLD - 1)
    assert loaded["blocked"] == before["blocked"]
    assert called["blocked"] == before["blocked"] & ~held_open


def test_signals_that_the_host_waits_for_are_not_taken_by_the_librarys_threads():
    # If a thread of the library did not block these, their default action would end the process.
    done = python(
        PRELUDE
        + """
load()
call()
signals = {signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGHUP}
signal.pthread_sigmask(signal.SIG_BLOCK, signals)
for s in signals:
    os.kill(os.getpid(), s)
assert signals <= signal.sigpending(), signal.sigpending()
print(sorted(int(signal.sigwait(signals)) for _ in signals))
"""
    )
    assert json.loads(done.stdout) == [1, 2, 10, 15]


def test_ctrl_c_is_a_keyboard_interrupt():
    program = """
load()
try:
    print("ready")
    while True:
        call()
except KeyboardInterrupt:
    print("interrupted")
"""
    with Process(PRELUDE + program) as host:
        assert host.hear() == "ready"
        host.child.send_signal(signal.SIGINT)
        assert host.end() == "interrupted\n"


def test_a_closed_pipe_is_an_error_and_children_inherit_that():
    python(
        PRELUDE
        + """
load()
call()
reader, writer = os.pipe()
os.close(reader)
try:
    os.write(writer, b"x")
except BrokenPipeError:
    pass
else:
    raise AssertionError("it was written")
child = ["sh", "-c", "kill -s PIPE $$ && echo goes on"]
done = subprocess.run(child, restore_signals=False, capture_output=True, text=True)
assert done.stdout == "goes on\\n", done
"""
    )


def test_the_end_of_a_child_is_noticed():
    python(
        PRELUDE
        + """
load()
call()
ended = []
signal.signal(signal.SIGCHLD, lambda *_: ended.append(1))
assert subprocess.run(["true"]).returncode == 0
while not ended:
    signal.sigtimedwait([], 0.01)
"""
    )


#: fault() lets the library's C++ code read memory of a file that has been cut.
FAULT = """
import mmap

class Image(ctypes.Structure):
    _fields_ = [("width", ctypes.c_uint32), ("height", ctypes.c_uint32), ("channels", ctypes.c_uint32),
                ("depth", ctypes.c_uint32), ("order", ctypes.c_uint32), ("reserved0", ctypes.c_uint32),
                ("stride", ctypes.c_uint64), ("reserved1", ctypes.c_uint64 * 4)]

class Handle(ctypes.Structure):
    _fields_ = [("handle", ctypes.c_uint64)]

def fault():
    name = f"test-{os.getpid()}".encode()
    segment = Handle()
    assert library.shmcv_create(name, ctypes.c_uint64(64 * 64 * 3), ctypes.byref(segment)) == 0
    assert library.shmcv_clear(name) == 0
    file = os.memfd_create("cut")
    os.truncate(file, 64 * 64 * 3)
    memory = mmap.mmap(file, 64 * 64 * 3)
    os.truncate(file, 0)
    bgr = Image(64, 64, 3, 1, 2)
    buffer = (ctypes.c_char * len(memory)).from_buffer(memory)
    print("writing", flush=True)
    return library.shmcv_write(segment, ctypes.byref(bgr), buffer, ctypes.c_uint64(len(memory)), 1)  # to gray
"""


def test_a_file_that_is_cut_during_cpp_work_ends_the_host_in_silence():
    with Process(PRELUDE + FAULT + "load()\ncall()\nfault()", env=environment(PYTHONFAULTHANDLER=None)) as host:
        stdout, stderr = host.child.communicate()
        assert (host.child.returncode, stdout, errors_of(stderr)) == (-signal.SIGBUS, "writing\n", "")


@pytest.mark.parametrize("order", ["faulthandler.enable(); load()", "load(); faulthandler.enable()"])
def test_a_file_that_is_cut_during_cpp_work_is_the_hosts_handlers(order):
    program = f"import faulthandler\n{order}\ncall()\nfault()"
    with Process(PRELUDE + FAULT + program, env=environment(PYTHONFAULTHANDLER=None)) as host:
        stdout, stderr = host.child.communicate()
        assert (host.child.returncode, stdout) == (-signal.SIGBUS, "writing\n")
        assert stderr.startswith("Fatal Python error: Bus error")
        assert "goroutine" not in stderr


def test_a_fault_of_the_hosts_own_ends_it_in_silence():
    program = "load()\ncall()\nctypes.string_at(16)"
    with Process(PRELUDE + program, env=environment(PYTHONFAULTHANDLER=None)) as host:
        stdout, stderr = host.child.communicate()
        assert (host.child.returncode, stdout, errors_of(stderr)) == (-signal.SIGSEGV, "", "")


@pytest.mark.parametrize("number", [signal.SIGFPE, signal.SIGSEGV, signal.SIGILL, signal.SIGPIPE, signal.SIGTERM])
def test_a_host_that_a_signal_kills_dies_of_it_and_in_silence(number):
    program = f"load()\ncall()\nsignal.signal({int(number)}, signal.SIG_DFL)\nos.kill(os.getpid(), {int(number)})"
    with Process(PRELUDE + program, env=environment(PYTHONFAULTHANDLER=None)) as host:
        stdout, stderr = host.child.communicate()
        assert (host.child.returncode, stdout, errors_of(stderr)) == (-number, "", "")


@pytest.mark.parametrize("left", range(1, 6))
def test_a_host_without_file_descriptors_gets_errors_until_it_has_some(left):
    # Loading takes one descriptor for a moment.
    done = python(
        PRELUDE
        + """
import resource

resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
held = []
try:
    while True:
        held.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass
for _ in range(int(sys.argv[1])):
    os.close(held.pop())
load()
first = library.shmcv_delay(1, None)
text = ctypes.create_string_buffer(1024)
library.shmcv_last_error(text, ctypes.c_uint64(len(text)))
for number in held:
    os.close(number)
print(json.dumps([first, text.value.decode(), library.shmcv_delay(1, None)]))
""",
        left,
    )
    first, text, second = json.loads(done.stdout)
    assert (first, text) == (0, "") or (first == -13 and "descriptors" in text)
    assert second == 0


#: hide(FOLDER) puts an empty file system over a folder, for this process alone.
HIDE = """
libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_REC, MS_PRIVATE = 0x4000, 1 << 18

def skip(why):
    print(json.dumps([None, why + os.strerror(ctypes.get_errno())]))
    sys.exit()

def hide(folder):
    if libc.unshare(CLONE_NEWNS) != 0 and libc.unshare(CLONE_NEWNS | CLONE_NEWUSER) != 0:
        skip("NO MOUNT NAMESPACES HERE: ")
    if libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None) != 0:
        skip("NO PRIVATE MOUNTS HERE: ")
    if libc.mount(b"none", folder, b"tmpfs", 0, None) != 0:
        skip("NOTHING CAN BE MOUNTED HERE: ")

def create():
    name, handle, text = f"test-{os.getpid()}".encode(), ctypes.c_uint64(), ctypes.create_string_buffer(1024)
    status = library.shmcv_create(name, ctypes.c_uint64(1000), ctypes.byref(handle))
    library.shmcv_last_error(text, ctypes.c_uint64(len(text)))
    library.shmcv_clear(name)
    print(json.dumps([status, text.value.decode()]))
"""


def created_without(folder: str) -> tuple[int, str]:
    """Return the status and the message of a process that creates a segment where a folder is empty."""
    done = python(PRELUDE + HIDE + f"hide({folder.encode()!r})\nload()\ncreate()")
    status, text = json.loads(done.stdout)
    if status is None:
        pytest.skip(text)
    return status, text


def test_segments_are_made_without_proc():
    status, text = created_without("/proc")
    assert status == 0 or (status == -12 and "/proc is not mounted" in text)


def test_a_missing_dev_shm_is_named():
    status, text = created_without("/dev")
    assert status == -2
    assert "there is no folder /dev/shm" in text
