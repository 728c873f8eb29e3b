"""Reports: the tables, and their place in the documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from documents import replaced
from ratios import Result, amount_text, met, ratio_text
from rows import KINDS
from tabulate import tabulate

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ratios import Ratio, Target

NOISY = "~: noisy; the two halves of the run differ by more than 15 %, and another run may too."


def targets_table(results: list[Result], form: str) -> str:
    """Return the table of targets: what the project wants to reach in the essential rows, and what it has reached."""
    lines = [
        (
            f"{result.kind}: {result.name}",
            _who(target),
            _shown(reached, target, result),
            *_wanted(reached, target, result),
        )
        for rows in by_kind(results).values()
        for result in rows
        for target in (result.targets if result.essential else [])
        if (reached := result.reached(target))
    ]
    return tabulate(lines, ["work", "who", "measured", "at most", ""], form, disable_numparse=True)


def table(results: list[Result], form: str) -> str:
    """Return the table of one kind of work: ratios to its base, whose column has amounts, or amounts alone."""
    kind = KINDS[results[0].kind]
    labels = list(dict.fromkeys(label for result in results for label in result.series))
    heads = ["", *(f"{label} = 1" if label == kind.base else label for label in labels), "target"]
    lines = [[result.name, *(_cell(result, label) for label in labels), _verdicts(result)] for result in results]
    if not any(line[-1] for line in lines):
        heads, lines = heads[:-1], [line[:-1] for line in lines]
    return tabulate(lines, heads, form, disable_numparse=True, stralign="left")


def by_kind(results: Iterable[Result]) -> dict[str, list[Result]]:
    """Sort the results to their tables, in the order of the tables. Results of the floor alone are left out."""
    results = [result for result in results if result.series.keys() - {"memcpy"} or result.name == "memcpy"]
    found = {kind: [result for result in results if result.kind == kind] for kind in KINDS}
    return {kind: rows for kind, rows in found.items() if rows}


def text(document: dict[str, Any], results: list[Result]) -> str:
    """Return the whole report, for a terminal."""
    parts = [heading(document)]
    for kind, rows in by_kind(results).items():
        parts.append("\n".join(line for line in (KINDS[kind].title, KINDS[kind].note, table(rows, "simple")) if line))
    parts += [frames(document["facts"]), "Targets\n" + targets_table(results, "simple"), NOISY]
    return "\n\n".join(part for part in parts if part)


def heading(document: dict[str, Any]) -> str:
    """Return where, when and with what was measured."""
    machine, source = document["machine"], document["source"]
    commit = source["commit"][:12] + (" with changes" if source["dirty"] else "") if source else "no git checkout"
    versions = ", ".join(f"{name} {version}" for name, version in document["versions"].items())
    return (
        f"{document['date']}, by `./build.sh bench{' --quick' if document['quick'] else ''}`, commit {commit}.\n"
        f"{machine['processors']} processors ({machine['processor']}), {machine['memory_mib'] / 1024:.0f} GiB, "
        f"Linux {machine['kernel']}, load at the start {machine['load']:.1f}.\n"
        f"{versions}."
    )


def frames(facts: dict[str, list[dict[str, int]]]) -> str:
    """Return what the eight readers saw, and how much memory a frame touches that is not copied."""
    lines = []
    if "touched_kib" in facts:
        touched = facts["touched_kib"][0]
        lines.append(
            "Of a stream of 4K frames (99.5 MB), in each of which the writer wrote 64 bytes, "
            f"the reader has touched {touched['reader']} KiB, the writer {touched['writer']} KiB."
        )
    if "readers" in facts:
        published, readers = facts["published"][0], facts["readers"]
        seen, torn, missed = (sum(reader[key] for reader in readers) for key in ("seen", "torn", "missed"))
        lag = max(reader["lag_p50"] for reader in readers)
        lines.append(
            f"1 writer, {len(readers)} readers, 4K frames, each looked at to the last byte, {published['seconds']} s "
            f"on {published['processors']} processors: {published['frames']} published; {seen} seen, {missed} skipped, "
            f"{torn} torn; lag at most {amount_text(lag, 'ns')} in the median."
        )
    return "\n".join(lines)


def skipped(reasons: dict[str, str]) -> str:
    """Return what was not measured, by reason."""
    by_reason: dict[str, list[str]] = {}
    for what, reason in reasons.items():
        by_reason.setdefault(reason, []).append(what)
    return "\n".join(
        f"NOT MEASURED: {reason}: {'; '.join(what[:4])}{f'; and {len(what) - 4} more' if len(what) > 4 else ''}"
        for reason, what in by_reason.items()
    )


def publish(path: Path, document: dict[str, Any], results: list[Result]) -> None:
    """Write the tables to their places in a document."""
    tables = {kind: table(rows, "github") for kind, rows in by_kind(results).items()}
    tables["targets"] = f"{targets_table(results, 'github')}\n\n{NOISY}"
    tables["heading"] = heading(document)
    tables["frames"] = frames(document["facts"])
    path.write_text(replaced(path.read_text(), tables))


def _cell(result: Result, label: str) -> str:
    if label not in result.series:
        return ""
    if result.base in result.series and label != result.base:
        return ratio_text(result.ratio(label, result.base))
    amount = result.amount(label)
    return amount_text(amount.value, result.unit) + "~" * (amount.noisy and result.base is None)


def _verdicts(result: Result) -> str:
    """Return for each target whether it is reached, with the number if no column has it."""
    found = []
    for target in result.targets:
        if reached := result.reached(target):
            shown = "" if target.to in (None, result.base) else f" {_shown(reached, target, result)}"
            limit, verdict = _wanted(reached, target, result)
            found.append(f"{_who(target) if shown else target.of}{shown} \u2264 {limit}: {verdict}")
    return "; ".join(found)


def _who(target: Target) -> str:
    return f"{target.of} / {target.to}" if target.to else target.of


def _shown(reached: Ratio, target: Target, result: Result) -> str:
    return ratio_text(reached) if target.to else amount_text(reached.value, result.unit) + "~" * reached.noisy


def _wanted(reached: Ratio, target: Target, result: Result) -> tuple[str, str]:
    limit = f"{target.at_most:.2f}" if target.to else amount_text(target.at_most, result.unit)
    return limit, "met" if met(reached, target) else "missed"
