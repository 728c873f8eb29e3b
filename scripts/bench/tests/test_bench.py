"""The bench itself: how it evaluates times, its protocol, and its peers in Python."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import frames
import pytest
from documents import replaced
from measure import Bench, Plan
from peers import PeerError, PeerSkipped, Pool, parse
from ratios import Ratio, Result, Target, amount_text, met, ratio_text
from rows import EXTRA_TARGETS, KINDS, Entry, Row, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

BENCH = Path(__file__).resolve().parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(BENCH.parents[1] / "bindings" / "python" / "src")}


def result(series: dict[str, list[list[list[float]]]]) -> Result:
    return Result("load", "a row", "ns", "base", True, [Target("peer", "base", 0.5)], series)


def test_a_ratio_is_not_spoiled_by_a_machine_that_slows_down() -> None:
    slowness = [1.0, 1.5, 2.0, 4.0, 9.0, 20.0]
    halves = [slowness[:3], slowness[3:]]
    found = result(
        {
            "base": [[[100 * slow] for slow in half] for half in halves],
            "peer": [[[40 * slow] for slow in half] for half in halves],
        }
    )
    assert found.ratio("peer", "base") == Ratio(pytest.approx(0.4), noisy=False)


def test_a_ratio_that_differs_between_the_halves_is_noisy() -> None:
    quiet = result({"base": [[[100]], [[100]]], "peer": [[[100]], [[114]]]})
    noisy = result({"base": [[[100]], [[100]]], "peer": [[[100]], [[116]]]})
    assert not quiet.ratio("peer", "base").noisy
    assert noisy.ratio("peer", "base").noisy
    assert ratio_text(noisy.ratio("peer", "base")) == "1.08~"


def test_what_disturbs_one_repetition_does_not_count() -> None:
    found = result({"base": [[[100, 100]]], "peer": [[[5000, 50]]]})
    assert found.ratio("peer", "base").value == 0.5
    assert found.values("peer") == [5000, 50], "it is in the json all the same"


def test_a_target_is_met_to_the_digits_that_are_shown() -> None:
    target = Target("peer", "base", 0.5)
    assert met(Ratio(0.504, noisy=False), target)
    assert not met(Ratio(0.506, noisy=False), target)
    assert not met(Ratio(1000.1, noisy=False), Target("peer", None, 1000))


def test_a_target_of_somebody_who_is_not_here_has_no_verdict() -> None:
    assert result({"base": [[[1.0]]]}).reached(Target("peer", "base", 0.5)) is None


def test_a_result_comes_back_from_json_as_it_was() -> None:
    found = result({"base": [[[100.0]]], "peer": [[[50.0]]]})
    assert Result.from_json(found.to_json()) == found
    assert found.to_json()["summary"]["peer"] == {"min": 50, "median": 50, "ratio": 0.5, "noisy": False}


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (51.4, "ns", "51.4 ns"),
        (8_700, "ns", "8.70 us"),
        (123e6, "ns", "123 ms"),
        (8192, "KiB", "8.00 MiB"),
        (6075, "", "6075"),
    ],
)
def test_amounts_are_told_in_a_fitting_unit(value: float, unit: str, text: str) -> None:
    assert amount_text(value, unit) == text


def test_answers_are_understood() -> None:
    assert parse("ok 12 34\n") == ["12", "34"]
    assert parse("ok\n") == []
    with pytest.raises(PeerSkipped, match="there is none"):
        parse("skip there is none\n")
    with pytest.raises(PeerError, match="no memory"):
        parse("error no memory\n")
    with pytest.raises(PeerError, match="Segmentation fault"):
        parse("Segmentation fault\n")


def test_documents_are_rewritten_between_the_markers_alone() -> None:
    document = "a\n<!-- bench:begin load -->\nold\n<!-- bench:end load -->\nb\n"
    once = replaced(document, {"load": "new", "save": "of no concern"})
    assert once == "a\n<!-- bench:begin load -->\n\nnew\n\n<!-- bench:end load -->\nb\n"
    assert replaced(once, {"load": "new"}) == once
    with pytest.raises(ValueError, match="bench:end load"):
        replaced("<!-- bench:begin load -->\nrest of the document", {"load": "new"})


def test_every_row_can_be_compared() -> None:
    found = rows(Path("input"), 1 << 30)
    names = [(row.kind, row.name) for row in found]
    assert len(set(names)) == len(names)
    for row in found:
        base = KINDS[row.kind].base
        labels = row.entries
        assert not row.targets or base is None or base in labels, row.name
        for target in row.targets:
            assert {target.of, target.to or target.of} <= set(labels), row.name


def test_every_row_of_frames_has_both_its_targets() -> None:
    found = [row for row in rows(Path("input"), 0) if row.way == "pairs" and "iceoryx2" in row.entries]
    assert {language for row in found for language in ("C", "Python") if row.name.startswith(language)} == {
        "C",
        "Python",
    }
    for row in found:
        assert row.targets == (Target("shmcv", "iceoryx2", 1.0),)
        assert EXTRA_TARGETS["handover-p99", row.name] == (Target("shmcv", "iceoryx2", 1.5),)


def test_iceoryx2_is_pinned_to_one_version_in_both_languages() -> None:
    (wheel,) = re.findall(r"^iceoryx2==(\S+) --hash=", (BENCH / "iceoryx2" / "requirements.txt").read_text(), re.M)
    crates = re.findall(r'^iceoryx2\S* = "=(\S+)"', (BENCH / "iceoryx2" / "Cargo.toml").read_text(), re.M)
    locked = re.findall(r'^name = "iceoryx2"\nversion = "(\S+)"', (BENCH / "iceoryx2" / "Cargo.lock").read_text(), re.M)
    assert {wheel} == {*crates} == {*locked}


STEADY = """
for line in __import__("sys").stdin:
    print("ok", "name=steady" if line == "hello\\n" else 100, flush=True)
