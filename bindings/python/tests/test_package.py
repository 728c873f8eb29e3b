"""What users install and read: the wheel, the sample, and the programs in the documentation."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from support import PACKAGE, PATIENCE, PHOTOGRAPH, ROOT, environment, present, python

import shmcv

BUILT = Path(os.environ.get("SHMCV_LIBRARY") or ROOT / "build" / "libshmcv.so")


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
    # From a copy, because a build may leave files beside the sources.
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


def test_the_wheel_is_installed_and_used(wheel, tmp_path):
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    interpreter = tmp_path / "venv" / "bin" / "python"
    (site,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    installed = pip("install", "--no-deps", "--target", site, wheel)
    assert installed.returncode == 0, installed.stderr
    # Its one dependency, from where we have it.
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


def programs() -> list[object]:
    """Return the Python programs of the documentation that is there."""
    found: list[object] = []
    for document in (ROOT / "README.md", PACKAGE / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        if document.exists():
            blocks = re.findall(r"^```python\n(.*?)^```", document.read_text(encoding="utf-8"), re.M | re.S)
            place = document.relative_to(ROOT)
            found += [pytest.param(block, id=f"{place} {number}") for number, block in enumerate(blocks, 1)]
    return found


@pytest.mark.skipif(not (ROOT / "README.md").exists(), reason="this checkout has no README.md")
@pytest.mark.parametrize("program", programs())
def test_the_documentations_programs_run(program, tmp_path):
    """Each by itself, with photograph.jpg in its folder; those that only read find it in the segment "photo"."""
    shutil.copy(PHOTOGRAPH, tmp_path / "photograph.jpg")
    run = "import os, sys; os.chdir(sys.argv[1]); exec(sys.argv[2])"
    with contextlib.ExitStack() as cleanup:
        if "Segment.create" not in program:
            photo = cleanup.enter_context(shmcv.Segment.create("photo", 3840 * 2160 * 3))
            cleanup.callback(photo.clear)
            photo.load(PHOTOGRAPH)
        done = python(run, tmp_path, program, env=environment(DISPLAY=None))
    assert done.stderr == ""
    assert not present() & {"photo", "mirrored"}


def test_the_packages_own_example_runs(tmp_path):
    shutil.copy(PHOTOGRAPH, tmp_path / "photograph.jpg")
    example = "import os, sys, textwrap; os.chdir(sys.argv[1]); import shmcv; exec(textwrap.dedent(sys.argv[2]))"
    assert shmcv.__doc__ is not None
    block = shmcv.__doc__.split("numpy array:\n\n")[1].split("\n\nErrors")[0]
    python(example, tmp_path, block, env=environment(DISPLAY=None))
    assert cv2.imread(os.fspath(tmp_path / "flipped.png"))[0, 0].tolist() == [0, 0, 255]
