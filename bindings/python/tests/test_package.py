"""What users install and read: the wheel, the sample, and the programs in the documentation."""

from __future__ import annotations

import contextlib
import email
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import textwrap
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from support import PACKAGE, PATIENCE, PHOTOGRAPH, ROOT, TESTDATA, Process, environment, present, press, window_of

import shmcv

BUILT = Path(os.environ.get("SHMCV_LIBRARY") or ROOT / "build" / "libshmcv.so")
NOTICES = ROOT / "build" / "THIRD_PARTY_NOTICES"


def pip(*arguments: object, **variables: str | None) -> subprocess.CompletedProcess[str]:
    """Run pip without the network."""
    return subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, arguments)],
        env=environment(PIP_NO_INDEX="1", **variables),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def make_wheel(folder: Path, **variables: str | None) -> subprocess.CompletedProcess[str]:
    # A build may leave files beside the sources, so the wheel is built from a copy.
    copy = folder / "checkout" / "bindings" / "python"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", ".*", "*.so"))
    return pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, copy, **variables)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    pytest.importorskip("hatchling", reason="no hatchling here, which builds the wheel")
    folder = tmp_path_factory.mktemp("wheel")
    made = make_wheel(folder, SHMCV_LIBRARY=str(BUILT))
    assert made.returncode == 0, made.stdout + made.stderr
    (file,) = folder.glob("*.whl")
    return file


def test_the_wheel_carries_the_library_and_is_for_this_platform(wheel):
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    assert wheel.name == f"shmcv-{shmcv.__version__}-py3-none-{platform}.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        assert archive.read("shmcv/libshmcv.so") == BUILT.read_bytes()
    assert {"shmcv/py.typed", "shmcv/__init__.py", "shmcv/_native.py", "shmcv/segment.py"} <= names
    plugin = "libopencv_highgui_gtk3.so"
    assert (f"shmcv/{plugin}" in names) == BUILT.with_name(plugin).exists()
    assert not [name for name in names if "test" in name]


def test_the_wheel_carries_the_licences(wheel):
    with zipfile.ZipFile(wheel) as archive:
        folder = f"shmcv-{shmcv.version()}.dist-info"
        assert archive.read(f"{folder}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
        assert archive.read(f"{folder}/licenses/THIRD_PARTY_NOTICES") == NOTICES.read_bytes()
        said = email.message_from_bytes(archive.read(f"{folder}/METADATA"))
    assert said.get_all("License-File") == ["LICENSE", "THIRD_PARTY_NOTICES"]


def test_the_wheel_says_what_it_is(wheel):
    with zipfile.ZipFile(wheel) as archive:
        said = email.message_from_bytes(archive.read(f"shmcv-{shmcv.version()}.dist-info/METADATA"))
    assert (said["Name"], said["Version"]) == ("shmcv", shmcv.version())
    assert (said["Author"], said["License-Expression"]) == ("The shmcv authors", "Apache-2.0")
    assert "shared memory" in said["Summary"]
    assert "shared memory" in said["Keywords"]
    assert "Operating System :: POSIX :: Linux" in said.get_all("Classifier")
    assert said["Description-Content-Type"] == "text/markdown"


def test_no_file_of_the_wheel_names_a_folder_of_the_build_machine(wheel):
    folders = {f"{folder}/".encode() for folder in (ROOT, Path.home(), wheel.parent) if folder != Path("/")}
    with zipfile.ZipFile(wheel) as archive:
        found = [(name, folder) for name in archive.namelist() for folder in folders if folder in archive.read(name)]
    assert found == []


def test_the_notices_name_everything_that_is_linked_in():
    listed = NOTICES.read_text(encoding="utf-8").split("=" * 80)[0]
    components = ["gocv.io/x/gocv", "golang.org/x/sys", "Go's runtime", "GPL-3.0-or-later WITH GCC-exception-3.1"]
    if os.environ.get("SHMCV_OPENCV", "bundled") == "system":
        assert "OpenCV and its codecs are such libraries: they are not linked in" in listed
    else:
        components += ["OpenCV", "libjpeg-turbo", "libspng", "libtiff", "libwebp", "zlib-ng", "SoftFloat", "dlpack"]
    assert [name for name in components if f"  {name}" not in listed and f": {name}" not in listed] == []


def make_notices(output: Path, *flags: object) -> subprocess.CompletedProcess[str]:
    """Write notices as if the linker got these flags."""
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / "notices.py", "1.2.3", BUILT, output],
        env=environment(CGO_LDFLAGS=" ".join(map(str, flags))),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


