"""Calibration on faces that the network has not learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar

from mien.classification.classifier import blend, softmax
from mien.emotions import LABELS
from mien.evaluation.datasets import FaceSet

PRIOR_POWER = 0.5
"""How far the answer for photos leaves behind how frequent an emotion was in training; see `ModelConfig`."""

TARGET_ACCURACY = 0.85
"""What is not called uncertain should be right this often."""

PHOTO_MARGIN = 0.03
"""Photos are harder than FER-2013's faces: they are dark, blurred, small, and a detector frames them. On held-out faces
certain answers must be right this much more often than the target; `mien.evaluation.corruptions` cost mien-1 four
points of accuracy, the detector one."""

_REGULARIZATION = 0.003


@dataclass(frozen=True, slots=True)
class Calibration:
    """What calibration decides; see `mien.classification.model_config.ModelConfig` for the meaning of each field."""

    scales: tuple[tuple[float, ...], ...]
    biases: tuple[tuple[float, ...], ...]
    priors: tuple[tuple[float, ...], ...]
    prior_power: float
    photo_temperature: float
    uncertain_below: float


def calibrate(
    logits: NDArray[np.float32],
    held_out: FaceSet,
    train: FaceSet,
    mirrored: NDArray[np.float32] | None = None,
) -> Calibration:
    """Fit scales, biases and the threshold of doubt.

    The answer for photos is held against what FER+ voters saw, which is closer to what a person would say than
    FER-2013's label is; each emotion counts as much as the answer assumes it to occur. So is the threshold of doubt,
    against what most of them saw.

    Args:
        logits: The network's answers to ``held_out``, (N, heads, 7); the first head learned FER-2013's labels, a
            second one FER+ votes.
        held_out: N faces that the network has not learned from.
        train: The faces that it has learned from.
        mirrored: The network's answers to the mirrored faces; photos are answered with the mean of both.
    """
    targets = [np.eye(len(LABELS), dtype=np.float32)[held_out.labels]]
    shares = [np.bincount(train.labels, minlength=len(LABELS)) / len(train)]
    if logits.shape[1] > 1 and held_out.votes is not None and train.votes is not None:
        targets.append(held_out.votes)
        shares.append(train.votes.sum(axis=0) / train.votes.sum())
    # An emotion without a single face would have an infinite weight.
    priors = np.maximum(np.array(shares), 1e-3)
    fits = [_fit_vector(logits[:, k], target) for k, target in enumerate(targets)]
    scales, biases = (np.array([fit[k] for fit in fits]) for k in range(2))
    sides = [
        np.log(blend(np.asarray(side * scales + biases, np.float32), priors, PRIOR_POWER))
        for side in (logits, *(() if mirrored is None else (mirrored,)))
    ]
    target = targets[-1]
    known = target.sum(axis=1) > 0
    weights = (priors[-1] ** -PRIOR_POWER)[target.argmax(axis=1)] * known
    photo_temperature = _temperature(sides, target, weights)
    confident = _photo_answer(sides, photo_temperature)
    return Calibration(
        _rows(scales, 4),
        _rows(biases, 4),
        _rows(priors, 5),
        PRIOR_POWER,
        round(photo_temperature, 4),
        _threshold(confident[known], target[known].argmax(axis=1)),
    )


def _rows(table: NDArray[np.float64], digits: int) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(round(float(value), digits) for value in row) for row in table)


def _fit_vector(
    logits: NDArray[np.float32], target: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Vector scaling (Guo et al. 2017): a scale and a bias per emotion with the least cross-entropy.

    Differences between emotions cost a little, so that a rare one does not go its own way. In five-fold
    cross-validation on the held-out faces of mien-1 this had a lower cross-entropy (0.871) than one temperature
    (0.875), and than scales or biases alone.

    Args:
        logits: (N, 7).
        target: (N, 7), rows add up to 1, or to 0 where nothing is known.

    Returns:
        Scales and biases, (7,) each.
    """
    classes, known = target.shape[1], max(1.0, float(target.sum()))
    wide = logits.astype(np.float64)

    def loss(x: NDArray[np.float64]) -> float:
        z = wide * np.exp(x[0] + x[1 : 1 + classes]) + x[1 + classes :]
        z -= z.max(axis=1, keepdims=True)
        surprise = np.log(np.exp(z).sum(axis=1, keepdims=True)) - z
        return float((target * surprise).sum() / known + _REGULARIZATION * np.square(x[1:]).sum())

    x = minimize(loss, np.zeros(1 + 2 * classes), method="L-BFGS-B", bounds=[(-2, 2)] * (1 + 2 * classes)).x
    return np.exp(x[0] + x[1 : 1 + classes]), x[1 + classes :]


def _photo_answer(sides: Sequence[NDArray[np.float32]], temperature: float) -> NDArray[np.float32]:
    """The answer for photos, (N, 7): the mean over the face as it is and, if given, mirrored."""
    return np.asarray(np.mean([softmax(side / np.float32(temperature)) for side in sides], axis=0), np.float32)


def _temperature(
    sides: Sequence[NDArray[np.float32]], target: NDArray[np.float32], weights: NDArray[np.float64]
) -> float:
    """The temperature (Guo et al. 2017) with the least Brier score.

    Like cross-entropy the Brier score is a proper one, but a face with a wrong label can cost at most 2, so that the
    many wrong labels of FER-2013 do not decide.
    """

    def loss(log_temperature: float) -> float:
        answer = _photo_answer(sides, float(np.exp(log_temperature)))
        return float((weights * np.square(answer - target).sum(axis=1)).sum() / weights.sum())

    return float(np.exp(minimize_scalar(loss, bounds=(-2.0, 2.0), method="bounded").x))


def _threshold(answers: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """The lowest confidence, in steps of 0.01, from which on answers are right often enough; 0.95 if none is.

    The held-out faces are few, so that it is the lower end of a one-sided 90% interval (Wilson 1927) that must
    reach the target, at each threshold that is tried.
    """
    confidence, right = answers.max(axis=1), answers.argmax(axis=1) == labels
    for threshold in np.arange(0.20, 0.95, 0.01):
        kept = confidence >= threshold
        if kept.any() and _lower_bound(float(right[kept].mean()), int(kept.sum())) >= TARGET_ACCURACY + PHOTO_MARGIN:
            return round(float(threshold), 2)
    return 0.95


def _lower_bound(share: float, count: int, z: float = 1.2816) -> float:
    spread = z * (share * (1 - share) / count + (z / count / 2) ** 2) ** 0.5
    return float((share + z**2 / count / 2 - spread) / (1 + z**2 / count))
