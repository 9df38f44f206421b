"""How much accuracy each corruption of the faces costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mien.classification.base import Classifier
from mien.evaluation.corruptions import CORRUPTIONS, Corruption
from mien.evaluation.evaluate import Predictions, predict_crops

SEED = 0
LEVELS = ("weak", "middle", "strong")

Progress: TypeAlias = Callable[[Iterable[Corruption], int], Iterable[Corruption]]


@dataclass(frozen=True, slots=True)
class CorruptionResult:
    """What one corruption costs.

    Attributes:
        name: Its name.
        strengths: Its three strengths in words.
        accuracies: Accuracy at each, 0..1.
        drops: By how much less than on the faces as they are, 0..1.
    """

    name: str
    strengths: tuple[str, str, str]
    accuracies: tuple[float, float, float]
    drops: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Robustness:
    """What corruptions cost.

    Attributes:
        accuracy: On the faces as they are, 0..1.
        mean_drop: Mean loss at the middle strength over all corruptions, 0..1.
        corruptions: Each corruption.
    """

    accuracy: float
    mean_drop: float
    corruptions: tuple[CorruptionResult, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)


def measure_robustness(
    predictions: Predictions,
    classifier: Classifier,
    progress: Progress = lambda corruptions, total: corruptions,
) -> Robustness:
    """Corrupt faces in every way of `CORRUPTIONS` and let a model predict again.

    The corruption happens after the face was found and cut out: this is about reading faces, not about finding
    them. The same seed and faces give the same figures; a face keeps its draw (of a side to tilt to, for example)
    through the three strengths.

    Args:
        predictions: What the model predicted for the faces as they are; faces that were not found count as wrong.
        classifier: The model.
        progress: Wraps the loop over the corruptions, given their number.
    """
    clean = _accuracy(predictions.probabilities, predictions.labels)
    rows = []
    for corruption in progress(CORRUPTIONS, len(CORRUPTIONS)):
        levels = range(len(LEVELS))
        found = [
            _accuracy(_predict(predictions, corruption, level, classifier), predictions.labels) for level in levels
        ]
        rows.append(
            CorruptionResult(
                corruption.name,
                _three(corruption.describe(level) for level in levels),
                _three(found),
                _three(clean - accuracy for accuracy in found),
            )
        )
    return Robustness(clean, float(np.mean([row.drops[1] for row in rows])), tuple(rows))


def _predict(
    predictions: Predictions, corruption: Corruption, level: int, classifier: Classifier
) -> NDArray[np.float32]:
    number = CORRUPTIONS.index(corruption)
    worse = [
        None
        if face is None
        else corruption.apply(face, corruption.strengths[level], np.random.default_rng((SEED, number, k)))
        for k, face in enumerate(predictions.crops)
    ]
    return predict_crops(worse, classifier, predictions.head, predictions.mirrored)


def _accuracy(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    found = ~np.isnan(probabilities).any(axis=1)
    return float((probabilities[found].argmax(axis=1) == labels[found]).sum() / len(labels))


def _three(values: Iterable[Any]) -> tuple[Any, Any, Any]:
    first, second, third = values
    return first, second, third
