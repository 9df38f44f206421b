"""How often the shipped models are right, with 95% bootstrap intervals over the faces.

    python benchmarks/accuracy.py fer2013.csv photos/

FER-2013's PublicTest as given, by the head that learned its labels; photos through the detector, by the answer that
`mien photo` gives. Faces are read with their mirror image; one that is not found counts as wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from mien.analyzer import load
from mien.classification.model_config import shipped_models
from mien.evaluation.evaluate import FER2013_HEAD, Predictions, predict_data
from mien.evaluation.metrics import Report, evaluate

DRAWS = 1000
FIGURES: dict[str, Callable[[Report], float]] = {
    "accuracy": lambda report: report.accuracy,
    "macro-F1": lambda report: report.macro_f1,
    "balanced accuracy": lambda report: report.balanced_accuracy,
    "calibration error": lambda report: report.ece,
}


def main(
    data: Annotated[Path, typer.Argument(help="fer2013.csv, plain or .xz.")],
    photos: Annotated[Path, typer.Argument(help="Folder with labels.csv.")],
) -> None:
    """Print the table."""
    print(f"| model | faces | {' | '.join(FIGURES)} |\n|---|---|{'---:|' * len(FIGURES)}")
    for model in shipped_models():
        analyzer = load(model=model)
        head = FER2013_HEAD if FER2013_HEAD in analyzer.classifier.config.heads else "photo"
        given = predict_data(data, analyzer, head=head)
        found = predict_data(photos, analyzer, through_detector=True)
        for name, answers in ((f"{len(given.labels)} of PublicTest", given), (f"{len(found.labels)} photos", found)):
            print(f"| {model} | {name} | {' | '.join(intervals(answers))} |", flush=True)


def intervals(answers: Predictions) -> list[str]:
    """Each figure with the middle 95% of what it is on faces drawn again with replacement."""
    random = np.random.default_rng(0)
    count = len(answers.labels)
    whole = evaluate(answers.labels, answers.probabilities)
    draws = []
    for _ in range(DRAWS):
        drawn = random.integers(0, count, count)
        draws.append(evaluate(answers.labels[drawn], answers.probabilities[drawn]))
    ranges = {name: np.quantile([figure(draw) for draw in draws], (0.025, 0.975)) for name, figure in FIGURES.items()}
    return [f"{figure(whole):.3f} ({ranges[name][0]:.3f} to {ranges[name][1]:.3f})" for name, figure in FIGURES.items()]


if __name__ == "__main__":
    typer.run(main)
