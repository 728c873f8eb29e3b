"""Runs the fuzz targets of the project, one after the other, each for its share of the time.

A target is a Go function Fuzz..., in any package of FOLDERS. Go keeps the inputs that reach new code in its cache, and
the next run goes on from there. Go writes an input that fails to the package's testdata/fuzz; from then on the
package's tests run that input too. Exits with 1 when an input failed.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("./internal/...", "./shm/...", "./ops/...")
WORKERS = 2
# Go would spend up to a minute on making each new input smaller: more than a target's share of the time.
FLAGS = ("-run=^$", f"-parallel={WORKERS}", "-fuzzminimizetime=300x")

# Go before 1.27 may report the end of -fuzztime itself as a failure (golang/go#75804). No input belongs to it.
END_OF_TIME = re.compile(r"^--- FAIL: \w+ \([0-9.]+s\)\n +context deadline exceeded\nFAIL$", re.M)
PROGRESS = re.compile(r"execs: (\d+) .*new interesting: (\d+) \(total: (\d+)\)")
AGAIN = re.compile(r"^ *go test -run=(\S+)$", re.M)
SEED = re.compile(r"failure while testing seed corpus entry: (\S+)")


def targets() -> list[tuple[str, str]]:
    """Package and name of every target."""
    listed = subprocess.run(
        ("go", "test", "-json", "-list=^Fuzz", *FOLDERS), cwd=ROOT, check=False, stdout=subprocess.PIPE, text=True
    )
    events = [json.loads(line) for line in listed.stdout.splitlines() if line.startswith("{")]
    said = [(event["Package"], event["Output"].strip()) for event in events if event["Action"] == "output"]
    if listed.returncode:
        sys.exit("fuzz: " + "\n".join(text for _, text in said))
    return [(package, text) for package, text in said if re.fullmatch(r"Fuzz\w*", text)]


class Result:
    """What a run of one target has found."""

    def __init__(self, package: str, name: str, output: str, code: int, seconds: float) -> None:
        self.package, self.name, self.output, self.seconds = package, name, output, seconds
        *_, last = PROGRESS.findall(output) or [("0", "0", "0")]
        self.runs, self.new, self.total = map(int, last)
        self.passed = code == 0 or (END_OF_TIME.search(output) is not None and AGAIN.search(output) is None)

    def again(self) -> str:
        """How to repeat the failure."""
        found = AGAIN.search(self.output) or SEED.search(self.output)
        return f". scripts/goenv; go test {self.package} -run='^{(found[1] if found else self.name)}$'"

    def __str__(self) -> str:
        target = f"{self.name:<16} {self.package:<26}"
        line = f"{target} {self.runs:>9} runs, {self.new:>4} inputs with new coverage ({self.total} in all)"
        return line if self.passed else f"{line}\nFAILED  {self.name}: to repeat it:\n    {self.again()}"


def run(package: str, name: str, seconds: float, logs: Path) -> Result:
    """Runs one target."""
    began = time.monotonic()
    command = ("go", "test", *FLAGS, f"-fuzz=^{name}$", f"-fuzztime={seconds:.1f}s", package)
    done = subprocess.run(
        command, cwd=ROOT, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    (logs / f"fuzz-{name}.log").write_text(done.stdout)
    return Result(package, name, done.stdout, done.returncode, time.monotonic() - began)


def write_report(path: Path, results: list[Result]) -> None:
    """Writes the results in JUnit's format, a test case for each target."""
    suites = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(suites, "testsuite", name="fuzz", tests=str(len(results)))
    for result in results:
        case = ElementTree.SubElement(
            suite, "testcase", classname=result.package, name=result.name, time=f"{result.seconds:.3f}"
        )
        if not result.passed:
            failure = ElementTree.SubElement(case, "failure", message=result.again())
            # XML has no place for most control characters, which an input may have.
            failure.text = re.sub(r"[^\t\n -\uD7FF\uE000-\uFFFD]", "?", result.output)
    ElementTree.ElementTree(suites).write(path, encoding="unicode", xml_declaration=True)


def main() -> int:
    """Runs all targets and says what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, required=True, help="for all targets together, compiling aside")
    parser.add_argument("--logs", type=Path, required=True, help="folder for what each target prints")
    parser.add_argument("--report", type=Path, help="file for the results, in JUnit's format")
    args = parser.parse_args()

    found = targets()
    if not found:
        sys.exit("fuzz: there are no targets")
    results = []
    for package, name in found:
        results.append(run(package, name, args.seconds / len(found), args.logs))
        print(results[-1], flush=True)
        if not results[-1].passed:
            print(results[-1].output[-4000:], flush=True)
    if args.report:
        write_report(args.report, results)
    failed = sum(not result.passed for result in results)
    print(f"fuzz: {len(results)} targets, {sum(result.runs for result in results)} runs, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
