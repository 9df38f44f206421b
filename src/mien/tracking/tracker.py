"""Which face of a frame is which person of the frame before."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mien.detection.base import DetectedFace
from mien.tracking.assignment import assign

KEEP_S = 1.5
"""Seconds for which a face that is not seen keeps its id. Longer bridges longer gaps, and takes a newcomer for
the one who left more often."""

# A face may lie this far from where it was expected, in face sizes: detectors jitter by the first figure, heads move
# by the second per second, and beyond the third it is someone else.
_JITTER, _SPEED, _FARTHEST = 0.4, 6.0, 1.5
# The same face does not grow or shrink by more than this factor between two sights of it.
_GROWTH = 2.0
# What being out of sight adds to the cost of a match (0..1), so that whoever is in sight is matched first.
_LOST = 0.3
# Seconds over which velocity is averaged, and over which a face out of sight comes to rest.
_VELOCITY_S, _COAST_S = 0.15, 0.5


@dataclass(slots=True)
class _Track:
    number: int
    face: DetectedFace
    seen_s: float
    velocity: tuple[float, float] = (0.0, 0.0)

    def moved(self, time_s: float) -> tuple[float, float]:
        """How far the face has probably moved since it was seen, in pixels: it coasts to a halt."""
        coast = _COAST_S * -math.expm1(-(time_s - self.seen_s) / _COAST_S)
        return self.velocity[0] * coast, self.velocity[1] * coast

    def see(self, face: DetectedFace, time_s: float) -> None:
        elapsed = time_s - self.seen_s
        if elapsed > 0:
            share = -math.expm1(-elapsed / _VELOCITY_S)
            old, new = _center(self.face), _center(face)
            speed = ((new[0] - old[0]) / elapsed, (new[1] - old[1]) / elapsed)
            self.velocity = (
                self.velocity[0] + share * (speed[0] - self.velocity[0]),
                self.velocity[1] + share * (speed[1] - self.velocity[1]),
            )
        self.face, self.seen_s = face, time_s


class FaceTracker:
    """Gives every person an id and keeps it while they are in sight, and for `KEEP_S` after.

    Faces are matched by place and size alone, with the motion of each extrapolated: the cheapest assignment of the
    faces to where they are expected. Nothing is known of what people look like, so somebody who comes back later,
    or elsewhere, is a new person. Ids count from 1 per tracker and are never used twice.
    """

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._next = 1
        self._now = -math.inf

    @property
    def alive(self) -> frozenset[int]:
        """Ids that may still be given to a face: those in sight and those lost a moment ago."""
        return frozenset(track.number for track in self._tracks)

    def update(self, faces: Sequence[DetectedFace], time_s: float) -> list[tuple[int, DetectedFace]]:
        """Say who the faces of the next frame are.

        Args:
            faces: What the detector found.
            time_s: Time of the frame in seconds. Where it runs backwards a new scene begins.

        Returns:
            The same faces in the same order, each with its id.
        """
        if time_s < self._now:
            self.forget()
        last, self._now = self._now, time_s
        numbers: dict[int, int] = {}
        costs = np.array(
            [[_cost(track, face, time_s, track.seen_s < last) for face in faces] for track in self._tracks]
        )
        for row, column in assign(costs) if costs.size else []:
            if costs[row, column] < 1:
                self._tracks[row].see(faces[column], time_s)
                numbers[column] = self._tracks[row].number
        self._tracks = [track for track in self._tracks if time_s - track.seen_s < KEEP_S]
        for column, face in enumerate(faces):
            if column not in numbers:
                numbers[column] = self._next
                self._tracks.append(_Track(self._next, face, time_s))
                self._next += 1
        return [(numbers[column], face) for column, face in enumerate(faces)]

    def predict(self, time_s: float) -> list[tuple[int, DetectedFace]]:
        """Where the faces of the last update probably are a little later, for frames without detection.

        Args:
            time_s: Time of the frame in seconds, not before that of the last update.

        Returns:
            The faces of the last update, moved, each with its id.
        """
        return [
            (track.number, _shift(track.face, *track.moved(time_s)))
            for track in self._tracks
            if track.seen_s == self._now
        ]

    def forget(self) -> None:
        """Begin a new scene: nobody seen so far is known any more."""
        self._tracks = []
        self._now = -math.inf


def _cost(track: _Track, face: DetectedFace, time_s: float, lost: bool) -> float:
    """0 where face and expectation coincide; 1, the cost of no match, beyond what one face can do."""
    size, track_size = _size(face), _size(track.face)
    (x, y), (dx, dy), (track_x, track_y) = _center(face), track.moved(time_s), _center(track.face)
    distance = math.hypot(x - track_x - dx, y - track_y - dy)
    if lost:
        # Whoever walks out of the picture, or turns away, mostly comes back where they were seen last.
        distance = min(distance, math.hypot(x - track_x, y - track_y))
    distance /= math.sqrt(size * track_size)
    if distance > min(_JITTER + _SPEED * (time_s - track.seen_s), _FARTHEST):
        return 1.0
    growth = abs(math.log(size / track_size)) / math.log(_GROWTH)
    return min(1.0, math.hypot(distance / _FARTHEST, growth) + _LOST * lost)


def _center(face: DetectedFace) -> tuple[float, float]:
    left, top, width, height = face.box
    return left + width / 2, top + height / 2


def _size(face: DetectedFace) -> float:
    """Side in pixels of the square with the area of the box."""
    return math.sqrt(max(1e-6, face.box[2] * face.box[3]))


def _shift(face: DetectedFace, dx: float, dy: float) -> DetectedFace:
    left, top, width, height = face.box
    # Landmarks are found anew in each frame.
    return replace(face, box=(left + dx, top + dy, width, height), landmarks=None)
