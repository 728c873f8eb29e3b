"""Draws the plot: `plot.py BENCH.JSON PLOT.SVG`. It runs in a process of its own; see measure.Program."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
# The same JSON gives the same file. Text stays text, in the reader's own font.
matplotlib.rcParams.update(
    {"svg.hashsalt": "shmcv", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 8}
)

import matplotlib.pyplot as plt  # noqa: E402 # the lines above configure it
from ratios import Result  # noqa: E402

OURS = {"shmcv C": "#00695c", "shmcv Python": "#26a69a", "shmcv C#": "#80cbc4", "in place": "#26a69a"}
OTHERS = {
    "cv2": "#6d6d6d",
    "cv2 dst=": "#9a9a9a",
    "cv2 in place": "#b5b5b5",
    "Pillow": "#c8b79e",
    "OpenCvSharp": "#d98c5f",
    "SkiaSharp": "#e8b796",
    "tutorial": "#b0464b",
}
BEHIND_TEXT = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
PANELS = {
    "load": "load, cv2 and a copy = 1",
    "flip": "flip, memcpy = 1",
    "save": "save, cv2 = 1",
    "program": "load, flip, save: a whole program, cv2 = 1",
    "memory": "its peak memory, cv2 = 1",
}


def draw(axes: Any, title: str, results: list[Result]) -> None:
    """Draw a panel: a group of bars for each row, the shorter the better."""
    y, ticks = 0.0, []
    for result in results:
        start = y
        for label, colour in {**OURS, **OTHERS}.items():
            if label not in result.series:
                continue
            value = result.ratio(label, result.base or label).value
            axes.barh(y, value, 0.9, color=colour)
            axes.text(value, y, f" {value:.2f}  {label}", va="center", fontsize=7, bbox=BEHIND_TEXT)
            y += 1
        ticks.append(((start + y - 1) / 2, result.name))
        y += 0.8
    axes.axvline(1, color="black", linewidth=0.8, zorder=0)
    if axes.get_xlim()[1] > 10:
        axes.set_xscale("log")
    axes.set_title(title, loc="left", fontsize=9, fontweight="bold")
    axes.set_yticks([at for at, _ in ticks], [name for _, name in ticks])
    axes.invert_yaxis()
    axes.margins(x=0.25, y=0.02)
    axes.spines[["top", "right"]].set_visible(False)


def main(source: Path, target: Path) -> None:
    """Draw the essential rows."""
    document = json.loads(source.read_text())
    results = [Result.from_json(data) for data in document["results"]]
    panels = {
        kind: [
            result for result in results if result.kind == kind and result.essential and result.base in result.series
        ]
        for kind in PANELS
    }
    panels = {kind: rows for kind, rows in panels.items() if rows}
    if not panels:
        sys.exit("nothing that the plot shows was measured")
    heights = [sum(len(result.series) + 0.8 for result in rows) for rows in panels.values()]
    size = (8, 0.16 * sum(heights) + 0.5 * len(panels))
    figure, found = plt.subplots(
        len(panels), 1, figsize=size, height_ratios=heights, layout="constrained", squeeze=False
    )
    for axes, (kind, rows) in zip(found[:, 0], panels.items()):
        draw(axes, PANELS[kind], rows)
    figure.savefig(target, facecolor="white", metadata={"Date": None, "Creator": None})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
