"""Where people are between two frames that were searched, so that not every frame of a file has to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

from mien.detection.base import DetectedFace
from mien.detection.tiles import overlap

_Pair: TypeAlias = "tuple[float, float]"

SEARCH_S = 0.13
"""Seconds between two searches, at most. Over a tenth of a second a line misses a face by less than the detector's own
jitter (`python benchmarks/search_between.py`)."""

# The face of one search that overlaps with one of another by this share of both together is the same; whoever overlaps
# with somebody else by more than the second is too close to be sure.
_SAME, _NEAR = 0.5, 0.02


def pair(before: Sequence[DetectedFace], after: Sequence[DetectedFace]) -> list[int] | None:
    """Which faces of two searches are the same.

    Args:
        before: What the first found.
        after: What the second found, a moment later.

    Returns:
        For each face of the first its index in the second; None where that is not plain: somebody came, left, moved
        fast, or is close to somebody else.
    """
    if len(before) != len(after):
        return None
    pairs = []
    for face in before:
        near = [index for index, other in enumerate(after) if overlap(face.box, other.box) > _NEAR]
        if len(near) != 1 or overlap(face.box, after[near[0]].box) < _SAME:
            return None
        pairs.append(near[0])
    return pairs if len(set(pairs)) == len(pairs) else None


def between(before: DetectedFace, after: DetectedFace, share: float) -> DetectedFace:
    """A face on the way from one place to the next: box and landmarks on straight lines.

    Args:
        before: The face at the first place.
        after: At the second.
        share: How far on the way it is, 0..1.
    """
    left, top, width, height = (one + share * (other - one) for one, other in zip(before.box, after.box, strict=True))
    landmarks = None
    if before.landmarks is not None and after.landmarks is not None:
        first, second, third, fourth, fifth = (
            _point(one, other, share) for one, other in zip(before.landmarks, after.landmarks, strict=True)
        )
        landmarks = (first, second, third, fourth, fifth)
    score = before.score + share * (after.score - before.score)
    return replace(before, box=(left, top, width, height), score=score, landmarks=landmarks)


def _point(one: _Pair, other: _Pair, share: float) -> _Pair:
    return one[0] + share * (other[0] - one[0]), one[1] + share * (other[1] - one[1])
