"""Drives handover.c and handover.py, which measure how frames are handed over between processes."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from peers import PeerError

if TYPE_CHECKING:
    from peers import Pool

    Facts = dict[str, list[dict[str, int]]]

READERS = 8
LABELS = {
    "plain": "plain C",
    "small": "shmcv C, 3 KiB",
    "large": "shmcv C, 4K",
    "python": "shmcv Python, 4K",
    "event": "Event",
    "condition": "Condition",
}


def hand_over(pool: Pool, count: int, facts: Facts, *, pinned: bool) -> dict[str, float]:
    """Return the median time in nanoseconds from publishing to a reader that sleeps, by label.

    If pinned, the reader and the writers have a processor each, and all are in C. The facts get how much of the
    stream's memory, pixels and metadata, the two sides have touched in all.
    """
    told = _numbers(_run(pool, "handover", "hand_over_pinned" if pinned else "hand_over", _stream(), str(count)))
    if not pinned:
        told.update(_numbers(_run(pool, "handover-python", str(max(count // 4, 10)))))
    facts["touched_kib"] = [{side: told[f"{side}_touched"] for side in ("reader", "writer")}]
    return {label: float(told[key]) for key, label in LABELS.items() if key in told}


def let_read(pool: Pool, seconds: int, facts: Facts) -> None:
    """Let one writer publish 4K frames, and readers check every byte. A torn frame is an error."""
    name = _stream()
    _run(pool, "handover", "create", name, str(READERS + 2))
    readers = [_start(pool, "handover", "read", name) for _ in range(READERS)]
    try:
        published = _numbers(_run(pool, "handover", "write", name, str(seconds)))["published"]
        said = [reader.communicate()[0].split()[1:] for reader in readers]
    finally:
        for reader in readers:
            reader.kill()
            reader.wait()
    seen = [{key: int(value) for key, value in zip(words[::2], words[1::2])} for words in said]
    facts["published"] = [{"frames": published, "seconds": seconds, "processors": os.cpu_count() or 0}]
    facts["readers"] = seen
    if any(not reader or reader["torn"] or not reader["seen"] for reader in seen):
        raise PeerError(f"a reader saw torn frames, or none: {seen}")


def _stream() -> str:
    return f"shmcv-bench-{os.getpid()}"


def _start(pool: Pool, program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*pool.programs[program], *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=pool.environment,
        text=True,
        start_new_session=True,
    )


def _run(pool: Pool, program: str, *arguments: str) -> str:
    process = _start(pool, program, *arguments)
    try:
        output, _ = process.communicate()
    except BaseException:
        process.kill()
        process.wait()
        raise
    if process.returncode != 0:
        raise PeerError(f"{program} {' '.join(arguments)} has ended with status {process.returncode}")
    return output


def _numbers(output: str) -> dict[str, int]:
    """Return the numbers behind the keys of "key number" lines."""
    return {key: int(value) for key, value in (line.split() for line in output.splitlines())}
