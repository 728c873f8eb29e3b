"""Describes the machine and the versions of a measurement."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from datetime import datetime, timezone
from pathlib import Path
from typing import Any


def machine() -> dict[str, Any]:
    """Return a description of the processor, the memory and the system."""
    model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    return {
        "processor": model[1].strip() if model else platform.machine(),
        "processors": len(os.sched_getaffinity(0)),
        "memory_mib": meminfo("MemTotal") // 1024,
        "kernel": platform.release().partition("-")[0],
        "load": os.getloadavg()[0],
    }


def meminfo(key: str) -> int:
    """Return a line of /proc/meminfo, in KiB."""
    found = re.search(rf"^{key}:\s+(\d+)", Path("/proc/meminfo").read_text(), re.M)
    return int(found[1]) if found else 0


def tools() -> dict[str, str]:
    """Return the versions of the libraries and tools that shmcv was built with."""
    commands = {
        "go": ["go", "version"],
        "gcc": ["gcc", "--version"],
        "rustc": ["rustc", "--version"],
        "dotnet": ["dotnet", "--version"],
    }
    return {name: version for name, command in commands.items() if (version := _number(_output(command)))}


def source(root: Path) -> dict[str, Any]:
    """Return the commit, and whether the files differ from it, or "" outside a git checkout."""
    commit = _output(["git", "-C", str(root), "rev-parse", "HEAD"]).strip()
    dirty = bool(_output(["git", "-C", str(root), "status", "--porcelain"]).strip())
    return {"commit": commit, "dirty": dirty} if commit else {}


def now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def _output(command: list[str]) -> str:
    if shutil.which(command[0]) is None:
        return ""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _number(text: str) -> str:
    found = re.search(r"\d+\.\d+(\.\d+)?", text)
    return found[0] if found else ""
