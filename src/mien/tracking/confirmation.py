"""Which tracks are people: those seen long and well enough."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

from mien.results import Face

CONFIRM_S = 0.5
"""Seconds for which a face must have been seen well, all sights together."""

# Seen well: the detector is this certain, the likeliest emotion at least this likely (a hand or a smudge is answered
# with seven emotions alike), and it is not dark.
_SCORE, _CONFIDENCE, _HINDERED = 0.78, 0.3, {"dark"}
# Of a step between two frames no more than this many seconds count.
_LONGEST_STEP_S = 0.5


class Confirmation:
    """Adds up for how long each track was seen well."""

    def __init__(self) -> None:
        self._seconds: dict[int, float] = {}
        self._time_s = math.inf
        self._confirmed: set[int] = set()

    def update(self, faces: Iterable[Face], time_s: float) -> None:
        """Take in the faces of the next frame; each counts for the time since the frame before, except at first."""
        step_s = min(max(time_s - self._time_s, 0.0), _LONGEST_STEP_S)
        self._time_s = time_s
        for face in faces:
            if face.track is None or face.track in self._confirmed or not _is_clear(face):
                continue
            self._seconds[face.track] = self._seconds.get(face.track, -step_s) + step_s
            if self._seconds[face.track] >= CONFIRM_S - 1e-9:
                self._confirmed.add(face.track)

    def close(self, faces: Iterable[Face]) -> None:
        """The video ends with these faces: those seen well are people, for all that could be seen of them."""
        self._confirmed.update(face.track for face in faces if face.track is not None and _is_clear(face))

    def is_confirmed(self, track: int) -> bool:
        """Whether a track is a person."""
        return track in self._confirmed

    def rename(self, old: int, new: int) -> None:
        """What was seen of one track was another one's."""
        self._seconds[new] = self._seconds.get(new, 0.0) + self._seconds.pop(old, 0.0)
        if old in self._confirmed:
            self._confirmed.add(new)

    def keep(self, tracks: Collection[int]) -> None:
        """Forget the times of tracks that are neither confirmed nor among these."""
        self._seconds = {track: seconds for track, seconds in self._seconds.items() if track in tracks}


def _is_clear(face: Face) -> bool:
    return (
        face.score >= _SCORE
        and max(face.probabilities.values()) >= _CONFIDENCE
        and not _HINDERED.intersection(face.quality)
    )
