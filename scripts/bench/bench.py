"""Measures shmcv beside what people use instead. `./build.sh bench` builds what this needs, and runs it."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import sysconfig
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import machine
import report
from measure import BLOCKS, FULL, QUICK, Bench
from peers import PeerError, Pool
from ratios import Result
from rows import SIZES, Row, rows
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "scripts" / "bench"
BUILD = ROOT / "build" / "bench"
PLOT = ROOT / "docs" / "bench.svg"
DOCUMENTS = (ROOT / "README.md", ROOT / "docs" / "performance.md")


def programs(csharp: str) -> dict[str, list[str]]:
    """Return the command of each program that is built."""
    python = [sys.executable, str(HERE / "peer.py"), "--lib"]
    found = {
        "c": [str(BUILD / "peer")],
        "loadlib": [str(BUILD / "loadlib"), str(ROOT / "build" / "libshmcv.so")],
        "handover": [str(BUILD / "handover")],
        "handover-python": [sys.executable, str(HERE / "handover.py")],
        "python": [*python, "shmcv"],
        "cv2": [*python, "cv2"],
        "pillow": [*python, "pillow"],
    }
    rust = BUILD / "iceoryx2" / "release" / "handover"
    if rust.is_file():
        found["handover-iceoryx2"] = [str(rust)]
    if importlib.util.find_spec("iceoryx2"):
        found["handover-iceoryx2-python"] = found["handover-python"]
    if csharp:
        peer = ["dotnet", csharp, "--lib"]
        found.update({lib: [*peer, lib] for lib in ("opencvsharp", "skia", "tutorial")}, csharp=[*peer, "shmcv"])
        found["handover-csharp"] = ["dotnet", csharp, "--handover"]
    return found


def environment() -> dict[str, str]:
    """Return the environment by which the peers find their libraries."""
    return {
        **os.environ,
        "SHMCV_LIBRARY": str(ROOT / "build" / "libshmcv.so"),
        "PYTHONPATH": str(ROOT / "bindings" / "python" / "src"),
        "SHMCV_BENCH_LIBPYTHON": libpython(),
        "SHMCV_BENCH_VENV": sys.prefix,
    }


def libpython() -> str:
    """Return the path of this Python as a shared library, or "" if it is not installed (Debian: libpython3.11)."""
    name = sysconfig.get_config_var("INSTSONAME") or ""
    folder = Path(sysconfig.get_config_var("LIBDIR") or "/usr/lib")
    places = [folder / name, folder / (sysconfig.get_config_var("MULTIARCH") or "") / name]
    return next((str(place) for place in places if name and ".so" in name and place.is_file()), "")


def chosen(found: list[Row], patterns: list[str], quick: bool) -> list[Row]:
    """Return the rows that are asked for by their kind or name, or all rows if none is asked for."""
    if not patterns:
        return [row for row in found if row.essential or not quick]
    return [
        row
        for row in found
        if any(fnmatch(text.lower(), f"*{pattern.lower()}*") for pattern in patterns for text in (row.kind, row.name))
    ]


def largest_image(quick: bool) -> int:
    """Return the number of pixels of the largest image that fits into memory, decoded twice by every peer."""
    sizes = SIZES[:3] if quick else SIZES
    fitting = [
        width * height for width, height in sizes if width * height * 3 * 6 < machine.meminfo("MemAvailable") * 1024
    ]
    return max(fitting, default=0)


def measured(selected: list[Row], quick: bool, csharp: str) -> tuple[dict[str, Any], list[Result], dict[str, str]]:
    """Measure, and return the document, its results, and what has gone wrong."""
    log = BUILD / "peers.log"
    log.write_text("")
    document = {"date": machine.now(), "quick": quick, "machine": machine.machine(), "source": machine.source(ROOT)}
    problems: dict[str, str] = {}
    with swept(), Pool(programs(csharp), environment(), log) as pool:
        bench = Bench(pool, QUICK if quick else FULL, log)
        with tqdm(total=BLOCKS * len(selected), unit="row", disable=None, leave=False) as progress:
            for block in range(BLOCKS):
                for row in selected:
                    progress.set_description(f"{row.kind}: {row.name}")
                    try:
                        bench.measure(row, block)
                    except PeerError as problem:
                        problems[f"{row.kind}, {row.name}"] = str(problem)
                    progress.update()
        said = {key: value for values in pool.versions.values() for key, value in values.items()}
    versions = {key: value for key, value in {**said, **machine.tools()}.items() if key not in ("name", "threads")}
    threads = {program: int(v["threads"]) for program, v in pool.versions.items() if "threads" in v}
    document.update(versions=versions, threads=threads, facts=bench.facts, skipped=bench.skipped, problems=problems)
    results = [result for result in bench.results.values() if result.series]
    return {**document, "results": [result.to_json() for result in results]}, results, problems


@contextlib.contextmanager
def swept() -> Any:
    """Leave nothing in shared memory, also when the bench is interrupted and peers had to be killed."""
    before = set(Path("/dev/shm").iterdir())  # noqa: S108 # segments are here
    try:
        yield
    finally:
        subprocess.run([sys.executable, "-c", "import shmcv; shmcv.sweep()"], env=environment(), check=False)
        for file in set(Path("/dev/shm").iterdir()) - before:  # noqa: S108
            if "shmcv-bench-" in file.name:
                file.unlink(missing_ok=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./build.sh bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the essential rows, in about half a minute")
    parser.add_argument("--publish", action="store_true", help="write docs/bench.svg, and the tables in the documents")
    parser.add_argument("--from", dest="source", type=Path, help="measure nothing: report an earlier run's bench.json")
    parser.add_argument("--csharp", default="", help=argparse.SUPPRESS)
    parser.add_argument("row", nargs="*", help="only rows whose kind or name contains this: load, flip, job, call, ...")
    return parser.parse_args()


def main() -> int:
    """Measure, print, write. A slow result is no error; a wrong one is."""
    asked = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that it ends as with Ctrl-C
    BUILD.mkdir(parents=True, exist_ok=True)
    target = BUILD.parent / "bench.json"
    problems: dict[str, str] = {}
    if asked.source:
        target = asked.source
        document = json.loads(target.read_text())
        results = [Result.from_json(data) for data in document["results"]]
    else:
        largest = largest_image(asked.quick)
        selected = chosen(rows(BUILD / "input", largest), asked.row, asked.quick)
        if not selected:
            sys.exit(f"no row is called {' or '.join(asked.row)}")
        photograph = ROOT / "testdata" / "photograph.jpg"
        make = [sys.executable, str(HERE / "inputs.py"), str(photograph), str(BUILD / "input"), str(largest)]
        subprocess.run(make, check=True)
        document, results, problems = measured(selected, asked.quick, asked.csharp)
        target.write_text(json.dumps(document, indent=1) + "\n")
    print(report.text(document, results))
    print(f"\n{report.skipped({**document['skipped'], **problems})}", file=sys.stderr)
    plot = PLOT if asked.publish else target.with_suffix(".svg")
    drawn = subprocess.run([sys.executable, str(HERE / "plot.py"), str(target), str(plot)], check=False).returncode == 0
    if asked.publish:
        for path in DOCUMENTS:
            report.publish(path, document, results)
    print(f"\n{target} has it all{f', {plot} is the plot' if drawn else ''}.")
    return 1 if problems else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
