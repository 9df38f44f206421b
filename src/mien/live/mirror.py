"""A live picture as people know themselves: as in a mirror."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mien.detection.base import Frame
from mien.results import FrameResult


def mirror(frame: Frame, result: FrameResult) -> tuple[Frame, FrameResult]:
    """A frame, uint8 (H, W, 3), and the boxes in it, left and right exchanged, to be drawn and shown."""
    width = frame.shape[1]
    faces = (replace(face, box=(width - face.box[0] - face.box[2], *face.box[1:])) for face in result.faces)
    return np.ascontiguousarray(frame[:, ::-1]), replace(result, faces=tuple(faces))
