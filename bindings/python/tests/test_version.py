"""Versions, and finding the native library."""

from __future__ import annotations

import builtins
import ctypes
import inspect
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support import PACKAGE, ROOT, environment, python
from system import BUILT, WINDOWS, library_file, linux_alone

import shmcv
from shmcv import _native, _system

#: Exceptions that have the name of a built-in one. A star import leaves them out.
BUILT_IN_NAMES = {"IOError", "PermissionError", "TimeoutError"}


def test_package_and_library_are_of_one_version():
    assert shmcv.version() == shmcv.__version__
    assert shmcv.abi_version() == (_native.ABI_MAJOR, _native.ABI_MINOR)
    pyproject = (PACKAGE / "pyproject.toml").read_text(encoding="utf-8")
    assert f'\nversion = "{shmcv.__version__}"\n' in pyproject


def test_everything_public_is_there_and_listed():
    assert len(set(shmcv.__all__)) == len(shmcv.__all__)
    public = {name for name, value in vars(shmcv).items() if name[0] != "_" and not inspect.ismodule(value)}
    assert public - {"annotations"} | {"__version__"} == set(shmcv.__all__) | BUILT_IN_NAMES


def test_a_star_import_hides_no_builtin():
    assert not set(shmcv.__all__) & set(dir(builtins))
    assert shmcv.__doc__ is not None
    for name in BUILT_IN_NAMES:
        assert getattr(shmcv, name) is not getattr(builtins, name)
        assert issubclass(getattr(shmcv, name), getattr(builtins, name))
        assert f"shmcv.{name}" in shmcv.__doc__


def test_constants_are_those_of_the_header():
    header = (ROOT / "include" / "shmcv.h").read_text(encoding="utf-8")
    for name in ("MAX_DIMENSION", "MAX_NAME", "MAX_PIXELS", "NO_KEY", "QUALITY_DEFAULT"):
        found = re.search(rf"#define SHMCV_{name} +\(?(-?\d+)", header)
        assert found is not None
        assert getattr(shmcv, name) == int(found[1])


def test_structures_are_laid_out_as_in_c():
    for structure in (_native.ShmcvImageInfo, _native.ShmcvSegmentInfo, _native.ShmcvFrameInfo):
        assert ctypes.sizeof(structure) == structure.SIZE
        last = getattr(structure, structure._fields_[-1][0])
        # No padding at the end. C might place padding elsewhere.
        assert last.offset + last.size == structure.SIZE


LOAD = """
import sys, shmcv
try:
    print("loaded", shmcv.version())
except ImportError as problem:
    assert type(problem) is shmcv.LibraryError
    print(problem)
"""


def load(package: Path, **variables: str | None) -> str:
    """Return what a process prints that uses the package in this folder."""
    return python(LOAD, env=environment(PYTHONPATH=str(package), **variables)).stdout


NO_LIBRARY = shutil.ignore_patterns("*.so", "*.dll")


@pytest.fixture
def alone(tmp_path):
    """A copy of the package, with no library in it or beside it."""
    shutil.copytree(PACKAGE / "src" / "shmcv", tmp_path / "site" / "shmcv", ignore=NO_LIBRARY)
    return tmp_path / "site"


@pytest.fixture
def built():
    """The path of the library under test."""
    shmcv.version()
    return library_file()


def test_a_missing_library_says_where_it_was_looked_for(alone):
    answer = load(alone, SHMCV_LIBRARY=None, LD_LIBRARY_PATH=None)
    if answer.startswith("loaded"):
        pytest.skip("shmcv is installed on this system: nothing is missing here")
    for word in ("SHMCV_LIBRARY", str(alone / "shmcv" / BUILT.name), "system's loader", "./build.sh build"):
        assert word in answer


@linux_alone("which processors are served is a question of each system")
def test_a_processor_without_a_library_is_named(monkeypatch):
    for served in ("x86_64", "aarch64"):
        monkeypatch.setattr(_system.platform, "machine", lambda served=served: served)
        assert _system.refusal() == ""
    monkeypatch.setattr(_system.platform, "machine", lambda: "riscv64")
    assert "glibc on x86-64 or arm64" in _system.refusal()
    assert "Linux on riscv64" in _system.refusal()


def test_importing_alone_does_not_need_the_library(alone):
    variables = environment(PYTHONPATH=str(alone), SHMCV_LIBRARY="/nowhere/library")
    assert python("import shmcv; print(shmcv.__version__)", env=variables).stdout.strip() == shmcv.__version__


