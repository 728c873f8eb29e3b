"""Makes the pictures that the bench loads: `inputs.py PHOTOGRAPH FOLDER LARGEST`, up to LARGEST pixels.

Most are made of one photograph: the photograph, PNGs with and without alpha, smaller copies, and tiles. One is a page
of text, as a program for screenshots writes it. Files that are there already stay.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from rows import HEIGHT, SIZES, WIDTH, image_name

if TYPE_CHECKING:
    from collections.abc import Callable


def resized(photograph: np.ndarray[Any, Any], width: int, height: int) -> np.ndarray[Any, Any]:
    """Return the photograph in that size, shrunk or repeated, so that a pixel is as hard to decode as before."""
    if width <= WIDTH and height <= HEIGHT:
        return cv2.resize(photograph, (width, height), interpolation=cv2.INTER_AREA)
    across, down = -(-width // WIDTH), -(-height // HEIGHT)
    return np.tile(photograph, (down, across, 1))[:height, :width]


def translucent(photograph: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the photograph with an alpha channel, which is its brightness."""
    return np.dstack([photograph, cv2.cvtColor(photograph, cv2.COLOR_BGR2GRAY)])


def page() -> np.ndarray[Any, Any]:
    """Return a screen full of text: most of it is paper, and letters come again and again."""
    screen = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    words = ["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "while", "12345", "frames", "pass"]
    for line, y in enumerate(range(60, HEIGHT - 20, 36)):
        text = " ".join(words[(line * 7 + i * i) % len(words)] for i in range(36))
        cv2.putText(screen, text, (40, y), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (40, 40, 40), 1, cv2.LINE_AA)
    return screen


def main(source: Path, folder: Path, largest: int) -> None:
    """Make the files that are missing."""
    photograph = cv2.imread(str(source))
    if photograph is None or photograph.shape != (HEIGHT, WIDTH, 3):
        sys.exit(f"{source} is no photograph of {WIDTH} x {HEIGHT}")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, folder / "photograph.jpg")
    wanted: dict[str, Callable[[], np.ndarray[Any, Any]]] = {
        "bgr.png": lambda: photograph,
        "bgra.png": lambda: translucent(photograph),
        "page.png": page,
        **{
            image_name(width, height): lambda width=width, height=height: resized(photograph, width, height)
            for width, height in SIZES
            if width * height <= largest
        },
    }
    for name, make in wanted.items():
        if not (folder / name).exists():
            parameters = [cv2.IMWRITE_PNG_COMPRESSION, 6] if name == "page.png" else []
            cv2.imwrite(str(folder / f"new-{name}"), make(), parameters)
            (folder / f"new-{name}").rename(folder / name)  # a file that was interrupted is made again


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
