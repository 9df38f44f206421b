"""Looking for faces where they are expected, which is quicker than looking everywhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

import cv2
import numpy as np

from mien.detection.base import DetectedFace, FaceDetector, Frame, TwoLookDetector
from mien.detection.yunet import MAX_SIDE

_Box: TypeAlias = "tuple[int, int, int, int]"
"""Left, top, right and bottom in whole pixels."""

# Side of the square searched around a face, in sizes of the face, and the size at which the face is shown to the
# detector: it sees faces of 10 to 300 pixels, and a larger picture costs more.
_AROUND, _FACE_SIDE = 2.5, 64
# Where the squares, so shown, have more than this share of the frame's pixels, it is searched as quickly.
_WORTH = 0.5


def search_near(detector: FaceDetector, frame: Frame, expected: Sequence[DetectedFace]) -> list[DetectedFace] | None:
    """Look for faces around where they are expected.

    Args:
        detector: Finds faces.
        frame: uint8 (H, W, 3) BGR.
        expected: Where they probably are.

    Returns:
        The faces found, best score first; None where it is not certain that these are all: fewer than expected, or
        too many to be quicker this way.
    """
    height, width = frame.shape[:2]
    regions = _merge([_around(face, width, height) for face in expected])
    if not expected:
        return None
    largest = max(max(face.box[2:]) for face in expected)
    scale = min(1.0, _FACE_SIDE / max(1.0, largest))
    area = scale**2 * sum((right - left) * (bottom - top) for left, top, right, bottom in regions)
    whole = width * height * min(1.0, MAX_SIDE / max(width, height)) ** 2
    if area > _WORTH * whole:
        return None
    found = [face for region in regions for face in _detect(detector, frame, region, scale)]
    found.sort(key=lambda face: -face.score)
    return found if len(found) >= len(expected) else None


def _around(face: DetectedFace, width: int, height: int) -> _Box:
    left, top, box_width, box_height = face.box
    reach = _AROUND / 2 * max(box_width, box_height)
    x, y = left + box_width / 2, top + box_height / 2
    return (
        min(max(0, math.floor(x - reach)), width - 1),
        min(max(0, math.floor(y - reach)), height - 1),
        max(1, min(width, math.ceil(x + reach))),
        max(1, min(height, math.ceil(y + reach))),
    )


def _merge(regions: Sequence[_Box]) -> list[_Box]:
    """Regions that overlap become one around both, so that no face is found twice or cut in two."""
    merged: list[_Box] = []
    for one in regions:
        region = one
        while True:
            touching = [other for other in merged if _touch(region, other)]
            if not touching:
                break
            merged = [other for other in merged if other not in touching]
            edges = list(zip(region, *touching, strict=True))
            region = min(edges[0]), min(edges[1]), max(edges[2]), max(edges[3])
        merged.append(region)
    return merged


def _touch(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _detect(detector: FaceDetector, frame: Frame, region: _Box, scale: float) -> list[DetectedFace]:
    left, top, right, bottom = region
    part = frame[top:bottom, left:right]
    size = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
    shown = part if scale == 1.0 else np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    detect = detector.detect_quickly if isinstance(detector, TwoLookDetector) else detector.detect
    x_scale, y_scale = (right - left) / shown.shape[1], (bottom - top) / shown.shape[0]
    return [
        replace(face, box=(left + x * x_scale, top + y * y_scale, width * x_scale, height * y_scale))
        for face in detect(np.ascontiguousarray(shown))
        for x, y, width, height in [face.box]
    ]
