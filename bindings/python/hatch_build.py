"""Puts the native library into the wheel, which is then one for this platform."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LIBRARY = "libshmcv.so"
WINDOW_PLUGIN = "libopencv_highgui_gtk3.so"  # there where the library was built with GTK 3


class NativeLibraryHook(BuildHookInterface):
    """Adds libshmcv.so, and the plugin that draws windows where there is one beside it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        # An editable install imports from the checkout, whose build/ the package knows to look in.
        if version == "editable":
            return
        library = self.built_library()
        build_data["pure_python"] = False
        # Any Python 3: the library is reached through ctypes.
        build_data["tag"] = "py3-none-" + sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["force_include"][str(library)] = f"shmcv/{LIBRARY}"
        plugin = library.with_name(WINDOW_PLUGIN)
        if plugin.is_file():
            build_data["force_include"][str(plugin)] = f"shmcv/{WINDOW_PLUGIN}"

    def built_library(self) -> Path:
        """Find the library that goes into the wheel: SHMCV_LIBRARY's, or that of the checkout around us."""
        named = os.environ.get("SHMCV_LIBRARY")
        library = Path(named) if named else Path(self.root).parent.parent / "build" / LIBRARY
        if library.is_file():
            return library.absolute()
        raise SystemExit(
            f"shmcv: there is no {library}. The wheel carries the native library, which has to be built first: run "
            "./build.sh build in a checkout of the project, or name a library file in SHMCV_LIBRARY."
        )
