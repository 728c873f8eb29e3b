"""What the tests need of Windows."""

from __future__ import annotations

import _thread
import contextlib
import ctypes
import mmap
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from ctypes import wintypes
from pathlib import Path

#: The library that ./build.sh builds, in a checkout.
BUILT = Path("build") / "win-x64" / "libshmcv.dll"

#: Windows ends no program with the program that started it.
ENDS_WITH_US: list[str] = []

#: How a process is started that ``interrupt`` is to reach: with a console of its own, which nobody sees.
OWN_CONSOLE = subprocess.CREATE_NO_WINDOW

#: Files of tests that are another system's, and why.
SKIPPED = {
    "test_access_linux.py": "modes, groups and users by number are Linux's; Windows' access lists are tested in Go",
    "test_descriptor_linux.py": "Windows has no descriptor for a program's own loop, which test_windows.py tests",
    "test_fork_linux.py": "Windows does not copy processes",
    "test_format_linux.py": "its reader without the library uses files in /dev/shm, F_OFD_SETLK and futexes",
    "test_host_linux.py": "Windows has no signals, limits and faults of files that are cut",
    "test_package_linux.py": "the wheel is made on Linux; this suite itself runs with the installed wheel",
    "test_samples_linux.py": "the C and C# programs of the chain are built where they run",
    "test_window_linux.py": "the windows are GTK's on an X server; test_window_windows.py has those of Windows",
}

kernel = ctypes.WinDLL("kernel32", use_last_error=True)
kernel.GetModuleHandleW.restype = ctypes.c_void_p
kernel.GetModuleFileNameW.argtypes = [ctypes.c_void_p, wintypes.LPWSTR, wintypes.DWORD]


def present() -> set[str]:
    """Return the names of all segments that have a file in the folder of names."""
    folder = Path(os.environ["LOCALAPPDATA"]) / "shmcv"
    files = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return {unescaped(file) for file in files if file.startswith("=")}


def unescaped(file: str) -> str:
    """Return the name of which a file's name was made: a plus sign stands before each capital letter."""
    first, *others = file[1:].removesuffix("=").split("+")
    return first + "".join(other[:1].upper() + other[1:] for other in others)


class MemoryInformation(ctypes.Structure):
    """MEMORY_BASIC_INFORMATION of 64-bit Windows."""

    _fields_ = (
        ("base", ctypes.c_uint64),
        ("allocation", ctypes.c_uint64),
        ("allocation_protect", wintypes.DWORD),
        ("partition", wintypes.DWORD),
        ("size", ctypes.c_uint64),
        ("state", wintypes.DWORD),
        ("protect", wintypes.DWORD),
        ("type", wintypes.DWORD),
        ("padding", wintypes.DWORD),
    )


def mapped() -> list[str]:
    """Return the sizes of the segments that this process has mapped, once for each mapping.

    A section of the page file has no name to ask for. The beginning of the last page of a segment tells what it is.
    Wine tells of some memory that it is reserved until it is touched.
    """
    free, of_a_section, readable = 0x10000, 0x40000, {0x02, 0x04}
    found, at, told = [], 0, MemoryInformation()
    query = kernel.VirtualQuery
    query.argtypes, query.restype = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t], ctypes.c_size_t
    while query(at, ctypes.byref(told), ctypes.sizeof(told)):
        whole = told.base == told.allocation and told.size % 65536 == 0
        if told.state != free and told.type == of_a_section and told.allocation_protect in readable and whole:
            last = (ctypes.c_char * 8).from_address(told.base + told.size - 4096)
            if bytes(last) == b"SHMCVSEG":
                found.append(f"{told.size} bytes")
        at = told.base + told.size
    return found


def open_files() -> list[str]:
    """Return nothing: Windows does not tell a process which files it has open."""
    return []


def library_file() -> Path:
    """Return the file of the library that this process has loaded."""
    path = ctypes.create_unicode_buffer(1000)
    assert kernel.GetModuleFileNameW(kernel.GetModuleHandleW("libshmcv.dll"), path, 1000)
    return Path(path.value)


@contextlib.contextmanager
def plain_memory(name: str, content: bytes) -> Iterator[Callable[[], bytes]]:
    """Make shared memory without the library, as another program does, and give it up afterwards.

    The result gives what is in it.
    """
    memory = mmap.mmap(-1, len(content), tagname=name)
    memory[:] = content
    try:
        yield lambda: memory[:]
    finally:
        memory.close()


def compiled(source: Path, folder: Path, _include: Path, _library: Path) -> list[str] | None:
    """Return the command of a C program that was compiled for these tests elsewhere. None if there is none."""
    program = Path(os.environ.get("SHMCV_TEST_PROGRAMS", folder)) / f"{source.stem}.exe"
    return [str(program)] if program.exists() else None


def built(project: Path, folder: Path) -> list[str] | None:
    """Return the command of a C# program that was built for these tests elsewhere. None if there is none."""
    program = Path(os.environ.get("SHMCV_TEST_PROGRAMS", folder)) / "peer-csharp" / f"{project.stem}.exe"
    return [str(program)] if program.exists() else None


#: Presses Ctrl-C in the console of another process, as its user does.
PRESS = """
import ctypes, sys
kernel = ctypes.WinDLL("kernel32", use_last_error=True)
kernel.FreeConsole()
assert kernel.AttachConsole(int(sys.argv[1])), ctypes.get_last_error()
assert kernel.SetConsoleCtrlHandler(None, True)
assert kernel.GenerateConsoleCtrlEvent(0, 0), ctypes.get_last_error()
"""


def interrupt(process: subprocess.Popen[str]) -> None:
    """Do as the user who presses Ctrl-C in the console of a process that has a console of its own."""
    done = subprocess.run(
        [sys.executable, "-c", PRESS, str(process.pid)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr


def interrupt_us() -> None:
    """Do as a Ctrl-C that reaches this process, whose console the tests' other programs have too."""
    _thread.interrupt_main()


def died_of_a_fault(done: subprocess.CompletedProcess[str]) -> bool:
    """Return true if a program that writes to memory which it may only read was ended by that.

    ctypes makes an exception of the fault.
    """
    return done.returncode == 0xC0000005 or "access violation writing" in done.stderr
