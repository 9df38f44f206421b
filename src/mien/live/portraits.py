"""The best look at each person."""

from __future__ import annotations

import cv2
import numpy as np

from mien.detection.base import Frame
from mien.results import Face, FrameResult

_SIDE = 96
# A new picture is taken only when it is this much better, to spare the work.
_BETTER = 1.3


class Portraits:
    """Keeps a small picture of each person, from the frame that shows the face best.

    Attributes:
        pictures: By id of the person, as JPEG.
    """

    def __init__(self) -> None:
        self.pictures: dict[int, bytes] = {}
        self._merits: dict[int, float] = {}

    def add(self, frame: Frame, result: FrameResult) -> None:
        """Take in a frame, uint8 (H, W, 3) BGR, and what was found in it."""
        for face in result:
            merit = face.area / (1 + len(face.quality))
            if face.track is not None and merit > _BETTER * self._merits.get(face.track, 0.0):
                self._merits[face.track] = merit
                self.pictures[face.track] = portrait(frame, face)


def portrait(frame: Frame, face: Face) -> bytes:
    """A small square picture of a face, as JPEG.

    Args:
        frame: uint8 (H, W, 3) BGR.
        face: A face in it.
    """
    left, top, width, height = face.box
    side = max(width, height)
    x, y = max(0, left + (width - side) // 2), max(0, top + (height - side) // 2)
    small = cv2.resize(frame[y : y + side, x : x + side], (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".jpg", np.asarray(small))[1].tobytes())
