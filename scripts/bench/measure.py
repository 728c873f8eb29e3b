"""Measuring: the entries of a row take turns, round after round, and all rows are measured twice."""

from __future__ import annotations

import os
import subprocess
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import frames
from peers import PeerError, PeerSkipped, parse, parse_values
from ratios import Result
from rows import EXTRA_TARGETS, KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from peers import Pool
    from rows import Entry, Row

    Turns = dict[str, list[float]]  # of each metric, a value for each repetition of the turn
    Contenders = dict[str, "Resident | Program | frames.Pair"]

BLOCKS = 2

# The table that a metric goes to, its row there (None: the same), and its unit. Other metrics go to their row's table.
METRICS = {
    "faults": ("faults", None, ""),
    "p99": ("handover-p99", None, "ns"),
    "peak_kib": ("memory", None, "KiB"),
    "rss_kib": ("library", "memory", "KiB"),
    "libraries": ("library", "libraries", ""),
}


@dataclass(frozen=True)
class Plan:
    """How long a row may take in each block, and how many rounds that are at least and at most."""

    seconds: float
    least: int
    most: int
    pairs: int  # rounds of a reader and a writer: each turn starts both anew, and warms up
    frames: int  # to hand over in such a turn, after the warm-up
    reading: int  # seconds that the eight readers read

    def rounds(self, one: float) -> int:
        return max(self.least, min(self.most, int(self.seconds / one)))


FULL, QUICK = Plan(3, 4, 25, 4, 240, 30), Plan(0.15, 1, 6, 1, 100, 2)


class Resident:
    """Takes its turns in one process, which stays."""

    def __init__(self, pool: Pool, row: Row, entry: Entry, number: int) -> None:
        self._pool, self._row, self._entry, self._number = pool, row, entry, number
        pool.peer(entry.program, number).ask(f"prepare work={entry.request}")

    def turn(self) -> Turns:
        return {"ns": self._numbers(f"run count={self._row.repetitions}")}

    def faults(self) -> Turns:
        return {"faults": self._numbers("faults count=3")}

    def _numbers(self, request: str) -> list[float]:
        peer = self._pool.peer(self._entry.program, self._number)
        return [value / self._entry.per for value in peer.numbers(request)]


class Program:
    """Takes each turn in a new process, which is measured from outside, or measures itself.

    The kernel counts the memory that this process has had resident to a child's peak, because the two share memory
    until the child executes its program. So this process imports nothing large: other processes make the images and
    draw the plots.
    """

    def __init__(self, pool: Pool, entry: Entry, log: Path) -> None:
        if entry.program not in pool.programs:
            raise PeerSkipped("it is not here")
        self._command = [*pool.programs[entry.program], *entry.request.split()]
        self._environment, self._log = pool.environment, log

    def turn(self) -> Turns:
        with self._log.open("a") as log:
            start = time.monotonic_ns()
            process = subprocess.Popen(
                self._command,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._environment,
                start_new_session=True,
                text=True,
            )
            try:
                with process.stdout as output:  # type: ignore[union-attr] # stdout is a pipe
                    said = output.read()
                _, status, usage = os.wait4(process.pid, 0)
            except BaseException:
                process.kill()
                raise
            end = time.monotonic_ns()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise PeerError(f"it has ended with status {process.returncode}; {said}")
        if said:
            return {key: [float(value)] for key, value in parse_values(parse(said)).items()}
        return {"ns": [float(end - start)], "peak_kib": [float(usage.ru_maxrss)]}


@dataclass
class Bench:
    """All results of a run, and what was skipped in it."""

    pool: Pool
    plan: Plan
    log: Path
    results: dict[tuple[str, str], Result] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    facts: dict[str, list[dict[str, int]]] = field(default_factory=dict)
    durations: dict[tuple[str, str], float] = field(default_factory=dict)  # seconds of a round of each row

    def measure(self, row: Row, block: int) -> None:
        """Measure a row once more."""
        if row.way == "readers":
            if block == BLOCKS - 1:  # one long block is enough
                frames.let_read(self.pool, self.plan.reading, self.facts)
        else:
            self._take_turns(row, block)

    def _take_turns(self, row: Row, block: int) -> None:
        if row.large:
            self.pool.end_all()
        contenders: Contenders = {}
        numbers: Counter[str] = Counter()
        for label, entry in row.entries.items():
            if self._place(row, label) in self.skipped:
                continue
            with self._out_on_failure(row, label, contenders):
                if row.way == "programs":
                    contenders[label] = Program(self.pool, entry, self.log)
                elif row.way == "pairs":
                    contenders[label] = frames.Pair(self.pool, entry.program, entry.request, self.plan.frames, self.log)
                else:
                    contenders[label] = Resident(self.pool, row, entry, numbers[entry.program])
                    numbers[entry.program] += 1
        if row.way == "pairs":
            for number in range(self.plan.pairs):
                self._add(row, block, self._round(row, contenders, number))
            self._remember_touched(contenders)
            return
        if row.way == "peers" or block == 0:  # a program keeps nothing warm except the page cache
            start = time.monotonic()
            self._round(row, contenders)
            self.durations[row.kind, row.name] = time.monotonic() - start
        for number in range(self.plan.rounds(self.durations[row.kind, row.name])):
            self._add(row, block, self._round(row, contenders, number))
        if row.faults:
            self._add(row, block, {label: contender.faults() for label, contender in contenders.items()})
        if row.large:
            self.pool.end_all()

    def _round(self, row: Row, contenders: Contenders, number: int = 0) -> dict[str, Turns]:
        """Run rounds in which each entry takes a turn. Each round begins with another entry."""
        order, turns = list(contenders), {}
        first = number % max(len(order), 1)
        for label in order[first:] + order[:first]:
            with self._out_on_failure(row, label, contenders):
                turns[label] = contenders[label].turn()
        return {label: turns[label] for label in contenders}

    def _remember_touched(self, contenders: Contenders) -> None:
        for contender in contenders.values():
            if isinstance(contender, frames.Pair) and contender.touched:
                self.facts["touched_kib"] = [contender.touched]

    @contextmanager
    def _out_on_failure(self, row: Row, label: str, contenders: Contenders) -> Iterator[None]:
        """Take an entry that cannot do its work out of the row, with all its results in it."""
        try:
            yield
        except PeerError as problem:
            contenders.pop(label, None)
            for metric in ("ns", *METRICS):
                self._result(row, metric).series.pop(label, None)
            self.skipped[self._place(row, label)] = str(problem)

    @staticmethod
    def _place(row: Row, label: str) -> str:
        return f"{row.kind}, {row.name}: {label}"

    def _add(self, row: Row, block: int, turns: dict[str, Turns]) -> None:
        for label, metrics in turns.items():
            for metric, turn in metrics.items():
                self._result(row, metric).add(label, block, turn)

    def _result(self, row: Row, metric: str) -> Result:
        kind, name, unit = METRICS.get(metric, (row.kind, row.name, "ns"))
        name = name or row.name
        found = self.results.get((kind, name))
        if found is None:
            targets = row.targets if metric == "ns" else EXTRA_TARGETS.get((kind, name), ())
            # Several rows share results other than time, except those of p99.
            essential = row.essential or (metric not in ("ns", "p99") and bool(targets))
            found = Result(kind, name, unit, KINDS[kind].base, essential, list(targets))
            self.results[kind, name] = found
        return found
