"""Calibrate a model folder again, with this version's rules: its ``config.json`` is rewritten.

    python benchmarks/recalibrate.py MODEL_FOLDER fer2013.csv ferplus_votes.csv

The data must be that which the model was trained on, so that the faces calibrated on are those it has not learned from.
`mien export` does the same for a new model.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from mien.classification.classifier import EmotionClassifier
from mien.evaluation.fer2013 import read_fer2013, read_votes
from mien.files import write_whole
from mien.training.calibrate import calibrate
from mien.training.datamodule import split_training


def main(
    folder: Path,
    data: Annotated[Path, typer.Argument(help="fer2013.csv, plain or .xz.")],
    votes: Annotated[Path, typer.Argument(help="FER+ votes.")],
) -> None:
    """Calibrate, write, and print what changed."""
    classifier = EmotionClassifier(str(folder), "cpu", precision="fp32")
    faces = read_votes(votes, read_fer2013(data))
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if faces.digest() != config["training"]["data_sha256"]:
        raise typer.BadParameter("these are not the faces that the model was trained on: their digests differ")
    learned, held_out = split_training(faces)
    sample = faces.select(held_out)
    logits, mirrored = (_answers(classifier, pixels) for pixels in (sample.pixels, sample.pixels[:, :, ::-1]))
    imbalance = config["training"]["recipe"]["imbalance"]
    found = json.loads(json.dumps(asdict(calibrate(logits, sample, faces.select(learned), mirrored, imbalance))))
    for key, value in found.items():
        if value != config.get(key):
            print(f"{key}: {config.get(key)} -> {value}")
    write_whole(folder / "config.json", json.dumps(config | found, indent=2) + "\n")


def _answers(classifier: EmotionClassifier, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.concatenate([classifier.predict_logits(pixels[k : k + 256]) for k in range(0, len(pixels), 256)])


if __name__ == "__main__":
    typer.run(main)