needs_go = pytest.mark.skipif(shutil.which("go") is None, reason="no go here, which lists the library's modules")


@needs_go
def test_an_archive_without_a_notice_is_an_error_that_names_it(tmp_path):
    output = tmp_path / "NOTICES"
    output.write_text("of an earlier build")
    (tmp_path / "libunheard.a").write_bytes(b"!<arch>\n")
    made = make_notices(output, f"-L{tmp_path}", "-lunheard")
    assert made.returncode == 1
    assert f"{tmp_path / 'libunheard.a'} (-lunheard) is linked in: add its row to ARCHIVES" in made.stderr
    assert not output.exists()


@needs_go
def test_a_component_whose_licence_is_not_found_is_an_error_that_names_it(tmp_path):
    output = tmp_path / "NOTICES"
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libdeflate.a").write_bytes(b"!<arch>\n")
    made = make_notices(output, f"-L{tmp_path / 'lib'}", "-ldeflate")
    assert made.returncode == 1
    assert "libdeflate is linked in, and there is no text of its licence" in made.stderr

    licences = tmp_path / "share" / "licenses" / "libdeflate"
    licences.mkdir(parents=True)
    (licences / "libdeflate-COPYING").write_text("You may.")
    made = make_notices(output, f"-L{tmp_path / 'lib'}", "-ldeflate")
    assert made.returncode == 0, made.stderr
    assert "libdeflate: MIT" in output.read_text()
    assert "You may." in output.read_text()


@needs_go
def test_a_shared_library_is_not_linked_in_and_needs_no_notice(tmp_path):
    output = tmp_path / "NOTICES"
    (tmp_path / "libunheard.so").touch()
    (tmp_path / "libunheard.a").touch()
    made = make_notices(output, f"-L{tmp_path}", "-lunheard", "-lm")
    assert made.returncode == 0, made.stderr
    assert "unheard" not in output.read_text()
    assert "OpenCV and its codecs are such libraries: they are not linked in" in output.read_text()


