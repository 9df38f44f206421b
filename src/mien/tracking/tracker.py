"""Which face of a frame is which person of the frame before."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mien.detection.base import DetectedFace
from mien.tracking.appearance import DIFFERENT, SAME_PLACE, Descriptor, Gallery
from mien.tracking.assignment import assign

KEEP_S = 1.5
"""Seconds for which a face that is not seen keeps its place. Longer bridges longer gaps, and takes a newcomer for
the one who left more often."""

# A face may lie this far from where it was expected, in face sizes: detectors jitter by the first figure, heads move
# by the second per second, and beyond the third it is someone else.
_JITTER, _SPEED, _FARTHEST = 0.4, 6.0, 1.5
# The same face does not grow or shrink by more than this factor between two sights of it.
_GROWTH = 2.0
# What being out of sight adds to the cost of a match (0..1), so that people in sight are matched first.
_LOST = 0.3
# Seconds over which velocity is averaged, and over which a face out of sight comes to rest.
_VELOCITY_S, _COAST_S = 0.15, 0.5

# Seconds between two looks at a person whom nothing hides.
_LOOK_S = 0.3
# Seconds for which a newcomer may yet turn out to be a known person: the first looks may be blurred or half hidden.
_NEW_S = 0.6
# Seconds in sight after which a person is worth remembering.
_REMEMBER_S = 0.3
# Faces that cover each other by more than this share of the smaller one may be mixed up: their looks count too.
_COVERED = 0.15
# What looking unlike adds to the cost of a match between faces that cover each other.
_UNLIKE = 6.0


@dataclass(slots=True)
class _Track:
    number: int
    face: DetectedFace
    seen_s: float
    began_s: float
    looked_s: float = -math.inf
    is_known: bool = False
    velocity: tuple[float, float] = (0.0, 0.0)

    def moved(self, time_s: float) -> tuple[float, float]:
        """How far the face has probably moved since it was seen, in pixels: it coasts to a halt."""
        coast = _COAST_S * -math.expm1(-(time_s - self.seen_s) / _COAST_S)
        return self.velocity[0] * coast, self.velocity[1] * coast

    def expected(self, time_s: float) -> DetectedFace:
        """The face where it probably is."""
        return _shift(self.face, *self.moved(time_s))

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


class _Looks:
    """The looks of the faces of one frame, each taken when it is first asked for."""

    def __init__(self, faces: Sequence[DetectedFace], look: Callable[[DetectedFace], Descriptor | None]) -> None:
        self._faces, self._look = faces, look
        self._taken: dict[int, Descriptor | None] = {}

    def __getitem__(self, index: int) -> Descriptor | None:
        if index not in self._taken:
            self._taken[index] = self._look(self._faces[index])
        return self._taken[index]


class FaceTracker:
    """Gives every person a number and keeps it.

    Faces are matched by place and size, with the motion of each extrapolated: the cheapest assignment of the faces to
    where they are expected. Where looks are given, they decide between faces that cover each other, and people who come
    back, to another place or after a cut, get the number they had. Without looks a person who comes back after
    `KEEP_S` is a new person. Numbers count from 1 per tracker.
    """

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._gallery = Gallery()
        self._next = 1
        self._now = -math.inf
        self._renamed: list[tuple[int, int]] = []

    @property
    def alive(self) -> frozenset[int]:
        """Numbers of those in sight and those lost a moment ago."""
        return frozenset(track.number for track in self._tracks)

    @property
    def _in_sight(self) -> frozenset[int]:
        return frozenset(track.number for track in self._tracks if track.seen_s == self._now)

    def expected(self, time_s: float) -> list[DetectedFace]:
        """Where those in sight a moment ago, and those lost since, probably are."""
        return [track.expected(time_s) for track in self._tracks]

    @property
    def lost(self) -> bool:
        """Whether a person is out of sight who may come back to the same place."""
        return any(track.seen_s < self._now for track in self._tracks)

    def update(
        self,
        faces: Sequence[DetectedFace],
        time_s: float,
        look: Callable[[DetectedFace], Descriptor | None] | None = None,
    ) -> list[tuple[int, DetectedFace]]:
        """Say who the faces of the next frame are.

        Args:
            faces: What the detector found.
            time_s: Time of the frame in seconds. Where it runs backwards a new video begins.
            look: Takes the look of a face of the frame; None tells people by place alone.

        Returns:
            The same faces in the same order, each with the number of the person.
        """
        if time_s < self._now:
            self.forget()
        last, self._now = self._now, time_s
        looks = None if look is None else _Looks(faces, look)
        covered = _covered(faces)
        numbers = self._match(faces, time_s, last, looks, covered)
        self._tracks = [track for track in self._tracks if time_s - track.seen_s < KEEP_S]
        for column, face in enumerate(faces):
            if column not in numbers:
                numbers[column] = self._begin(face, time_s, None if looks is None else looks[column])
        if looks is not None:
            self._look(numbers, looks, covered, time_s)
        return [(numbers[column], face) for column, face in enumerate(faces)]

    def _match(
        self,
        faces: Sequence[DetectedFace],
        time_s: float,
        last_s: float,
        looks: _Looks | None,
        covered: NDArray[np.bool_],
    ) -> dict[int, int]:
        costs = np.array(
            [[_cost(track, face, time_s, track.seen_s < last_s) for face in faces] for track in self._tracks]
        )
        if not costs.size:
            return {}
        if looks is not None:
            self._add_unlikeness(costs, last_s, looks)
        numbers: dict[int, int] = {}
        for row, column in assign(costs):
            if costs[row, column] < 1:
                self._tracks[row].see(faces[column], time_s)
                numbers[column] = self._tracks[row].number
        return numbers

    def _add_unlikeness(self, costs: NDArray[np.float64], last_s: float, looks: _Looks) -> None:
        """Make looks count where place alone may mix people up: several possible, or out of sight before."""
        possible = costs < 1
        for row, track in enumerate(self._tracks):
            is_lost = track.seen_s < last_s
            for column in np.flatnonzero(possible[row]):
                if not is_lost and possible[row].sum() == 1 and possible[:, column].sum() == 1:
                    continue
                look = looks[int(column)]
                likeness = None if look is None else self._gallery.likeness(track.number, look)
                if likeness is None:
                    continue
                costs[row, column] += _UNLIKE * max(0.0, SAME_PLACE - likeness)
                if is_lost and likeness < DIFFERENT:
                    costs[row, column] = 1.0
        np.minimum(costs, 1.0, out=costs)

    def _begin(self, face: DetectedFace, time_s: float, look: Descriptor | None) -> int:
        number = None if look is None else self._gallery.find(look, self._in_sight)
        is_known = number is not None
        self._tracks = [track for track in self._tracks if track.number != number]
        if number is None:
            number, self._next = self._next, self._next + 1
        self._tracks.append(_Track(number, face, time_s, time_s, is_known=is_known))
        return number

    def _look(self, numbers: dict[int, int], looks: _Looks, covered: NDArray[np.bool_], time_s: float) -> None:
        """Look at whom nothing hides: learn how they look, and find out whether a newcomer is a known person."""
        tracks = {track.number: track for track in self._tracks}
        for column, number in numbers.items():
            track = tracks[number]
            age_s = time_s - track.began_s
            is_new = not track.is_known and 0 < age_s <= _NEW_S
            is_due = time_s - track.looked_s >= _LOOK_S and (track.is_known or age_s >= _REMEMBER_S)
            look = looks[column] if (is_new or is_due) and not covered[column] else None
            if look is None:
                continue
            if is_new:
                # A person seen next to the newcomer is someone else.
                beside = {other.number for other in self._tracks if other.seen_s >= track.began_s}
                known = self._gallery.find(look, beside)
                if known is not None:
                    self._tracks = [other for other in self._tracks if other.number != known]
                    self._renamed.append((track.number, known))
                    numbers[column] = track.number = known
                    track.is_known = True
            if is_due:
                self._gallery.see(track.number, look, time_s)
                track.looked_s = time_s

    def renamed(self) -> tuple[tuple[int, int], ...]:
        """Newcomers that turned out to be known people since this was last asked: the number they had, and theirs."""
        renamed, self._renamed = tuple(self._renamed), []
        return renamed

    def predict(self, time_s: float) -> list[tuple[int, DetectedFace]]:
        """Where the faces of the last update probably are a little later, for frames without detection.

        Args:
            time_s: Time of the frame in seconds, not before that of the last update.

        Returns:
            The faces of the last update, moved, each with the number of the person.
        """
        return [(track.number, track.expected(time_s)) for track in self._tracks if track.seen_s == self._now]

    def cut(self) -> None:
        """Begin a new shot: no one is where they were; who looks as before is known again."""
        self._tracks = []

    def forget(self) -> None:
        """Begin a new video: no one seen so far is known any more."""
        self.cut()
        self._gallery.forget()
        self._now = -math.inf


def _covered(faces: Sequence[DetectedFace]) -> NDArray[np.bool_]:
    """Which faces overlap with another, bool (N,)."""
    covered = np.zeros(len(faces), bool)
    for i, one in enumerate(faces):
        for j in range(i):
            if _overlap(one.box, faces[j].box) > _COVERED:
                covered[i] = covered[j] = True
    return covered


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    """The share of the smaller of two boxes that lies in the other."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    return max(0.0, width) * max(0.0, height) / max(1e-6, min(one[2] * one[3], other[2] * other[3]))


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
    # Landmarks are found again in each frame.
    return replace(face, box=(left + dx, top + dy, width, height), landmarks=None)
