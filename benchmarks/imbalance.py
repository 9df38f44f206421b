"""Four ways to deal with rare emotions, on one small network.

    python benchmarks/imbalance.py fer2013.csv runs/imbalance

A run that was stopped goes on where it was; a finished one is only measured.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from mien.classification.classifier import softmax
from mien.evaluation.datasets import FaceSet, read_fer2013
from mien.evaluation.metrics import Report, evaluate
from mien.preprocessing import to_tensor
from mien.training.callbacks import read_history
from mien.training.fit import fit
from mien.training.recipe import Recipe, load_recipe
from mien.training.runs import load_run

WAYS = ("none", "class-weights", "sampler", "balance-offline")
RECIPE = "cnn2-lite"
EPOCHS = 10


def main() -> None:
    """Train, measure and print."""
    faces, out = read_fer2013(sys.argv[1]), Path(sys.argv[2])
    print("| way | epochs | best epoch | accuracy | macro-F1 | recall of disgust |\n|---|---:|---:|---:|---:|---:|")
    for way in WAYS:
        # Every way gets the same number of passes; the best epoch of each is measured.
        plan = replace(load_recipe(RECIPE), imbalance=way, epochs=EPOCHS, schedule="cosine")
        run = train(plan, faces, out / way)
        report = measure(run, faces.of_usage("PublicTest"))
        rows = read_history(run / "metrics.csv")
        best = max(rows, key=lambda row: float(row["val_accuracy"]))["epoch"]
        disgust = report.per_class["disgust"].recall
        print(f"| {way} | {len(rows)} | {best} | {report.accuracy:.3f} | {report.macro_f1:.3f} | {disgust:.3f} |")


def train(plan: Recipe, faces: FaceSet, run: Path) -> Path:
    """Train, go on, or leave a finished run as it is."""
    started = (run / "checkpoints" / "last.ckpt").exists()
    if started and len(read_history(run / "metrics.csv")) >= plan.epochs:
        return run
    return fit(plan, faces, run, resume=started)


def measure(run: Path, faces: FaceSet) -> Report:
    """Figures of a run's best checkpoint."""
    module, _ = load_run(run)
    with torch.inference_mode():
        logits = [
            module(torch.from_numpy(to_tensor(faces.pixels[k : k + 256], module.mean, module.std)))[:, 0]
            for k in range(0, len(faces), 256)
        ]
    return evaluate(faces.labels, softmax(np.asarray(torch.cat(logits), np.float32)))


if __name__ == "__main__":
    main()
