"""Checks that every file with a version of its own has the version of internal/abi/version.go."""

from __future__ import annotations

import re
import sys
from pathlib import Path

root = Path(__file__).resolve().parent.parent

PLACES = {
    "bindings/python/pyproject.toml": r'^version = "([^"]+)"',
    "bindings/csharp/Directory.Build.props": r"<Version>([^<]+)</Version>",
    "bindings/c/CMakeLists.txt": r"project\(shmcv VERSION ([0-9.]+)",
    "CHANGELOG.md": r"^## ([0-9]\S*)",
}


def main() -> int:
    source = (root / "internal/abi/version.go").read_text()
    wanted = re.search(r'^const Version = "([^"]+)"', source, re.M)
    assert wanted, "internal/abi/version.go has no Version"
    wrong = 0
    for place, pattern in PLACES.items():
        path = root / place
        found = re.search(pattern, path.read_text(), re.M) if path.exists() else None
        if found is None or found[1] != wanted[1]:
            said = found[1] if found else "not found"
            print(f"{place}: version {said}, where internal/abi/version.go says {wanted[1]}")
            wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
