"""What every person showed during the last half minute."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.emotions import Emotion
from mien.live.strips import average_columns
from mien.results import Face, FrameResult

SPAN_S = 30.0
"""Seconds that are kept."""


@dataclass(frozen=True, slots=True)
class Person:
    """A person who was seen.

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
        """Everyone seen in the last `SPAN_S` seconds: those in sight first, each group by id."""
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
        # Stretches begin at multiples of their length, so that the picture scrolls instead of flickering.
        step = SPAN_S / count
        start_s = (int(now_s / step) - count + 1) * step
        times = [time_s for time_s, _ in samples]
        return average_columns(times, [probabilities for _, probabilities in samples], start_s, step, count)

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
