"""Fit how a detected box maps onto FER-2013's framing.

    python benchmarks/fit_geometry.py fer2013.csv

Enlarges Training faces, lays them on a larger canvas, detects, and prints where the box lies in units of the
FER-2013 frame, and the square that best gives the frame back: `CROP_SCALE` and `CROP_SHIFT` of
`mien.preprocessing`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from mien.datasets import read_fer2013
from mien.detection import create_detector
from mien.evaluation import on_canvas


def main(
    data: Annotated[Path, typer.Argument(help="fer2013.csv, plain or .xz")],
    count: Annotated[int, typer.Option(help="How many Training faces to use.")] = 6000,
    detector: Annotated[str, typer.Option(help="yunet or haar.")] = "yunet",
) -> None:
    """Print the fitted constants and how far single faces stray from them."""
    faces = read_fer2013(data, usage="Training")
    chosen = np.random.default_rng(0).choice(len(faces), min(count, len(faces)), replace=False)
    finder = create_detector(detector)
    boxes = []
    for pixels in faces.pixels[chosen]:
        frame, (left, top, side) = on_canvas(pixels)
        found = finder.detect(frame)
        if found:
            x, y, w, h = found[0].box
            boxes.append(((x - left) / side, (y - top) / side, w / side, h / side))
    x, y, w, h = np.array(boxes).T
    longer = np.maximum(w, h)
    print(f"found {len(boxes)} of {len(chosen)} ({len(boxes) / len(chosen):.1%})")
    for name, values in (("width", w), ("height", h), ("centre x", x + w / 2), ("centre y", y + h / 2)):
        low, middle, high = np.quantile(values, (0.05, 0.5, 0.95))
        print(f"{name:9} median {middle:.3f}   middle 90 % {low:.3f}..{high:.3f}")
    print(f"CROP_SCALE = {np.median(1 / longer):.3f}")
    print(f"CROP_SHIFT = {np.median((0.5 - (y + h / 2)) / longer):.3f}")


if __name__ == "__main__":
    typer.run(main)
