"""Calibration on faces that the network has not learnt from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from mien.classifier import blend, softmax
from mien.datasets import FaceSet
from mien.emotions import LABELS

PRIOR_POWER = 0.5
"""How far the answer for photos leaves behind how frequent an emotion was in training; see `ModelConfig`."""

TARGET_ACCURACY = 0.85
"""What is not called uncertain should be right this often."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What calibration decides; see `mien.model_folder.ModelConfig` for the meaning of each field."""

    temperatures: tuple[float, ...]
    priors: tuple[tuple[float, ...], ...]
    prior_power: float
    photo_temperature: float
    uncertain_below: float


def calibrate(logits: NDArray[np.float32], held_out: FaceSet, train: FaceSet) -> Calibration:
    """Fit temperatures and the threshold of doubt.

    The answer for photos is held against what FER+ voters saw, which is closer to what a person would say than
    FER-2013's label is; each emotion counts as much as the answer assumes it to occur.

    Args:
        logits: The network's answers to ``held_out``, (N, heads, 7); the first head learnt FER-2013's labels, a
            second one FER+ votes.
        held_out: N faces that the network has not learnt from.
        train: The faces that it has learnt from.
    """
    targets = [np.eye(len(LABELS), dtype=np.float32)[held_out.labels]]
    shares = [np.bincount(train.labels, minlength=len(LABELS)) / len(train)]
    if logits.shape[1] > 1 and held_out.votes is not None and train.votes is not None:
        targets.append(held_out.votes)
        shares.append(train.votes.sum(axis=0) / train.votes.sum())
    # An emotion without a single face would have an infinite weight.
    priors = np.maximum(np.array(shares), 1e-3)
    temperatures = [_temperature(logits[:, k], target, np.ones(len(target))) for k, target in enumerate(targets)]
    answers = blend(logits, np.array(temperatures), priors, PRIOR_POWER)
    weights = (priors[-1] ** -PRIOR_POWER)[targets[-1].argmax(axis=1)] * (targets[-1].sum(axis=1) > 0)
    photo_temperature = _temperature(np.log(answers), targets[-1], weights)
    confident = softmax(np.log(answers) / np.float32(photo_temperature))
    threshold = _threshold(confident, targets[-1].argmax(axis=1), weights)
    rows = tuple(tuple(round(float(p), 5) for p in row) for row in priors)
    rounded = tuple(round(t, 4) for t in temperatures)
    return Calibration(rounded, rows, PRIOR_POWER, round(photo_temperature, 4), threshold)


def _temperature(logits: NDArray[np.float32], target: NDArray[np.float32], weights: NDArray[np.float64]) -> float:
    """The temperature with the least cross-entropy (Guo et al. 2017)."""

    def loss(log_temperature: float) -> float:
        answer = softmax(logits / np.float32(np.exp(log_temperature)))
        return float(-(weights[:, None] * target * np.log(answer + 1e-9)).sum() / weights.sum())

    return float(np.exp(minimize_scalar(loss, bounds=(-2.0, 2.0), method="bounded").x))


def _threshold(answers: NDArray[np.float32], labels: NDArray[np.int64], weights: NDArray[np.float64]) -> float:
    """The lowest confidence, in steps of 0.05, above which answers are right often enough; 0.95 if none is."""
    confidence, right = answers.max(axis=1), answers.argmax(axis=1) == labels
    for threshold in np.arange(0.2, 0.95, 0.05):
        kept = weights * (confidence >= threshold)
        if kept.sum() and (kept * right).sum() / kept.sum() >= TARGET_ACCURACY:
            return round(float(threshold), 2)
    return 0.95
