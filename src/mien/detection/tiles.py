"""Large pictures are searched in overlapping tiles, and what several looks found is merged."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np

Box: TypeAlias = "tuple[float, ...]"
"""Left, top, width and height."""
Candidate: TypeAlias = "tuple[Box, float]"
"""A box and its score."""

TILE_SIDE = 1280
"""Pixels that are searched at a time: memory stays small, and the processor's caches are used well."""
OVERLAP = 192
"""What neighboring tiles share: a face no larger than this is whole in one of them."""
_MARGIN = 2.0
_MAX_COVERED = 0.4
_MAX_STEP = 6.4


def levels(long_side: int, first: int) -> list[int]:
    """The long sides at which a picture is searched, the coarsest first.

    Large faces are found at the coarse end and small ones at the fine end, so that every face is looked at with a size
    that suits the network. Steps are small enough for both ends to overlap.

    Args:
        long_side: The finest, in pixels.
        first: The coarsest.
    """
    steps = max(1, math.ceil(math.log(long_side / first) / math.log(_MAX_STEP)))
    return [round(first * (long_side / first) ** (step / steps)) for step in range(steps + 1)]


def tiles(width: int, height: int) -> Iterator[tuple[int, int, int, int]]:
    """Overlapping tiles that cover a picture, as left, top, right and bottom."""
    for top, bottom in _spans(height):
        for left, right in _spans(width):
            yield left, top, right, bottom


def _spans(length: int) -> list[tuple[int, int]]:
    if length <= TILE_SIDE:
        return [(0, length)]
    count = math.ceil((length - OVERLAP) / (TILE_SIDE - OVERLAP))
    step = (length - TILE_SIDE) / (count - 1)
    return [(round(k * step), round(k * step) + TILE_SIDE) for k in range(count)]


def is_whole(box: Box, tile: tuple[int, int, int, int], width: int, height: int) -> bool:
    """Whether a tile of a picture of the given size shows the whole of a box, and no other need show it better."""
    left, top, right, bottom = tile
    if tile == (0, 0, width, height):
        return True
    return max(box[2:]) <= OVERLAP and not (
        (left > 0 and box[0] < left + _MARGIN)
        or (top > 0 and box[1] < top + _MARGIN)
        or (right < width and box[0] + box[2] > right - _MARGIN)
        or (bottom < height and box[1] + box[3] > bottom - _MARGIN)
    )


def merge(kept: Sequence[Candidate], found: Sequence[Candidate]) -> list[Candidate]:
    """Add to the faces of earlier looks those of a later one that are not among them, best score first.

    What was kept stays as it is. A face that shares two fifths of the smaller box with one that is kept is the same
    face, or part of it.
    """
    merged = list(kept)
    for box, score in sorted(found, key=lambda one: -one[1]):
        if all(_covered(box, other) < _MAX_COVERED for other, _ in merged):
            merged.append((box, score))
    return sorted(merged, key=lambda one: -one[1])


def beside(boxes: Sequence[Box], known: Sequence[Candidate]) -> list[Box]:
    """Those boxes that `merge` would not take for one of the known faces."""
    if not boxes or not known:
        return list(boxes)
    a, b = np.array(boxes)[:, None], np.array([box for box, _ in known])[None]
    shared = np.minimum(a[..., :2] + a[..., 2:], b[..., :2] + b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    covered = shared.clip(0).prod(axis=-1) / np.minimum(a[..., 2:].prod(axis=-1), b[..., 2:].prod(axis=-1))
    return [box for box, free in zip(boxes, (covered < _MAX_COVERED).all(axis=1), strict=True) if free]


def is_same(a: Box, b: Box) -> bool:
    """Whether two boxes are of one face: their intersection over union is above 0.3."""
    return overlap(a, b) > 0.3


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, 0..1."""
    both = _covered(a, b) * min(a[2] * a[3], b[2] * b[3])
    return both / (a[2] * a[3] + b[2] * b[3] - both)


def _covered(a: Box, b: Box) -> float:
    """Intersection over the smaller box."""
    across = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    down = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(0.0, across) * max(0.0, down) / min(a[2] * a[3], b[2] * b[3])
