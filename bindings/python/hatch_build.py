"""Puts the native library into the wheel. The wheel is then for this platform only."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

#: Where a checkout has the library of the system that makes the wheel.
BUILT = "build/win-x64/libshmcv.dll" if sys.platform == "win32" else "build/libshmcv.so"

WINDOW_PLUGIN = "libopencv_highgui_gtk3.so"  # a library that was built without GTK 3 has none
NOTICES = "THIRD_PARTY_NOTICES"  # pyproject.toml puts it into the wheel


class NativeLibraryHook(BuildHookInterface):
    """Adds libshmcv.so, and the plugin that draws windows if it lies beside the library; or libshmcv.dll.

    The library says which system the wheel is for, which need not be the one that makes the wheel.
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
        with library.open("rb") as file:
            windows = file.read(2) == b"MZ"
        system = "win_amd64" if windows else sysconfig.get_platform().replace("-", "_").replace(".", "_")
        # Any Python 3 will do: the package calls the library through ctypes.
        build_data["tag"] = f"py3-none-{system}"
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
