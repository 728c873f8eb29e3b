"""Sums up JUnit result files: `summary.py FILE...` prints "N passed, N failed, N skipped" as its last line.

Exits with 1 if a test failed, or if no test passed. `summary.py --skipped FILE...` prints the tests that were skipped,
and why.
"""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def outcome(case: ElementTree.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None or case.get("status") == "fail":
        return "failed"
    if case.find("skipped") is not None or case.get("status") in ("disabled", "notrun"):
        return "skipped"
    return "passed"


def reason(case: ElementTree.Element) -> str:
    """Return what a test said when it was skipped. Go's runner puts that among other lines, behind a place."""
    skipped = case.find("skipped")
    text = "" if skipped is None else skipped.get("message") or skipped.text or ""
    lines = [line.strip() for line in text.splitlines() if not line.strip().startswith(("=== ", "--- "))]
    said = [re.sub(r"^[\w.]+\.go:\d+: ?", "", line) for line in lines]
    return " ".join(filter(None, said)) or "no reason was said"


def print_skipped(paths: list[Path]) -> None:
    for path in paths:
        tests: dict[str, list[str]] = {}
        for case in ElementTree.parse(path).iter("testcase"):
            if outcome(case) == "skipped":
                tests.setdefault(reason(case), []).append(f"{case.get('classname') or path.stem} {case.get('name')}")
        for why, names in tests.items():
            print(f"{path.stem}: {why}")
            for name in names:
                print(f"    {name}")


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--skipped"]:
        print_skipped([Path(path) for path in arguments[1:]])
        return 0
    total = {"passed": 0, "failed": 0, "skipped": 0}
    for path in map(Path, arguments):
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
