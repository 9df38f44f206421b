"""Smoothing that knows what comes: without lag, without flicker, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from mien.emotions import Emotion
from mien.results import Face, FrameResult
from mien.tracking.lookahead import DECIDE_AHEAD_S, SMOOTH_AHEAD_S, LookAhead


def answer(happy: float, track: int = 1) -> Face:
    """A face that is happy with this probability, else sad."""
    probabilities = dict.fromkeys(Emotion, 0.0) | {Emotion.HAPPY: happy, Emotion.SAD: 1 - happy}
    emotion = Emotion.HAPPY if happy >= 0.5 else Emotion.SAD
    return Face((0, 0, 9, 9), 0.9, emotion, max(happy, 1 - happy), probabilities, False, track)


def play(
    happy: Callable[[float], float],
    seconds: float,
    rate: float = 25,
    shots: Callable[[float], int] = lambda time_s: 1,
    most: int = 10**6,
) -> list[FrameResult]:
    """The results for a face that is happy to a degree that depends on the time."""
    ahead: LookAhead[int] = LookAhead(0.3, 0.5, lambda track: True, most)
    done: list[tuple[int, FrameResult]] = []
    for number in range(round(seconds * rate)):
        time_s = number / rate
        faces = (answer(happy(time_s)),)
        done += ahead.add(number, FrameResult("", 9, 9, faces, number, time_s, shots(time_s)))
        waiting = number + 1 - len(done)
        assert waiting <= min(most, (SMOOTH_AHEAD_S + DECIDE_AHEAD_S) * rate + 2)
    done += ahead.finish()
    assert [number for number, _ in done] == [result.frame for _, result in done] == list(range(round(seconds * rate)))
    return [result for _, result in done]


def spans(results: Sequence[FrameResult]) -> list[tuple[str, float]]:
    """The labels shown, each with the time at which it begins."""
    shown: list[tuple[str, float]] = []
    for result in results:
        emotion = result.faces[0].emotion.value
        if not shown or shown[-1][0] != emotion:
            shown.append((emotion, round(result.time_s or 0.0, 3)))
    return shown


@pytest.mark.parametrize("rate", [5, 25, 60])
def test_a_change_shows_when_it_happens(rate: float) -> None:
    results = play(lambda time_s: 0.9 if time_s < 2 else 0.1, 4, rate)
    (_, (emotion, onset_s)) = spans(results)
    assert emotion == "sad"
    assert onset_s == pytest.approx(2.0, abs=1 / rate)
    smoothed = [result.faces[0].smoothed[Emotion.HAPPY] for result in results]
    times = [result.time_s for result in results]
    # Half way at the change, and as far from it before as after: no lag.
    assert np.interp(2.0 - 0.5 / rate, times, smoothed) == pytest.approx(0.5, abs=0.02)
    assert np.interp(1.8 - 0.5 / rate, times, smoothed) == pytest.approx(
        1 - np.interp(2.2 - 0.5 / rate, times, smoothed), abs=0.02
    )


def test_an_expression_of_a_second_is_shown_with_its_times() -> None:
    shown = spans(play(lambda time_s: 0.1 if 2 <= time_s < 3 else 0.9, 5))
    assert [emotion for emotion, _ in shown] == ["happy", "sad", "happy"]
    assert [onset_s for _, onset_s in shown[1:]] == pytest.approx([2, 3], abs=0.041)


def test_a_moment_is_not() -> None:
    assert spans(play(lambda time_s: 0.1 if 2 <= time_s < 2.2 else 0.9, 4)) == [("happy", 0.0)]


def test_noise_around_a_tie_changes_the_label_seldom() -> None:
    noise = np.random.default_rng(1).normal(0.5, 0.2, 3000).clip(0, 1)
    results = play(lambda time_s: float(noise[round(time_s * 25)]), 120)
    raw = np.flatnonzero(np.diff((noise >= 0.5).astype(int)))
    assert len(raw) > 1200
    assert len(spans(results)) - 1 < len(raw) / 15


def test_a_cut_begins_anew() -> None:
    """No label of the shot before, not even for a frame, and no averaging across."""
    results = play(lambda time_s: 0.95 if time_s < 2 else 0.05, 4, shots=lambda time_s: 1 + (time_s >= 2))
    assert spans(results) == [("happy", 0.0), ("sad", 2.0)]
    assert {round(result.faces[0].confidence, 3) for result in results} == {0.95}


def test_large_frames_are_held_for_less_time_and_all_come_out() -> None:
    results = play(lambda time_s: 0.9 if time_s < 2 else 0.1, 4, most=6)
    assert spans(results)[1][1] == pytest.approx(2.0, abs=0.3)


def test_a_newcomer_who_turns_out_to_be_known_is_renamed_in_what_waits() -> None:
    ahead: LookAhead[None] = LookAhead(0.3, 0.5, lambda track: True, 100)
    done: list[FrameResult] = []
    for number in range(30):
        track = 2 if 10 <= number < 14 else 1
        renamed = ((2, 1),) if number == 14 else ()
        result = FrameResult("", 9, 9, (answer(0.9, track),), number, number / 25, 1)
        done += [seen for _, seen in ahead.add(None, result, renamed)]
    done += [seen for _, seen in ahead.finish()]
    assert {result.faces[0].track for result in done} == {1}
