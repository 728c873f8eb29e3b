"""What users install: the wheel."""

from __future__ import annotations

import email
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest
from support import PACKAGE, PATIENCE, ROOT, environment

import shmcv
from shmcv import _native

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


def test_a_wheel_of_windows_library_is_for_windows(tmp_path):
    """The library says which system the wheel is for. The plugin that draws windows on Linux does not go with it."""
    pytest.importorskip("hatchling", reason="no hatchling here, which builds the wheel")
    library = tmp_path / "libshmcv.dll"
    library.write_bytes(b"MZ, as files of Windows begin")
    (tmp_path / "libopencv_highgui_gtk3.so").touch()
    made = make_wheel(tmp_path, SHMCV_LIBRARY=str(library))
    assert made.returncode == 0, made.stdout + made.stderr
    with zipfile.ZipFile(tmp_path / f"shmcv-{shmcv.__version__}-py3-none-win_amd64.whl") as archive:
        assert archive.read("shmcv/libshmcv.dll") == library.read_bytes()
        assert not [name for name in archive.namelist() if name.endswith(".so")]
        assert "shmcv/_windows.py" in archive.namelist()


@pytest.mark.parametrize(("number", "machine"), [(62, "x86_64"), (183, "aarch64")])
def test_a_wheel_of_a_library_for_an_older_glibc_says_so_and_for_which_processor(tmp_path, number, machine):
    """What is given away is for many systems, and need not be for the machine that makes the wheel."""
    pytest.importorskip("hatchling", reason="no hatchling here, which builds the wheel")
    library = tmp_path / "libshmcv.so"
    library.write_bytes(b"\x7fELF".ljust(18, b"\0") + number.to_bytes(2, "little"))
    made = make_wheel(tmp_path, SHMCV_LIBRARY=str(library), SHMCV_GLIBC="2.28")
    assert made.returncode == 0, made.stdout + made.stderr
    assert (tmp_path / f"shmcv-{shmcv.__version__}-py3-none-manylinux_2_28_{machine}.whl").is_file()
    made = make_wheel(tmp_path / "here", SHMCV_LIBRARY=str(library), SHMCV_GLIBC=None)
    assert made.returncode == 0, made.stdout + made.stderr
    assert (tmp_path / "here" / f"shmcv-{shmcv.__version__}-py3-none-linux_{machine}.whl").is_file()


def test_a_wheel_of_a_library_for_another_processor_says_what_to_do(tmp_path):
    pytest.importorskip("hatchling", reason="no hatchling here, which builds the wheel")
    library = tmp_path / "libshmcv.so"
    library.write_bytes(b"\x7fELF".ljust(18, b"\0") + (243).to_bytes(2, "little"))  # RISC-V
    made = make_wheel(tmp_path, SHMCV_LIBRARY=str(library))
    assert made.returncode != 0
    assert f"{library} is neither" in made.stdout + made.stderr


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
    assert {"Operating System :: POSIX :: Linux", "Operating System :: Microsoft :: Windows"} <= set(
        said.get_all("Classifier")
    )
    assert said["Description-Content-Type"] == "text/markdown"


def test_no_file_of_the_wheel_names_a_folder_of_the_build_machine(wheel):
    folders = {f"{folder}/".encode() for folder in (ROOT, Path.home(), wheel.parent) if folder != Path("/")}
    with zipfile.ZipFile(wheel) as archive:
        found = [(name, folder) for name in archive.namelist() for folder in folders if folder in archive.read(name)]
    assert found == []


def test_the_notices_name_everything_that_is_linked_in():
    listed = NOTICES.read_text(encoding="utf-8").split("=" * 80)[0]
    # GCC brings its own libraries, zig LLVM's.
    compilers = (
        "Apache-2.0 WITH LLVM-exception" if "zig's compiler_rt" in listed else "GPL-3.0-or-later WITH GCC-exception-3.1"
    )
    components = ["gocv.io/x/gocv", "golang.org/x/sys", "Go's runtime", compilers]
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


@pytest.mark.parametrize("name", [f"libshmcv.so.{_native.ABI_MAJOR}", "libshmcv.so"])
def test_a_package_without_a_library_takes_the_one_that_the_systems_loader_knows(tmp_path, name):
    """An installation to run programs has the first name alone, as in distributions; the second one is the linker's."""
    site, folder = tmp_path / "site", tmp_path / "lib"
    shutil.copytree(PACKAGE / "src", site, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    folder.mkdir()
    shutil.copy(BUILT, folder / name)
    done = subprocess.run(
        [sys.executable, "-c", "import shmcv; print(shmcv.version())"],
        env=environment(PYTHONPATH=str(site), SHMCV_LIBRARY=None, LD_LIBRARY_PATH=str(folder)),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.stdout.strip() == shmcv.version(), done.stderr


def test_on_musl_the_import_says_that_there_musl_cannot_be():
    """A Python for musl has that name of its system. No such Python is here: this one gets the name."""
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.implementation._multiarch = 'x86_64-linux-musl'; import shmcv"],
        env=environment(PYTHONPATH=str(PACKAGE / "src")),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1
    (last,) = done.stderr.splitlines()[-1:]
    assert last.startswith("ImportError: shmcv does not work with musl, ")
    assert "use an image with glibc" in last


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
