"""What a face detector is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]
"""A picture as uint8 (H, W, 3), channels in the order blue, green, red."""


@dataclass(frozen=True, slots=True)
class DetectedFace:
    """Where a detector saw a face.

    Attributes:
        box: Left, top, width and height in pixels of the frame. May reach past the edges of the frame.
        score: The detector's certainty that this is a face, 0..1; 1.0 from detectors that give none.
        landmarks: Five points (x, y) in pixels of the frame, from the viewer's left to right: the two eyes, the tip
            of the nose, the two corners of the mouth. None from detectors that give none.
    """

    box: tuple[float, float, float, float]
    score: float
    landmarks: tuple[tuple[float, float], ...] | None = None


class FaceDetector(Protocol):
    """Anything that finds faces in a frame."""

    def detect(self, frame: Frame) -> list[DetectedFace]:
        """Find the faces of a frame.

        Args:
            frame: uint8 (H, W, 3) BGR, H and W at least 1.

        Returns:
            The faces, best score first. Empty where there are none.
        """
        ...
