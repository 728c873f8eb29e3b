"""Sums up JUnit result files: `summary.py FILE...` prints "N passed, N failed, N skipped" as its last line.

Exits with 1 if a test failed, or if no test passed.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def outcome(case: ElementTree.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None or case.get("status") == "fail":
        return "failed"
    if case.find("skipped") is not None or case.get("status") in ("disabled", "notrun"):
        return "skipped"
    return "passed"


def main(paths: list[str]) -> int:
    total = {"passed": 0, "failed": 0, "skipped": 0}
    for path in map(Path, paths):
        counts = dict.fromkeys(total, 0)
        for case in ElementTree.parse(path).iter("testcase"):
            result = outcome(case)
            counts[result] += 1
            if result == "failed":
                print(f"FAILED  {path.stem}: {case.get('classname', '')} {case.get('name')}")
        print(f"{path.stem:>8}: " + ", ".join(f"{n} {what}" for what, n in counts.items()))
        for what, n in counts.items():
            total[what] += n
    print(", ".join(f"{n} {what}" for what, n in total.items()))
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
