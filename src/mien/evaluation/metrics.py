"""Figures on labeled answers, in numpy alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.emotions import LABELS

ECE_BINS = 15
NOT_FOUND = -1
"""Stands for the answer where no face was found."""


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """Figures on one emotion: precision, recall and F1 in 0..1 (0 where undefined), and its number of faces."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Report:
    """How answers compare with labels.

    Attributes:
        n: Number of labeled faces.
        found: How many of them were answered; the others count as wrong.
        accuracy: Share of right answers.
        macro_f1: Mean F1 over the emotions that occur.
        balanced_accuracy: Mean recall over the emotions that occur among the labels.
        ece: Expected calibration error of the answered ones, 15 equally wide bins (Guo et al. 2017).
        per_class: Figures by emotion.
        confusion: Counts, row = label, column = answer; faces that were not found are in no column.
    """

    n: int
    found: int
    accuracy: float
    macro_f1: float
    balanced_accuracy: float
    ece: float
    per_class: dict[str, ClassFigures]
    confusion: list[list[int]]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)

    def balanced_accuracy_without(self, emotion: str) -> float:
        """Mean recall over the other emotions that occur among the labels, for data that have too little of one."""
        recalls = [row.recall for name, row in self.per_class.items() if row.support and name != emotion]
        return sum(recalls) / len(recalls) if recalls else 0.0


def evaluate(labels: NDArray[np.int64], probabilities: NDArray[np.float32]) -> Report:
    """Compare probabilities with labels.

    Args:
        labels: (N,), 0 to 6, N at least 1.
        probabilities: (N, 7); a row of NaN stands for a face that was not found.
    """
    found = ~np.isnan(probabilities).any(axis=1)
    answers = np.full(len(labels), NOT_FOUND)
    answers[found] = probabilities[found].argmax(axis=1)
    classes = len(LABELS)
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (labels[found], answers[found]), 1)
    support = np.bincount(labels, minlength=classes)
    answered = confusion.sum(axis=0)
    right = confusion.diagonal()
    precision = _ratio(right, answered)
    recall = _ratio(right, support)
    # F1 = 2 TP / (2 TP + FP + FN), defined wherever the emotion occurs at all.
    f1 = _ratio(2 * right, answered + support)
    return Report(
        n=len(labels),
        found=int(found.sum()),
        accuracy=float(right.sum() / len(labels)),
        macro_f1=float(f1[(support > 0) | (answered > 0)].mean()),
        balanced_accuracy=float(recall[support > 0].mean()),
        ece=expected_calibration_error(labels[found], probabilities[found]),
        per_class={
            label: ClassFigures(float(precision[k]), float(recall[k]), float(f1[k]), int(support[k]))
            for k, label in enumerate(LABELS)
        },
        confusion=confusion.tolist(),
    )


def expected_calibration_error(labels: NDArray[np.int64], probabilities: NDArray[np.float32]) -> float:
    """Mean distance between confidence and accuracy over 15 equally wide bins, weighted by their size."""
    if not len(labels):
        return 0.0
    counts, accuracy, confidence = calibration_bins(labels, probabilities)
    return float((counts * np.abs(confidence - accuracy)).sum() / len(labels))


def calibration_bins(
    labels: NDArray[np.int64], probabilities: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Answers in 15 equally wide bins of confidence.

    Args:
        labels: (N,), 0 to 6.
        probabilities: (N, 7), without NaN.

    Returns:
        Number, accuracy and mean confidence of the answers of each bin, (15,) each; 0 where a bin is empty.
    """
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * ECE_BINS).astype(int), ECE_BINS - 1)
    counts = np.bincount(bins, minlength=ECE_BINS)
    sums = (np.bincount(bins, weights=values, minlength=ECE_BINS) for values in (correct, confidence))
    accuracy, mean = (_ratio(total, counts) for total in sums)
    return counts, accuracy, mean


def _ratio(part: NDArray[Any], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0), np.float64)
