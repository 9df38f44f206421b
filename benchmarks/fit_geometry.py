"""Fit how a detected box maps onto FER-2013's framing.

    python benchmarks/fit_geometry.py fer2013.csv

Enlarges Training faces, lays them on a larger canvas and detects them. Prints where the box lies in units of the
FER-2013 frame, and how often the shipped model still answers with the label for a range of crops around the box:
the best of them are `CROP_SCALE` and `CROP_SHIFT` of `mien.preprocessing`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from mien.analyzer import load
from mien.evaluation.datasets import read_fer2013
from mien.evaluation.evaluate import on_canvas
from mien.options import AnalyzerOptions
from mien.preprocessing import crop_gray

SCALES = (0.80, 0.84, 0.88, 0.92, 0.96, 1.00, 1.04, 1.08)
SHIFTS = (-0.04, -0.02, 0.0, 0.02)


def main(
    data: Annotated[Path, typer.Argument(help="fer2013.csv, plain or .xz")],
    count: Annotated[int, typer.Option(help="How many Training faces to use.")] = 6000,
    model: Annotated[str, typer.Option(help="Name of a model, or a model folder.")] = AnalyzerOptions().model,
) -> None:
    """Print where boxes lie and how well each crop is read."""
    faces = read_fer2013(data, usage="Training")
    chosen = np.random.default_rng(0).choice(len(faces), min(count, len(faces)), replace=False)
    analyzer = load(AnalyzerOptions(model))
    boxes, samples, labels = [], [], []
    for number in chosen:
        frame, (left, top, side) = on_canvas(faces.pixels[number])
        found = analyzer.detect_faces(frame)
        if found:
            face = max(found, key=lambda candidate: candidate.box[3])
            x, y, width, height = face.box
            boxes.append(((x - left) / side, (y - top) / side, width / side, height / side))
            samples.append((frame, face))
            labels.append(faces.labels[number])
    print(f"found {len(boxes)} of {len(chosen)} ({len(boxes) / len(chosen):.1%})")
    print_boxes(np.array(boxes))
    side = analyzer.classifier.input_size
    given = analyzer.classifier.predict_proba(faces.pixels[chosen], "fer2013").argmax(axis=1)
    print(f"\nright on the given crops: {np.mean(given == faces.labels[chosen]):.4f}; on crops of")
    print(
        "| scale | " + " | ".join(f"shift {shift:+.2f}" for shift in SHIFTS) + " |\n|---" + "|---" * len(SHIFTS) + "|"
    )
    for scale in SCALES:
        row = []
        for shift in SHIFTS:
            crops = [crop_gray(frame, face, side, scale, shift) for frame, face in samples]
            answers = analyzer.classifier.predict_proba(crops, "fer2013").argmax(axis=1)
            row.append(float(np.mean(answers == np.array(labels))))
        print(f"| {scale:.2f} | " + " | ".join(f"{value:.4f}" for value in row) + " |", flush=True)


def print_boxes(boxes: NDArray[np.float64]) -> None:
    """Print medians and spread of boxes, (N, 4) as left, top, width, height in units of the frame."""
    x, y, width, height = boxes.T
    measures = {"width": width, "height": height, "center x": x + width / 2, "center y": y + height / 2}
    for name, values in measures.items():
        low, middle, high = np.quantile(values, (0.05, 0.5, 0.95))
        print(f"{name:9} median {middle:.3f}   middle 90% {low:.3f}..{high:.3f}")


if __name__ == "__main__":
    typer.run(main)
