"""What the tests need of Linux."""

from __future__ import annotations

import contextlib
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

#: The library that ./build.sh builds, in a checkout.
BUILT = Path("build") / "libshmcv.so"

SHM = Path("/dev/shm")  # noqa: S108 # segments are here, not temporary files

#: Begins the command of a program that must not outlive the tests, not even if they are killed.
ENDS_WITH_US = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []

#: How a process is started that ``interrupt`` is to reach.
OWN_CONSOLE = 0

#: Files of tests that are another system's, and why.
SKIPPED = {
    "test_windows.py": "Windows' sections and loops, and its windows",
    "test_window_windows.py": "Win32's windows",
}


def present() -> set[str]:
    """Return the names of all segments that there are, of whatever kind."""
    return {path.name for path in SHM.iterdir()}


def mapped() -> list[str]:
    """Return the files of the segments that this process has mapped, once for each mapping."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return [line.split(maxsplit=5)[5] for line in lines if str(SHM) in line]


def open_files() -> list[str]:
    """Return the files that this process has open, once for each descriptor."""
    files = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the descriptor of the folder itself, which is closed by now
            files.append(str(descriptor.readlink()))
    return [file for file in files if file.startswith("/")]


def library_file() -> Path:
    """Return the file of the library that this process has loaded."""
    found = re.search(r"/\S*libshmcv\S*\.so", Path("/proc/self/maps").read_text())
    assert found
    return Path(found[0])


@contextlib.contextmanager
def plain_memory(name: str, content: bytes) -> Iterator[Callable[[], bytes]]:
    """Make shared memory without the library, as another program does, and remove the memory afterwards.

    The result gives what is in it.
    """
    file = SHM / name
    file.write_bytes(content)
    try:
        yield file.read_bytes
    finally:
        file.unlink(missing_ok=True)


def compiled(source: Path, folder: Path, include: Path, library: Path) -> list[str] | None:
    """Compile a C program as the README says, with this library, and return its command. None without a compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    program = folder / source.stem
    subprocess.run(
        [compiler, source, f"-I{include}", library, f"-Wl,-rpath,{library.parent}", "-o", program],
        check=True,
    )
    return [str(program)]


def built(project: Path, folder: Path) -> list[str] | None:
    """Build a C# program, and return its command. None if there is no SDK."""
    if shutil.which("dotnet") is None:
        return None
    artifacts = folder / "artifacts"
    done = subprocess.run(
        ["dotnet", "build", project, "-c", "Release", "--artifacts-path", artifacts, "-v", "quiet"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return ["dotnet", str(artifacts / "bin" / project.stem / "release" / f"{project.stem}.dll")]


def interrupt(process: subprocess.Popen[str]) -> None:
    """Do as the user who presses Ctrl-C."""
    process.send_signal(signal.SIGINT)


def interrupt_us() -> None:
    """Do as a Ctrl-C that reaches this process. A thread beside the main one calls this."""
    main = threading.main_thread().ident
    assert main is not None
    signal.pthread_kill(main, signal.SIGINT)


def died_of_a_fault(done: subprocess.CompletedProcess[str]) -> bool:
    """Return true if a program that writes to memory which it may only read was ended by that."""
    return done.returncode == -signal.SIGSEGV
