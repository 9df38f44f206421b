"""How much the FER+ head should count in the answer for photos: a model calibrated with one share after the other.

    python benchmarks/head_shares.py MODEL fer2013.csv ferplus_votes.csv PHOTOS

PHOTOS is a folder with ``labels.csv``. Nothing is written. Faces are read with their mirror image.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from mien.analyzer import load
from mien.classification.base import PHOTO
from mien.classification.classifier import EmotionClassifier, answer
from mien.evaluation.datasets import read_fer2013, read_votes
from mien.evaluation.evaluate import predict_data
from mien.evaluation.metrics import evaluate
from mien.training import calibrate as calibration
from mien.training.datamodule import split_training

SHARES = (0.5, 0.6, 0.7, 0.8)


def main(
    model: str,
    data: Annotated[Path, typer.Argument(help="fer2013.csv, plain or .xz.")],
    votes: Annotated[Path, typer.Argument(help="FER+ votes.")],
    photos: Annotated[Path, typer.Argument(help="Folder with labels.csv.")],
) -> None:
    """Calibrate, measure and print."""
    analyzer = load(model=model)
    reader = EmotionClassifier(model, precision=analyzer.classifier.precision)
    full = EmotionClassifier(model, "cpu", precision="fp32")
    faces = read_votes(votes, read_fer2013(data))
    learned, held_out = split_training(faces)
    sample, test = faces.select(held_out), faces.of_usage("PublicTest")
    assert test.votes is not None
    known = test.votes.sum(axis=1) > 0
    wild = predict_data(photos, analyzer, through_detector=True)
    found = [place for place, face in enumerate(wild.crops) if face is not None]
    crops = np.stack([face for face in wild.crops if face is not None])
    fitted, voted, seen = (
        [_logits(classifier, side) for side in (pixels, pixels[:, :, ::-1])]
        for classifier, pixels in ((full, sample.pixels), (reader, test.pixels[known]), (reader, crops))
    )
    print("| share | FER+ majority | balanced | web photos without fear |\n|---:|---:|---:|---:|")
    for share in SHARES:
        calibration.FERPLUS_SHARE = share
        values = asdict(calibration.calibrate(fitted[0], sample, faces.select(learned), fitted[1]))
        config = replace(reader.config, **values)
        majority = evaluate(
            test.votes[known].argmax(axis=1), np.mean([answer(side, config, PHOTO) for side in voted], axis=0)
        )
        answers = np.full_like(wild.probabilities, np.nan)
        answers[found] = np.mean([answer(side, config, PHOTO) for side in seen], axis=0)
        without_fear = evaluate(wild.labels, answers).balanced_accuracy_without("fear")
        print(f"| {share} | {majority.accuracy:.4f} | {majority.balanced_accuracy:.4f} | {without_fear:.4f} |")


def _logits(classifier: EmotionClassifier, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.concatenate([classifier.predict_logits(pixels[k : k + 256]) for k in range(0, len(pixels), 256)])


if __name__ == "__main__":
    typer.run(main)
