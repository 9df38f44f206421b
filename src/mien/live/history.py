"""What every person showed during the last half minute."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mien.emotions import Emotion
from mien.results import Face, FrameResult

SPAN_S = 30.0
"""Seconds that are kept."""

# A face that is missed for less is shown as seen throughout.
_BRIDGED_S = 0.5


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who was seen.

    Attributes:
        track: Id of the track.
        face: The face when it was last seen.
        away_s: Seconds since then; 0.0 while in sight.
    """

    track: int
    face: Face
    away_s: float


class History:
    """Keeps `SPAN_S` seconds of every person; memory is bounded by that. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._samples: dict[int, deque[tuple[float, NDArray[np.float32]]]] = {}
        self._faces: dict[int, Face] = {}
        self._now_s = 0.0

    def add(self, result: FrameResult) -> None:
        """Take in a frame; where time runs backwards everything before is forgotten."""
        with self._lock:
            now_s = result.time_s or 0.0
            if now_s < self._now_s:
                self._samples.clear()
                self._faces.clear()
            self._now_s = now_s
            for face in result.faces:
                if face.track is not None:
                    probabilities = np.array([shown(face)[emotion] for emotion in Emotion], np.float32)
                    self._samples.setdefault(face.track, deque()).append((now_s, probabilities))
                    self._faces[face.track] = face
            self._forget()

    def people(self) -> list[Person]:
        """Everybody seen in the last `SPAN_S` seconds: those in sight first, each group by id."""
        with self._lock:
            people = [
                Person(track, self._faces[track], self._now_s - samples[-1][0])
                for track, samples in self._samples.items()
            ]
        return sorted(people, key=lambda person: (person.away_s > 0, person.track))

    def columns(self, track: int, count: int) -> NDArray[np.float32]:
        """The probabilities of a person over the last `SPAN_S` seconds.

        Args:
            track: Id of the person.
            count: Number of equal stretches of time to average over, the last of them ending now.

        Returns:
            float32 (count, 7), oldest first; NaN where the person was not seen.
        """
        with self._lock:
            samples, now_s = list(self._samples.get(track, ())), self._now_s
        sums, numbers = np.zeros((count, len(Emotion)), np.float32), np.zeros(count, np.int64)
        # Stretches begin at multiples of their length, so that the picture scrolls instead of flickering.
        step = SPAN_S / count
        last = int(now_s / step)
        for time_s, probabilities in samples:
            column = int(time_s / step) - last + count - 1
            if column >= 0:
                sums[column] += probabilities
                numbers[column] += 1
        with np.errstate(invalid="ignore"):
            averages = np.asarray(sums / numbers[:, None], np.float32)
        return _bridge(averages, longest=round(_BRIDGED_S / step))

    def _forget(self) -> None:
        oldest = self._now_s - SPAN_S
        for track, samples in list(self._samples.items()):
            while samples and samples[0][0] < oldest:
                samples.popleft()
            if not samples:
                del self._samples[track], self._faces[track]


def shown(face: Face) -> dict[Emotion, float]:
    """The probabilities to show: smoothed where there are such."""
    return dict(face.smoothed or face.probabilities)


def _bridge(columns: NDArray[np.float32], longest: int) -> NDArray[np.float32]:
    """Fill gaps of up to so many stretches, which come from frames farther apart than a stretch is long."""
    seen = np.flatnonzero(~np.isnan(columns[:, 0]))
    for before, after in pairwise(seen):
        if 1 < after - before <= longest + 1:
            columns[before + 1 : after] = columns[before]
    return columns
