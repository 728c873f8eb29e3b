"""Evaluates repeated measurements: ratios that a drifting machine does not spoil, and whether they can be trusted.

The entries of a row take turns. In a round each entry has one turn of a few repetitions. A turn's value is the least of
them, because disturbances only add to a repetition. A ratio is the median, over the rounds, of the quotient of two
turns in one round, so that a machine that is slow for a while is slow for both. Rounds come in two blocks with all
other rows in between. If the blocks' ratios differ by more than 15 %, the ratio is called noisy: another run may give
another one.
"""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass, field
from typing import Any

NOISY = 1.15

Turn = list[float]  # a value for each repetition
Blocks = list[list[Turn]]  # a block is a list of rounds


@dataclass(frozen=True)
class Target:
    """A target of the project: `of` takes at most so many times what `to` takes.

    Without a `to` it is an amount, in the result's unit.
    """

    of: str
    to: str | None
    at_most: float


@dataclass(frozen=True)
class Ratio:
    """How many times as much as another label takes."""

    value: float
    noisy: bool


@dataclass
class Result:
    """All that was measured for one row of a table."""

    kind: str
    name: str
    unit: str  # ns, KiB, or empty for a plain number
    base: str | None  # the label that the others are compared with; None: the table shows amounts
    essential: bool
    targets: list[Target]
    series: dict[str, Blocks] = field(default_factory=dict)

    def add(self, label: str, block: int, turn: Turn) -> None:
        """Put a turn at the end of a block."""
        blocks = self.series.setdefault(label, [])
        while len(blocks) <= block:
            blocks.append([])
        blocks[block].append(turn)

    def values(self, label: str) -> list[float]:
        """Return each repetition's value."""
        return [value for block in self.series[label] for turn in block for value in turn]

    def median(self, label: str) -> float:
        return statistics.median(self.values(label))

    def amount(self, label: str) -> Ratio:
        """Return the median of the turns, as a ratio to 1."""
        return _judged([[min(turn) for turn in block] for block in self.series[label]])

    def ratio(self, of: str, to: str) -> Ratio:
        """Return how many times as much as `to` `of` takes."""
        return _judged(
            [
                [min(a) / min(b) if min(b) else float("inf") for a, b in zip(ours, theirs)]
                for ours, theirs in zip(self.series[of], self.series[to])
            ]
        )

    def reached(self, target: Target) -> Ratio | None:
        """Return what was measured for a target, or None if one of the two was not measured."""
        if target.of not in self.series or (target.to is not None and target.to not in self.series):
            return None
        return self.amount(target.of) if target.to is None else self.ratio(target.of, target.to)

    def to_json(self) -> dict[str, Any]:
        """Return all measurements, and the ratios made of them."""
        summary = {}
        for label in self.series:
            ratio = self.ratio(label, self.base) if self.base in self.series else self.amount(label)
            values = self.values(label)
            summary[label] = {
                "min": min(values),
                "median": statistics.median(values),
                "ratio" if self.base in self.series else "amount": ratio.value,
                "noisy": ratio.noisy,
            }
        return {**asdict(self), "summary": summary}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Result:
        fields = {key: value for key, value in data.items() if key != "summary"}
        return cls(**{**fields, "targets": [Target(**target) for target in data["targets"]]})


def _judged(blocks: list[list[float]]) -> Ratio:
    medians = [statistics.median(block) for block in blocks if block]
    value = statistics.median([quotient for block in blocks for quotient in block])
    return Ratio(value, max(medians) > NOISY * min(medians))


def met(reached: Ratio, target: Target) -> bool:
    """Return True if a target is reached, at the digits that are shown."""
    return reached.value <= target.at_most + (0.005 if target.to is not None else 0)


def amount_text(value: float, unit: str) -> str:
    """Return a value with a unit that leaves it one to three digits before the point."""
    scales = {
        "ns": [("ns", 1.0), ("us", 1e3), ("ms", 1e6), ("s", 1e9)],
        "KiB": [("KiB", 1.0), ("MiB", 1024.0), ("GiB", 1024.0**2)],
        "": [("", 1.0)],
    }[unit]
    name, scale = next((s for s in reversed(scales) if abs(value) >= s[1]), scales[0])
    scaled = value / scale
    digits = 0 if unit == "" or abs(scaled) >= 100 else 1 if abs(scaled) >= 10 else 2
    return f"{scaled:.{digits}f} {name}".strip()


def ratio_text(ratio: Ratio) -> str:
    """Return a ratio with its significant digits, and a tilde if it is noisy."""
    digits = 2 if ratio.value < 10 else 1 if ratio.value < 100 else 0
    return f"{ratio.value:.{digits}f}{'~' if ratio.noisy else ''}"
