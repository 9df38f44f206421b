"""Calibration on faces that the network has not learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit, minimize, minimize_scalar

from mien.classification.classifier import blend, dissent, softmax
from mien.emotions import LABELS
from mien.evaluation.datasets import FaceSet

PRIOR_POWER = 0.5
"""How far the answer for photos leaves behind how frequent an emotion was in training; see `ModelConfig`."""

FERPLUS_SHARE = 0.7
"""How much the head that learned FER+ votes counts in the answer for photos, beside the one with FER-2013's labels.

With 0.5 mien-2's answers were those of most FER+ voters for 75.4% of PublicTest's faces (balanced over the emotions
73.8%), with 0.7 for 79.2% (75.2%); on web photos the balanced accuracy without fear was 0.615 and 0.629, and fell again
with more (`benchmarks/head_shares.py`)."""

TARGET_ACCURACY = 0.85
"""What is not called uncertain should be right this often."""

PHOTO_MARGIN = 0.03
"""Photos are harder than FER-2013's faces: they are dark, blurred, small, and a detector frames them. On held-out faces
certain answers must be right this much more often than the target; `mien.evaluation.corruptions` cost mien-1 four
points of accuracy, the detector one."""

FEWEST_HELD_OUT = 50
"""With fewer held-out faces than this nothing is fitted: chance would decide how sure the answers are."""

DOUBTFUL = 0.95
"""Confidence below which answers are uncertain where nothing tells how often they are right."""

_REGULARIZATION = 0.03


@dataclass(frozen=True, slots=True)
class Calibration:
    """What calibration decides; see `mien.classification.model_config.ModelConfig` for the meaning of each field."""

    scales: tuple[tuple[float, ...], ...]
    biases: tuple[tuple[float, ...], ...]
    priors: tuple[tuple[float, ...], ...]
    prior_power: float
    photo_temperature: float
    uncertain_below: float
    ambiguity: tuple[float, ...]
    head_weights: tuple[float, ...]


def calibrate(
    logits: NDArray[np.float32],
    held_out: FaceSet,
    train: FaceSet,
    mirrored: NDArray[np.float32] | None = None,
    imbalance: str = "none",
) -> Calibration:
    """Fit scales, biases, the threshold of doubt and how far voters disagree.

    The answer for photos is held against what FER+ voters saw, which is closer to what a person would say than
    FER-2013's label is; each emotion counts as much as the answer assumes it to occur. So is the threshold of doubt,
    against what most of them saw.

    Args:
        logits: The network's answers to ``held_out``, (N, heads, 7); the first head learned FER-2013's labels, a
            second one FER+ votes.
        held_out: N faces that the network has not learned from.
        train: The faces that it has learned from.
        mirrored: The network's answers to the mirrored faces; photos are answered with the mean of both.
        imbalance: What its recipe did about rare emotions; see `mien.training.recipe.Recipe`.

    Returns:
        What was fitted; with fewer faces than `FEWEST_HELD_OUT` the network's own probabilities are left as they are.
    """
    targets = [np.eye(len(LABELS), dtype=np.float32)[held_out.labels]]
    shares = [np.bincount(train.labels, minlength=len(LABELS)) / len(train)]
    if logits.shape[1] > 1 and held_out.votes is not None and train.votes is not None:
        targets.append(held_out.votes)
        shares.append(train.votes.sum(axis=0) / train.votes.sum())
    # An emotion without a single face would have an infinite weight.
    priors = np.maximum(np.array(shares), 1e-3)
    seen = _frequencies_seen(train, priors, imbalance)
    if len(held_out) < FEWEST_HELD_OUT:
        return _uncalibrated(priors, np.log(priors / seen))
    fits = [_fit(logits[:, k], target, np.log(priors[k] / seen[k])) for k, target in enumerate(targets)]
    scales, biases = (np.array([fit[k] for fit in fits]) for k in range(2))
    weights = _head_weights(len(targets))
    sides = [
        np.log(blend(np.asarray(side * scales + biases, np.float32), priors, PRIOR_POWER, weights))
        for side in (logits, *(() if mirrored is None else (mirrored,)))
    ]
    target = targets[-1] if targets[-1].any() else targets[0]
    known = target.sum(axis=1) > 0
    ambiguity: tuple[float, ...] = ()
    if target is not targets[0]:
        ambiguity = _fit_ambiguity(_dissent(logits, mirrored, scales, biases)[known], target[known])
    importance = (priors[-1] ** -PRIOR_POWER)[target.argmax(axis=1)] * known
    photo_temperature = _temperature(sides, target, importance)
    confident = _photo_answer(sides, photo_temperature)
    return Calibration(
        _rows(scales, 4),
        _rows(biases, 4),
        _rows(priors, 5),
        PRIOR_POWER,
        round(photo_temperature, 4),
        _threshold(confident[known], target[known].argmax(axis=1)),
        ambiguity,
        weights,
    )


def _head_weights(heads: int) -> tuple[float, ...]:
    return (round(1 - FERPLUS_SHARE, 4), FERPLUS_SHARE) if heads > 1 else (1.0,)


def _uncalibrated(priors: NDArray[np.float64], biases: NDArray[np.float64]) -> Calibration:
    """The calibration that leaves probabilities as they are, but for how frequent training made the emotions seem."""
    return Calibration(
        _rows(np.ones_like(priors), 4),
        _rows(biases - biases.mean(axis=1, keepdims=True), 4),
        _rows(priors, 5),
        PRIOR_POWER,
        1.0,
        DOUBTFUL,
        (),
        _head_weights(len(priors)),
    )


def _frequencies_seen(train: FaceSet, priors: NDArray[np.float64], imbalance: str) -> NDArray[np.float64]:
    """How frequent each head saw the emotions to be in training, (heads, 7), whatever the recipe did about rare ones.

    Args:
        train: The faces that the network has learned from.
        priors: How frequent they are there, (heads, 7).
        imbalance: As for `calibrate`.
    """
    seen: NDArray[np.float64] = np.array(priors)
    if imbalance != "none":
        seen[0] = 1 / len(LABELS)
    # Weights are for the loss on FER-2013's labels alone; draws and copies change what the other head sees.
    if len(priors) > 1 and imbalance in ("sampler", "balance-offline"):
        assert train.votes is not None
        there = np.unique(train.labels)
        mean = np.mean([train.votes[train.labels == number].mean(axis=0) for number in there], axis=0)
        seen[1] = np.maximum(mean / mean.sum(), 1e-3)
    return seen


def _rows(table: NDArray[np.float64], digits: int) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(round(float(value), digits) for value in row) for row in table)


def _fit(
    logits: NDArray[np.float32], target: NDArray[np.float32], expected: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """One scale, and a bias per emotion, with the least cross-entropy.

    This is bias-corrected temperature scaling (Alexandari et al. 2020, "Maximum likelihood with bias-corrected
    calibration is hard-to-beat at label shift adaptation"). Biases other than the expected ones cost a little, because
    the held-out faces are few. A scale per emotion as well, with biases that cost next to nothing, fitted these better,
    but mien-2's accuracy on PublicTest was lower.

    Args:
        logits: (N, 7).
        target: (N, 7), rows add up to 1, or to 0 where nothing is known.
        expected: Biases to be expected, (7,): logarithms of how many times as frequent the emotions are as the network
            saw them in training.

    Returns:
        Scales, all the same, and biases, (7,) each.
    """
    classes, known = target.shape[1], max(1.0, float(target.sum()))
    wide, expected = logits.astype(np.float64), expected - expected.mean()

    def loss(x: NDArray[np.float64]) -> float:
        z = wide * np.exp(x[0]) + expected + x[1:]
        z -= z.max(axis=1, keepdims=True)
        surprise = np.log(np.exp(z).sum(axis=1, keepdims=True)) - z
        return float((target * surprise).sum() / known + _REGULARIZATION * np.square(x[1:]).sum())

    x = minimize(loss, np.zeros(1 + classes), method="L-BFGS-B", bounds=[(-2, 2)] * (1 + classes)).x
    return np.full(classes, np.exp(x[0])), expected + x[1:]


def _dissent(
    logits: NDArray[np.float32],
    mirrored: NDArray[np.float32] | None,
    scales: NDArray[np.float64],
    biases: NDArray[np.float64],
) -> NDArray[np.float64]:
    """What the last head leaves to emotions other than the likeliest, (N,): over the face as it is and mirrored."""
    sides = (logits,) if mirrored is None else (logits, mirrored)
    answers = [softmax(np.asarray(side[:, -1] * scales[-1] + biases[-1], np.float32)) for side in sides]
    return np.asarray(np.mean([dissent(answer) for answer in answers], axis=0), np.float64)


def _fit_ambiguity(rest: NDArray[np.float64], votes: NDArray[np.float32]) -> tuple[float, float]:
    """Gain and power that bring `rest` closest to the share of voters who disagreed, by least squares.

    Args:
        rest: What the answer leaves to emotions other than the likeliest, (N,), above 0.
        votes: Shares of the votes, (N, 7); rows add up to 1.
    """
    found, *_ = curve_fit(lambda x, gain, power: gain * x**power, rest, dissent(votes), (1.0, 1.0), bounds=(0, 4))
    return round(float(found[0]), 4), round(float(found[1]), 4)


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
    return DOUBTFUL


def _lower_bound(share: float, count: int, z: float = 1.2816) -> float:
    spread = z * (share * (1 - share) / count + (z / count / 2) ** 2) ** 0.5
    return float((share + z**2 / count / 2 - spread) / (1 + z**2 / count))
