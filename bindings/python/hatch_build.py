"""Puts the native library into the wheel. The wheel is then for this platform only."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

#: Where a checkout has the library of the system that makes the wheel.
BUILT = "build/win-x64/libshmcv.dll" if sys.platform == "win32" else "build/libshmcv.so"

WINDOW_PLUGIN = "libopencv_highgui_gtk3.so"  # a library that was built without GTK 3 has none
NOTICES = "THIRD_PARTY_NOTICES"  # pyproject.toml puts it into the wheel
PROCESSORS = {62: "x86_64", 183: "aarch64"}  # by the numbers that ELF has for them


def platform_of(library: Path) -> str:
    """Return the name that wheels have for the system and processor of the library."""
    with library.open("rb") as file:
        header = file.read(20)
    if header.startswith(b"MZ"):
        return "win_amd64"
    processor = PROCESSORS.get(int.from_bytes(header[18:], "little"))
    if not header.startswith(b"\x7fELF") or processor is None:
        raise SystemExit(
            f"shmcv: {library} is neither a library for Linux on {' or '.join(PROCESSORS.values())} nor one for Windows"
        )
    glibc = os.environ.get("SHMCV_GLIBC")
    return f"manylinux_{glibc.replace('.', '_')}_{processor}" if glibc else f"linux_{processor}"


class NativeLibraryHook(BuildHookInterface):
    """Adds libshmcv.so, and the plugin that draws windows if it lies beside the library; or libshmcv.dll.

    The library says which system and processor the wheel is for, which need not be those of this machine. SHMCV_GLIBC
    has the oldest glibc that the library works with; without it the wheel is for machines like this one.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        # An editable install imports from the checkout. The package looks for the library in the checkout's build/.
        if version == "editable":
            return
        library = self.built_library()
        if not (Path(self.root) / NOTICES).is_file():
            raise SystemExit(
                f"shmcv: there is no {NOTICES} in {self.root}. The wheel carries the licences of all that is linked "
                "into the native library: run ./build.sh build, which writes them or says which one is missing."
            )
        build_data["pure_python"] = False
        platform = platform_of(library)
        windows = platform.startswith("win")
        # Any Python 3 will do: the package calls the library through ctypes.
        build_data["tag"] = f"py3-none-{platform}"
        build_data["force_include"][str(library)] = "shmcv/libshmcv.dll" if windows else "shmcv/libshmcv.so"
        plugin = library.with_name(WINDOW_PLUGIN)
        if plugin.is_file() and not windows:
            build_data["force_include"][str(plugin)] = f"shmcv/{WINDOW_PLUGIN}"

    def built_library(self) -> Path:
        """Return the library that goes into the wheel: the one that SHMCV_LIBRARY names, or the checkout's."""
        named = os.environ.get("SHMCV_LIBRARY")
        library = Path(named) if named else Path(self.root).parent.parent / BUILT
        if library.is_file():
            return library.absolute()
        raise SystemExit(
            f"shmcv: there is no {library}. The wheel carries the native library, which has to be built first: run "
            "./build.sh build in a checkout of the project, or name a library file in SHMCV_LIBRARY."
        )
