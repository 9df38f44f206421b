"""Does turning faces upright pay?

    python benchmarks/alignment.py PHOTOS

PHOTOS is a folder with ``labels.csv``. Every photo is read as it is and turned by 20 and 40 degrees either way, with
the crop left as it is and with the crop turned upright by O-Net's landmarks. Prints a Markdown table of the macro
recall (mean over the emotions of the share of their photos that are read rightly; no face counts as wrong).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from mien.analyzer import Analyzer, load
from mien.detection import Frame
from mien.evaluation.datasets import list_images
from mien.evaluation.evaluate import largest_face
from mien.evaluation.metrics import evaluate
from mien.images import read_image
from mien.options import AnalyzerOptions

ANGLES = (0, 20, -20, 40, -40)


def main(
    photos: Annotated[Path, typer.Argument(help="Folder with labels.csv.")],
    model: Annotated[str, typer.Option(help="Name of a model, or a model folder.")] = AnalyzerOptions().model,
) -> None:
    """Print the table."""
    turning = load(AnalyzerOptions(model))
    plain = Analyzer(turning.detector, None, turning.classifier)
    pictures = list_images(photos)
    labels = np.array([image.label for image in pictures])
    print("| photos turned by | face found | crop as it is | crop turned upright |\n|---|---|---|---|")
    means = []
    for angle in ANGLES:
        answers: dict[str, list[np.ndarray]] = {"plain": [], "turning": []}
        for picture in pictures:
            frame = turn(read_image(picture.path), angle)
            for name, analyzer in (("plain", plain), ("turning", turning)):
                face = largest_face(frame, analyzer)
                unknown = np.full(7, np.nan, np.float32)
                answers[name].append(unknown if face is None else analyzer.classifier.predict_proba([face])[0])
        reports = {name: evaluate(labels, np.array(rows)) for name, rows in answers.items()}
        recalls = [reports[name].balanced_accuracy for name in ("plain", "turning")]
        means.append(recalls)
        found = reports["plain"].found / len(labels)
        print(f"| {angle:+d}° | {found:.1%} | {recalls[0]:.3f} | {recalls[1]:.3f} |", flush=True)
    print("| mean | | {:.3f} | {:.3f} |".format(*np.mean(means, axis=0)))


def turn(frame: Frame, degrees: float) -> Frame:
    """Turn a picture about its middle on a canvas that holds all of it, repeating its edges."""
    if not degrees:
        return frame
    height, width = frame.shape[:2]
    margin = round((np.hypot(height, width) - min(height, width)) / 2) + 1
    large = cv2.copyMakeBorder(frame, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
    height, width = large.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return np.asarray(cv2.warpAffine(large, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)


if __name__ == "__main__":
    typer.run(main)