def test_the_variable_comes_before_everything_else(alone, built, tmp_path):
    assert load(alone, SHMCV_LIBRARY=str(built)).startswith("loaded")
    shutil.copy(built, alone / "shmcv" / BUILT.name)
    missing = tmp_path / "elsewhere.so"
    answer = load(alone, SHMCV_LIBRARY=str(missing))
    assert str(missing) in answer
    assert "SHMCV_LIBRARY" in answer


def test_the_packages_own_folder_comes_before_the_system(alone, built, tmp_path):
    shutil.copy(built, alone / "shmcv" / BUILT.name)
    system = tmp_path / "system"
    system.mkdir()
    (system / BUILT.name).write_bytes(b"not a library")
    assert load(alone, SHMCV_LIBRARY=None, LD_LIBRARY_PATH=str(system)).startswith("loaded")


@linux_alone("Windows' loader does not look for a library of Python in folders that a variable names")
def test_the_systems_loader_finds_what_is_installed(alone, built, tmp_path):
    shutil.copy(built, tmp_path / BUILT.name)
    assert load(alone, SHMCV_LIBRARY=None, LD_LIBRARY_PATH=str(tmp_path)).startswith("loaded")


def test_a_checkout_finds_what_it_has_built(tmp_path, built):
    package = tmp_path / "bindings" / "python" / "src"
    shutil.copytree(PACKAGE / "src" / "shmcv", package / "shmcv", ignore=NO_LIBRARY)
    (tmp_path / BUILT).parent.mkdir(parents=True)
    shutil.copy(built, tmp_path / BUILT)
    assert load(package, SHMCV_LIBRARY=None, LD_LIBRARY_PATH=None).startswith("loaded")


def test_what_is_no_library_is_refused(alone, tmp_path):
    (tmp_path / "text.so").write_text("not a library")
    answer = load(alone, SHMCV_LIBRARY=str(tmp_path / "text.so"))
    assert "text.so" in answer
    assert "SHMCV_LIBRARY" in answer


def compiled(tmp_path: Path, source: str) -> str:
    """Compile a library that claims to be shmcv."""
    if WINDOWS or shutil.which("gcc") is None:
        pytest.skip("no gcc here to make a library of another version with")
    library = tmp_path / "libother.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-xc", "-", "-o", library], input=source, text=True, check=True)
    return str(library)


def test_a_library_that_is_not_ours_is_refused(alone, tmp_path):
    answer = load(alone, SHMCV_LIBRARY=compiled(tmp_path, "int other(void) { return 0; }"))
    assert "is not the shmcv library" in answer
    assert "shmcv_abi_version" in answer


MAJOR, MINOR = _native.ABI_MAJOR, _native.ABI_MINOR


def test_a_library_that_lacks_a_function_is_refused(alone, tmp_path):
    source = f"unsigned shmcv_abi_version(void) {{ return {MAJOR}u << 16 | {MINOR}u; }}"
    answer = load(alone, SHMCV_LIBRARY=compiled(tmp_path, source))
    assert "is not the shmcv library, or not all of it" in answer


@pytest.mark.parametrize("version", [(MAJOR + 1, MINOR), (MAJOR - 1, MINOR + 5), (MAJOR, MINOR - 1)], ids=str)
def test_a_library_of_another_version_is_refused(version, alone, tmp_path):
    major, minor = version
    if minor < 0:
        pytest.skip("there is no older minor version yet")
    source = f"unsigned shmcv_abi_version(void) {{ return {major}u << 16 | {minor}u; }}"
    answer = load(alone, SHMCV_LIBRARY=compiled(tmp_path, source))
    assert f"version {major}.{minor}" in answer
    assert f"needs {MAJOR}.{MINOR}" in answer


def test_an_older_minor_version_is_refused_and_a_newer_one_is_not(alone, built):
    native = alone / "shmcv" / "_native.py"
    text = native.read_text(encoding="utf-8")

    def needing(minor: int) -> str:
        native.write_text(text.replace(f"ABI_MINOR: Final = {MINOR}", f"ABI_MINOR: Final = {minor}"), encoding="utf-8")
        return load(alone, SHMCV_LIBRARY=str(built))

    assert f"needs {MAJOR}.{MINOR + 1}" in needing(MINOR + 1)
    assert needing(MINOR).startswith("loaded")