"""
# It dies after it has said hello, been prepared and warmed up, and had one turn.
DYING = """
for number, line in enumerate(__import__("sys").stdin):
    if number == 4: exit(3)
    print("ok", "name=dying" if line == "hello\\n" else 100, flush=True)
"""


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    commands = {lib: [sys.executable, str(BENCH / "peer.py"), "--lib", lib] for lib in ("shmcv", "cv2")}
    commands.update(steady=[sys.executable, "-c", STEADY], dying=[sys.executable, "-c", DYING])
    with Pool(commands, ENVIRONMENT, tmp_path / "peers.log") as found:
        yield found


def test_who_fails_is_out_of_its_row_with_all_that_it_has_done(pool: Pool, tmp_path: Path) -> None:
    entries = {"cv2": Entry("steady", "job"), "dying": Entry("dying", "job"), "absent": Entry("absent", "job")}
    bench = Bench(pool, Plan(seconds=0.1, least=3, most=3, pairs=1, frames=0, reading=0), tmp_path / "log")
    for block in range(2):
        bench.measure(Row("job", "warm", entries), block)
    (found,) = (found for found in bench.results.values() if found.series)
    assert found.series == {"cv2": [[[100.0]] * 3] * 2}
    assert "status 3" in bench.skipped["job, warm: dying"]
    assert bench.skipped["job, warm: absent"] == "it is not here"


@pytest.mark.parametrize("library", ["shmcv", "cv2"])
def test_python_peers_do_the_work_and_leave_nothing_behind(pool: Pool, library: str, tmp_path: Path) -> None:
    photograph = BENCH.parents[1] / "testdata" / "small.jpg"
    peer = pool.peer(library)
    works = [
        f"load format=jpeg path={photograph} into=same",
        f"load format=jpeg path={photograph} into=fresh",
        "flip code=1 channels=3 depth=8 width=67 height=45 where=apart",
        "flip code=0 channels=1 depth=16 width=67 height=45 where=inplace",
        "flip code=-1 channels=4 depth=16 width=67 height=45 where=apart",
        "resize interpolation=3 channels=3 depth=8 width=67 height=45 to_width=33 to_height=22",
        f"save format=png path={tmp_path}/saved.png source={photograph}",
        f"job path={photograph} out={tmp_path}/job.jpg",
    ]
    for work in works:
        peer.ask(f"prepare work={work}")
        times = peer.numbers("run count=3")
        assert len(times) == 3, work
        assert min(times) > 0, work
    assert (tmp_path / "saved.png").exists()
    assert (tmp_path / "job.jpg").exists()
    assert len(peer.numbers("faults count=2")) == 2
    with pytest.raises(PeerSkipped, match="juggle"):
        peer.ask("prepare work=juggle")
    with pytest.raises(PeerError, match="nothing is prepared"):
        peer.ask("run count=1")
    process = peer.process_id
    pool.end_all()
    assert not [file for file in Path("/dev/shm").iterdir() if f"shmcv-bench-{process}-" in file.name]  # noqa: S108


TWO_PROCESSORS = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="two sides need a processor each")
# A reader that has seen 149 of 150 frames, and leaves its files. It says all at once.
LEAVING = """
import os, sys
side, library, way, pause, name, count = sys.argv[1:]
if side == "writer":
    sys.stdin.read()
    print("touched 8")
