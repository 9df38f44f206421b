"""Photos that lie on their side or stand on their head, without a tag that says so.

The aligner's network tells upright faces from others. Where it is sure of what was found, nothing more is done. Where
not, it is shown the same faces turned, and only where that speaks for a turn, or where nothing was found, the whole
photo is searched turned, small. It is taken as turned if faces are clearly better seen that way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np

from mien.detection.base import DetectedFace, Frame, TurnAligner
from mien.results import Landmarks, Point

# Faces that are this sure to be upright are not looked at again: score of the detector times that of the aligner.
_SURE = 0.9
# What a turn must gain, in the same unit, summed over the faces. Upright web photos gain less than 0.02.
_GAIN = 0.05
# The best faces are asked, no more.
_MOST = 4

# Long sides at which a photo is searched turned, in pixels: the second one where the first shows no face.
_SIDES = (640, 1280)

_CODES = {1: cv2.ROTATE_90_CLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_COUNTERCLOCKWISE}

Search = Callable[[Frame], list[DetectedFace]]
"""Finds and aligns faces."""


def turned(frame: Frame, quarters: int) -> Frame:
    """A frame turned clockwise by so many times 90 degrees, 0..3."""
    return frame if not quarters else np.asarray(cv2.rotate(frame, _CODES[quarters]), np.uint8)


def turned_back(face: DetectedFace, quarters: int, width: int, height: int) -> DetectedFace:
    """A face of a turned frame, in the frame as it was.

    Args:
        face: The face.
        quarters: How far the frame was turned.
        width: Width in pixels of the frame as it was.
        height: Its height.
    """

    def back(x: float, y: float) -> Point:
        return {0: (x, y), 1: (y, height - x), 2: (width - x, height - y), 3: (width - y, x)}[quarters]

    left, top, across, down = face.box
    x, y = back(left + across / 2, top + down / 2)
    if quarters % 2:
        across, down = down, across
    points: Landmarks | None = None
    if face.landmarks is not None:
        one, two, three, four, five = (back(*point) for point in face.landmarks)
        points = one, two, three, four, five
    return replace(face, box=(x - across / 2, y - down / 2, across, down), landmarks=points)


def quarters_to_upright(frame: Frame, found: Sequence[DetectedFace], aligner: TurnAligner, look: Search) -> int:
    """By how many quarter turns clockwise a photo is to be turned, 0..3.

    Args:
        frame: The photo.
        found: The faces that were found in it as it is.
        aligner: What aligned them.
        look: A quick search of a whole frame.
    """
    best = sorted(found, key=lambda face: -face.score)[:_MOST]
    if best and _certainty(best) >= _SURE * len(best):
        return 0
    if best:
        as_is = sum(face.upright or 0.0 for face in best)
        if aligner.upright_when_turned(frame, best).sum(axis=1).max() <= as_is:
            return 0
    for side in _SIDES:
        small = _shrink(frame, side)
        certain = [_certainty(look(turned(small, quarters))) for quarters in range(4)]
        if max(certain) > 0:
            leading = int(np.argmax(certain))
            return leading if certain[leading] > max(certain[0], _certainty(best)) + _GAIN else 0
        if max(frame.shape[:2]) <= side:
            break
    return 0


def _certainty(faces: Sequence[DetectedFace]) -> float:
    return sum(face.score * (face.upright or 0.0) for face in faces)


def _shrink(frame: Frame, side: int) -> Frame:
    scale = side / max(frame.shape[:2])
    if scale >= 1:
        return frame
    size = max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale))
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)
