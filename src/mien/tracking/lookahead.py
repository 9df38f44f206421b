"""Smoothing of files, which looks ahead as far as it looks back, so that nothing shows late."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from mien.analyzer import by_emotion
from mien.emotions import Emotion
from mien.results import Face, FrameResult
from mien.tracking.stream import with_smoothed
from mien.tracking.tracker import KEEP_S

SMOOTH_AHEAD_S = 0.5
"""Seconds of answers on either side that are averaged."""
DECIDE_AHEAD_S = 0.8
"""Seconds of averages after a change of the label that tell whether it lasts: about twice the shortest expression that
is shown, because expressions that are meant to be seen last half a second and more (Ekman 2003)."""

_T = TypeVar("_T")
_Key: TypeAlias = "tuple[int, int]"
"""Shot and track: smoothing starts over at every cut."""
_ORDER = list(Emotion)


@dataclass(slots=True)
class _Held(Generic[_T]):
    """A frame that waits: what it was, its raw result, and the averages once they are known, by track."""

    item: _T
    result: FrameResult
    smoothed: dict[int, NDArray[np.float64]] | None = None

    @property
    def time_s(self) -> float:
        return self.result.time_s or 0.0

    def key(self, track: int) -> _Key:
        return self.result.shot or 0, track


class LookAhead(Generic[_T]):
    """Holds frames back for `SMOOTH_AHEAD_S` + `DECIDE_AHEAD_S` and gives them out with what came after in mind.

    Probabilities are averaged with weights that fall off exponentially to both sides alike, hence without lag. The
    label changes where another emotion becomes likelier, if it is likelier on average over the `DECIDE_AHEAD_S` that
    follow; it does not wait for that as a live one must.

    Args:
        time_constant_s: As for `EmotionSmoother`: seconds within which a weight falls to 37%; 0 averages nothing.
        uncertain_below: Confidence below which an answer is uncertain.
        is_confirmed: Whether a track has turned out to be a person.
        most_frames: Hold no more frames than this, at least 2; beyond it, look less far.
    """

    def __init__(
        self, time_constant_s: float, uncertain_below: float, is_confirmed: Callable[[int], bool], most_frames: int
    ) -> None:
        self._time_constant_s, self._uncertain_below = time_constant_s, uncertain_below
        self._is_confirmed, self._most_frames = is_confirmed, max(2, most_frames)
        self._held: deque[_Held[_T]] = deque()
        # Answers of each track within reach, the averages of those not given out, and the label shown last and when.
        self._answers: dict[_Key, deque[tuple[float, NDArray[np.float64]]]] = {}
        self._averages: dict[_Key, deque[tuple[float, NDArray[np.float64]]]] = {}
        self._shown: dict[_Key, tuple[float, Emotion]] = {}

    def add(
        self, item: _T, result: FrameResult, renamed: tuple[tuple[int, int], ...] = ()
    ) -> Iterator[tuple[_T, FrameResult]]:
        """Take in the next frame, and give out those for which enough has been seen.

        Args:
            item: Anything that belongs to the frame; comes back with it.
            result: As `StreamAnalyzer.classify_raw` gives it.
            renamed: As in `FrameDetections`.
        """
        for old, new in renamed:
            self._rename(old, new)
        held = _Held(item, result)
        self._held.append(held)
        for face in result:
            if face.track is not None:
                answer = np.array([face.probabilities[emotion] for emotion in _ORDER])
                self._answers.setdefault(held.key(face.track), deque()).append((held.time_s, answer))
        is_full = len(self._held) > self._most_frames
        seen_s = held.time_s
        for index, waiting in enumerate(self._held):
            if waiting.time_s + SMOOTH_AHEAD_S > seen_s and not (is_full and index <= self._most_frames // 2):
                break
            self._smooth(waiting)
        while self._held and (
            self._held[0].time_s + SMOOTH_AHEAD_S + DECIDE_AHEAD_S <= seen_s or len(self._held) > self._most_frames
        ):
            yield self._give_out()

    def finish(self) -> Iterator[tuple[_T, FrameResult]]:
        """Give out what is left."""
        for waiting in self._held:
            self._smooth(waiting)
        while self._held:
            yield self._give_out()

    def _smooth(self, held: _Held[_T]) -> None:
        if held.smoothed is not None:
            return
        held.smoothed = {}
        for face in held.result:
            if face.track is None:
                continue
            key = held.key(face.track)
            average = self._average(self._answers[key], held.time_s)
            held.smoothed[face.track] = average
            self._averages.setdefault(key, deque()).append((held.time_s, average))

    def _average(self, answers: deque[tuple[float, NDArray[np.float64]]], time_s: float) -> NDArray[np.float64]:
        # What no later frame can reach is let go.
        while answers[0][0] < time_s - SMOOTH_AHEAD_S:
            answers.popleft()
        near = [(abs(at - time_s), answer) for at, answer in answers if at <= time_s + SMOOTH_AHEAD_S]
        if not self._time_constant_s:
            return min(near, key=lambda pair: pair[0])[1]
        # As much is averaged after as before, so that beginnings and ends do not pull to one side.
        reach = min(time_s - answers[0][0], max(at for at, _ in answers) - time_s)
        reach = max(reach, SMOOTH_AHEAD_S / 4)
        kept = [(away, answer) for away, answer in near if away <= reach + 1e-9]
        weights = np.array([math.exp(-away / self._time_constant_s) for away, _ in kept])
        return np.asarray(weights @ np.array([answer for _, answer in kept]) / weights.sum(), np.float64)

    def _give_out(self) -> tuple[_T, FrameResult]:
        held = self._held.popleft()
        self._smooth(held)
        faces = tuple(self._face(face, held) for face in held.result)
        self._forget(held.time_s)
        return held.item, replace(held.result, faces=faces)

    def _face(self, face: Face, held: _Held[_T]) -> Face:
        if face.track is None or held.smoothed is None:
            return face
        key = held.key(face.track)
        averages = self._averages[key]
        while averages[0][0] < held.time_s:
            averages.popleft()
        emotion = self._decide(key, held.time_s)
        self._shown[key] = held.time_s, emotion
        smoothed = by_emotion(held.smoothed[face.track])
        return replace(
            with_smoothed(face, smoothed, emotion, self._uncertain_below), confirmed=self._is_confirmed(face.track)
        )

    def _decide(self, key: _Key, time_s: float) -> Emotion:
        """The label to show: the likeliest emotion, or the one before if that lead will not last."""
        averages = self._averages[key]
        likeliest = _ORDER[int(averages[0][1].argmax())]
        last_s, shown = self._shown.get(key, (-math.inf, likeliest))
        if not self._time_constant_s:
            return likeliest
        ahead = sum(average for at, average in averages if at <= time_s + DECIDE_AHEAD_S)
        if time_s - last_s >= KEEP_S:
            # Somebody appears: no label was shown that could stay.
            return _ORDER[int(np.argmax(ahead))]
        return likeliest if np.asarray(ahead)[likeliest.number] > np.asarray(ahead)[shown.number] else shown

    def _rename(self, old: int, new: int) -> None:
        for held in self._held:
            tracks = {face.track for face in held.result}
            if old in tracks and new not in tracks:
                faces = tuple(replace(face, track=new) if face.track == old else face for face in held.result)
                held.result = replace(held.result, faces=faces)
                if held.smoothed is not None:
                    held.smoothed[new] = held.smoothed.pop(old)
        for series in (self._answers, self._averages):
            for key in [key for key in series if key[1] == old]:
                both = [*series.pop(key), *series.pop((key[0], new), ())]
                series[key[0], new] = deque(sorted(both, key=lambda pair: pair[0]))
        for key in [key for key in self._shown if key[1] == old]:
            shown = self._shown.pop(key)
            self._shown[key[0], new] = max(shown, self._shown.get((key[0], new), shown), key=lambda pair: pair[0])

    def _forget(self, time_s: float) -> None:
        """Let go of tracks that were not seen for long."""
        for key in [key for key, (last_s, _) in self._shown.items() if time_s - last_s > KEEP_S]:
            waiting = self._answers.get(key)
            if not waiting or waiting[-1][0] < time_s - SMOOTH_AHEAD_S:
                del self._shown[key]
                self._answers.pop(key, None)
                self._averages.pop(key, None)
