"""Smoothing over time and the hysteresis of the label."""

from __future__ import annotations

import math
from itertools import groupby, pairwise

import numpy as np
import pytest

from mien.emotions import Emotion
from mien.errors import OptionError
from mien.tracking.smoothing import SETTLE_S, SWITCH_MARGIN, EmotionSmoother

HAPPY, SAD = np.eye(7)[Emotion.HAPPY.number], np.eye(7)[Emotion.SAD.number]


@pytest.mark.parametrize("rate", [5, 24, 30, 240])
def test_a_step_follows_the_time_constant_at_every_frame_rate(rate: int) -> None:
    smoother = EmotionSmoother(0.4)
    smoother.update(1, HAPPY, 0.0)
    for frame in range(1, 2 * rate + 1):
        smoothed, _ = smoother.update(1, SAD, frame / rate)
        assert smoothed[Emotion.SAD.number] == pytest.approx(1 - math.exp(-frame / rate / 0.4))
        assert smoothed.sum() == pytest.approx(1)


def test_uneven_steps_count_by_their_length() -> None:
    even, uneven = EmotionSmoother(0.3), EmotionSmoother(0.3)
    for smoother, times in ((even, (0.1, 0.2, 0.3, 0.4)), (uneven, (0.05, 0.39, 0.4))):
        smoother.update(1, HAPPY, 0.0)
        for time_s in times:
            smoothed, _ = smoother.update(1, SAD, time_s)
        assert smoothed[Emotion.SAD.number] == pytest.approx(1 - math.exp(-0.4 / 0.3))


def test_zero_leaves_the_probabilities_alone() -> None:
    smoother = EmotionSmoother(0.0)
    smoother.update(1, HAPPY, 0.0)
    smoothed, emotion = smoother.update(1, SAD, 0.1)
    np.testing.assert_allclose(smoothed, SAD)
    assert emotion is Emotion.SAD


def test_a_first_sample_is_taken_as_it_is() -> None:
    smoothed, emotion = EmotionSmoother(1.0).update(1, SAD, 3.0)
    np.testing.assert_allclose(smoothed, SAD)
    assert emotion is Emotion.SAD


def between(share: float) -> np.ndarray:
    return share * HAPPY + (1 - share) * SAD


def test_the_label_does_not_flicker_around_a_tie() -> None:
    smoother = EmotionSmoother(0.0)
    margin = SWITCH_MARGIN / 2
    labels = [smoother.update(1, between(0.5 + sign * margin * 0.9), i / 30)[1] for i, sign in enumerate([1, -1] * 20)]
    assert set(labels) == {Emotion.HAPPY}
    assert smoother.update(1, between(0.5 - margin * 1.1), 2.0)[1] is Emotion.SAD
    assert smoother.update(1, between(0.5 + margin * 0.9), 2.1)[1] is Emotion.SAD


@pytest.mark.parametrize("rate", [5, 30, 240])
def test_the_label_follows_a_small_lead_that_lasts(rate: int) -> None:
    smoother = EmotionSmoother(0.0)
    smoother.update(1, between(0.51), 0.0)
    labels = [smoother.update(1, between(0.49), i / rate)[1] for i in range(1, rate + 1)]
    # The lead begins with the first of these samples.
    assert labels.index(Emotion.SAD) == pytest.approx(SETTLE_S * rate, abs=1)
    assert set(labels[labels.index(Emotion.SAD) :]) == {Emotion.SAD}


def test_doubtful_labels_neither_contradict_the_probabilities_for_long_nor_flicker() -> None:
    """Noise around a tie of three emotions, as on a face that cannot be read: 60 s at 30 frames a second."""
    dice, smoother = np.random.default_rng(0), EmotionSmoother(0.3)
    shown: list[int] = []
    likeliest: list[int] = []
    for frame in range(1800):
        powers = np.exp(dice.normal((0, 0, 0, 1, 1, 0, 1), 1))
        smoothed, emotion = smoother.update(1, powers / powers.sum(), frame / 30)
        shown.append(emotion.number)
        likeliest.append(int(smoothed.argmax()))
    runs = [len(list(run)) for same, run in groupby(map(int.__eq__, shown, likeliest)) if not same]
    assert 0 < max(runs) <= SETTLE_S * 30
    assert changes(shown) < changes(likeliest) / 5


def changes(values: list[int]) -> int:
    return sum(a != b for a, b in pairwise(values))


def test_people_do_not_share_states_and_nor_do_instances() -> None:
    smoother, other = EmotionSmoother(10.0), EmotionSmoother(10.0)
    smoother.update(1, HAPPY, 0.0)
    assert smoother.update(2, SAD, 0.0)[1] is Emotion.SAD
    assert other.update(1, SAD, 0.1)[1] is Emotion.SAD
    assert smoother.update(1, SAD, 0.1)[1] is Emotion.HAPPY


def test_who_is_forgotten_starts_anew() -> None:
    smoother = EmotionSmoother(10.0)
    smoother.update(1, HAPPY, 0.0)
    smoother.update(2, HAPPY, 0.0)
    smoother.keep({2})
    assert smoother.update(1, SAD, 0.1)[1] is Emotion.SAD
    assert smoother.update(2, SAD, 0.1)[1] is Emotion.HAPPY


@pytest.mark.parametrize("value", [-0.1, float("nan")])
def test_impossible_time_constants_are_refused(value: float) -> None:
    with pytest.raises(OptionError, match="0 seconds or more"):
        EmotionSmoother(value)