def test_the_wheel_is_installed_and_used(wheel, tmp_path):
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    interpreter = tmp_path / "venv" / "bin" / "python"
    (site,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    installed = pip("install", "--no-deps", "--target", site, wheel)
    assert installed.returncode == 0, installed.stderr
    # numpy, the wheel's one dependency, comes from where this Python has it.
    (site / "numpy.pth").write_text(str(Path(np.__file__).parent.parent))
    program = """
import shmcv
shmcv.version()
print([line.split()[5] for line in open("/proc/self/maps") if "libshmcv" in line][0])
"""
    done = subprocess.run(
        [interpreter, "-c", program],
        env=environment(PYTHONPATH=None, SHMCV_LIBRARY=None),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.stdout.strip() == str(site / "shmcv" / "libshmcv.so"), done.stderr


def test_a_wheel_without_a_library_says_what_to_do(tmp_path):
    pytest.importorskip("hatchling", reason="no hatchling here, which builds the wheel")
    made = make_wheel(tmp_path, SHMCV_LIBRARY=None)
    assert made.returncode != 0
    assert "build/libshmcv.so" in made.stdout + made.stderr
    assert "./build.sh build" in made.stdout + made.stderr
    assert list(tmp_path.glob("*.whl")) == []


def test_a_wheel_without_notices_says_what_to_do(tmp_path):
    pytest.importorskip("hatchling", reason="no hatchling here, which builds the wheel")
    copy = tmp_path / "checkout" / "bindings" / "python"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", ".*", "*.so", "THIRD_PARTY_NOTICES"))
    made = pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path, copy, SHMCV_LIBRARY=str(BUILT))
    assert made.returncode != 0
    assert "THIRD_PARTY_NOTICES" in made.stdout + made.stderr
    assert "./build.sh build" in made.stdout + made.stderr
    assert list(tmp_path.glob("*.whl")) == []


def test_the_sample_flips_the_photograph(tmp_path):
    output = tmp_path / "flipped.png"
    done = subprocess.run(
        [sys.executable, ROOT / "python-sample" / "flip.py", "--headless", PHOTOGRAPH, output],
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for words in ("3840 x 2160", str(output), "--headless"):
        assert words in done.stdout
    np.testing.assert_array_equal(cv2.imread(os.fspath(output)), cv2.flip(cv2.imread(os.fspath(PHOTOGRAPH)), 1))
    names = re.findall(r"[0-9a-f-]{36}", done.stdout)
    assert len(set(names)) == 2
    assert not present() & set(names)


def test_the_sample_goes_on_without_a_display_and_uses_its_defaults(tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / "python-sample" / "flip.py"],
        env=environment(DISPLAY=None, WAYLAND_DISPLAY=None),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "showed nothing" in done.stdout
    assert (tmp_path / "flipped-python.png").exists()


def test_the_sample_shows_both_where_there_is_a_display(display, tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / "python-sample" / "flip.py"],
        env=environment(DISPLAY=display, WAYLAND_DISPLAY=None, GDK_BACKEND="x11"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "showed both" in done.stdout


def sample(name: str, *arguments: object) -> tuple[str]:
    """Return the program of a sample, for Process, with its command line."""
    path = os.fspath(ROOT / "python-sample" / name)
    line = [path, *map(str, arguments)]
    return (f"import runpy, sys; sys.argv = {line!r}; runpy.run_path({path!r}, run_name='__main__')",)


def test_producer_and_viewer_of_the_sample_work_together(display, name):
    """The viewer looks until q is pressed, and at other keys too; another one looks without a window."""
    environment_ = environment(DISPLAY=display, WAYLAND_DISPLAY=None, GDK_BACKEND="x11")
    try:
        with Process(
            *sample("producer.py", "--fps", 100, name, TESTDATA / "patches.png"), env=environment_
        ) as producer:
            while name not in present():
                assert producer.child.poll() is None, producer.child.communicate()[1]
            with Process(*sample("viewer.py", name), env=environment_) as viewer:
                window = window_of(display, name)
                press(display, window, "k")
                with shmcv.Stream.open(name) as stream:
                    for number, _ in enumerate(stream.frames(timeout=PATIENCE)):
                        if number == 20:
                            break
                assert viewer.child.poll() is None
                press(display, window, "q")
                told = viewer.end()
                assert int(re.search(r"saw (\d+) frames", told)[1]) > 1  # type: ignore[index]
            with Process(*sample("viewer.py", "--headless", "--frames", 5, name)) as viewer:
                assert "saw 5 frames" in viewer.end()
    finally:
        shmcv.clear(name)


def test_producer_of_the_sample_goes_on_with_the_stream_of_an_earlier_one(name):
    try:
        for last in (3, 6):
            with Process(
                *sample("producer.py", "--frames", 3, "--fps", 1000, name, TESTDATA / "patches.png")
            ) as producer:
                assert f"as number {last}" in producer.end()
        assert not [left for left in present() if left.startswith(f"{name}-")]
    finally:
        shmcv.clear(name)


def test_viewer_of_the_sample_says_that_there_is_no_stream(name):
    with Process(*sample("viewer.py", name)) as viewer:
        _, told = viewer.child.communicate(timeout=PATIENCE)
        assert viewer.child.returncode == 1
        assert name in told
        assert "Traceback" not in told


def programs() -> list[object]:
    """Return the Python programs of the documents that this checkout has, and that of the package's own text."""
    found: list[object] = []
    for document in (ROOT / "README.md", PACKAGE / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        if document.exists():
            blocks = re.findall(r"^```python\n(.*?)^```", document.read_text(encoding="utf-8"), re.M | re.S)
            place = document.relative_to(ROOT)
            found += [pytest.param(block, id=f"{place} {number}") for number, block in enumerate(blocks, 1)]
    assert shmcv.__doc__ is not None
    block = shmcv.__doc__.split("numpy array:\n\n")[1].split("\n\nErrors")[0]
    return [*found, pytest.param(textwrap.dedent(block), id="shmcv.__doc__")]


#: The names that the examples give. The tests run the examples as they stand.
NAMES = {"photo", "events", "mirrored", "cam0"}


@pytest.fixture
def _no_names() -> Iterator[None]:
    """Fail if another program has the examples' names before the test, or an example leaves one behind."""
    assert not present() & NAMES, "another program has these names: end it, or shmcv.sweep()"
    yield
    left = present() & NAMES
    for name in left:
        shmcv.clear(name)
    assert not left


def run_example(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        env=environment(DISPLAY=None),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.skipif(not (ROOT / "README.md").exists(), reason="this checkout has no README.md")
@pytest.mark.usefixtures("_no_names")
@pytest.mark.parametrize("program", programs())
def test_the_documentations_programs_run(program, tmp_path):
    """Run one program without its input, and twice with photograph.jpg in its folder.

    A program that reads what another process has made finds it: the photograph in the segment "photo".
    """
    failed = run_example(program, tmp_path)
    assert failed.returncode == 1
    assert "photo" in failed.stderr
    assert not present() & NAMES
    shutil.copy(PHOTOGRAPH, tmp_path / "photograph.jpg")
    if "while True" in program:
        for _ in range(2):
            watch_producer(program, tmp_path)
        return
    with contextlib.ExitStack() as cleanup:
        if "Segment" not in program:
            cleanup.enter_context(shmcv.Segment.from_file("photo", PHOTOGRAPH, clear_on_close=True))
        for _ in range(2):
            done = run_example(program, tmp_path)
            assert done.returncode == 0, done.stderr
            assert done.stderr == ""


def watch_producer(program: str, folder: Path) -> None:
    """Run a program that publishes in the stream "cam0", look at some of its frames, and end it by Ctrl-C."""
    with Process(f"import os; os.chdir({os.fspath(folder)!r})\n{program}") as producer:
        while "cam0" not in present():
            assert producer.child.poll() is None, producer.child.communicate()[1]
        with shmcv.Stream.open("cam0") as stream:
            seen = []
            for frame in stream.frames(timeout=PATIENCE):
                assert frame.image.height == 2160
                seen.append(frame.sequence)
                if len(seen) == 3:
                    frame.close()
                    break
        assert seen == sorted(set(seen))
        producer.child.send_signal(signal.SIGINT)
        _, told = producer.child.communicate(timeout=PATIENCE)
        assert told.strip().endswith("KeyboardInterrupt"), told
    assert "cam0" not in present()


@pytest.mark.usefixtures("_no_names")
def test_the_packages_own_example_draws_its_corner(tmp_path):
    shutil.copy(PHOTOGRAPH, tmp_path / "photograph.jpg")
    (*_, example) = programs()
    assert run_example(example.values[0], tmp_path).returncode == 0  # type: ignore[attr-defined]
    assert cv2.imread(os.fspath(tmp_path / "flipped.png"))[0, 0].tolist() == [0, 0, 255]