else:
    os.mkdir("/tmp/" + name)
    open("/dev/shm/" + name + "_left", "w").close()
    print("ready\\ntimes", *range(1, int(count)), "\\ntouched 4\\nversions some=1.2")
"""
FAILING = "import sys; print('ready\\ntimes 1'); sys.exit(sys.argv[1] == 'writer')"


def pair(tmp_path: Path, program: str, request: str = "shmcv waits asleep", count: int = 100) -> frames.Pair:
    commands = {
        "leaving": [sys.executable, "-c", LEAVING],
        "failing": [sys.executable, "-c", FAILING],
        "python": [sys.executable, str(BENCH / "handover.py")],
    }
    with Pool(commands, ENVIRONMENT, tmp_path / "peers.log") as pool:
        return frames.Pair(pool, program, request, count, tmp_path / "peers.log")


def left_by_pairs() -> list[Path]:
    name = f"shmcv-bench-{os.getpid()}"
    return [file for folder in ("/dev/shm", "/tmp") for file in Path(folder).glob(f"*{name}*")]  # noqa: S108


@TWO_PROCESSORS
def test_a_missed_frame_counts_as_late_and_nothing_is_left(tmp_path: Path) -> None:
    found = pair(tmp_path, "leaving", count=100)
    assert found.turn() == {"ns": [100.5], "p99": [frames.PAUSE_NS]}, "51 to 149, and the frame that was missed"
    assert found.touched == {"reader": 4, "writer": 8}
    assert not left_by_pairs()


@TWO_PROCESSORS
def test_a_side_that_fails_is_told(tmp_path: Path) -> None:
    with pytest.raises(PeerError, match="the writer has ended with status 1"):
        pair(tmp_path, "failing").turn()
    with pytest.raises(PeerSkipped, match="not here"):
        pair(tmp_path, "absent")


@TWO_PROCESSORS
def test_a_reader_without_an_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MOST_SECONDS", 1)
    sleeping = "import sys, time; print('ready', flush=True); time.sleep(3600)"
    with Pool({"sleeping": [sys.executable, "-c", sleeping]}, ENVIRONMENT, tmp_path / "log") as pool:
        found = frames.Pair(pool, "sleeping", "shmcv waits asleep", 1, tmp_path / "log")
        with pytest.raises(PeerError, match="has not ended after 1 s"):
            found.turn()


@TWO_PROCESSORS
@pytest.mark.parametrize(
    "request_", ["shmcv waits asleep", "shmcv spins busy", "Event waits asleep", "Condition waits asleep"]
)
def test_python_hands_frames_over_and_leaves_nothing_behind(tmp_path: Path, request_: str) -> None:
    (median,), (late,) = pair(tmp_path, "python", request_, count=10).turn().values()
    assert 0 < median <= late
    assert not left_by_pairs()
