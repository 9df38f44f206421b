"""What a face detector is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mien.errors import ImageError

if TYPE_CHECKING:
    from mien.results import Landmarks


Frame = NDArray[np.uint8]
"""A picture as uint8 (H, W, 3), channels in the order blue, green, red."""


@dataclass(frozen=True, slots=True)
class DetectedFace:
    """Where a detector saw a face.

    Attributes:
        box: Left, top, width and height in pixels of the frame. May reach past the edges of the frame.
        score: The detector's certainty that this is a face, 0..1; 1.0 from detectors that give none.
        landmarks: Five points, see `mien.results.Landmarks`; None before alignment.
        upright: The aligner's certainty that this is an upright face, 0..1; None where it does not say.
    """

    box: tuple[float, float, float, float]
    score: float
    landmarks: Landmarks | None = None
    upright: float | None = None

    @property
    def roll(self) -> float:
        """Tilt of the line through the eyes in radians, clockwise as seen; 0 before alignment."""
        if self.landmarks is None:
            return 0.0
        (left_x, left_y), (right_x, right_y) = self.landmarks[:2]
        return math.atan2(right_y - left_y, right_x - left_x)


def check_frame(frame: object) -> None:
    """Refuse what is no frame, where a caller hands one over.

    Raises:
        ImageError: It says what was expected and what came.
    """
    if isinstance(frame, np.ndarray):
        if frame.dtype == np.uint8 and frame.ndim == 3 and frame.shape[2] == 3 and frame.size:
            return
        came = f"an array of {frame.dtype} {frame.shape}"
    else:
        came = type(frame).__name__
    raise ImageError(
        f"expected a picture as an array of uint8 (height, width, 3) in blue, green, red, found {came}; "
        "mien.read_image makes one of any picture"
    )


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


class FaceAligner(Protocol):
    """Anything that finds the landmarks of faces."""

    def align(self, frame: Frame, faces: Sequence[DetectedFace]) -> list[DetectedFace]:
        """Add landmarks to faces.

        Args:
            frame: uint8 (H, W, 3) BGR, the frame in which they were detected.
            faces: The faces.

        Returns:
            The faces in the same order, with landmarks.
        """
        ...


@runtime_checkable
class TurnAligner(FaceAligner, Protocol):
    """An aligner that can tell which way up faces are; it sets `DetectedFace.upright`."""

    def upright_when_turned(self, frame: Frame, faces: Sequence[DetectedFace]) -> NDArray[np.float32]:
        """How certain it is that faces are upright when they are turned clockwise, by 90, 180 and 270 degrees.

        Args:
            frame: uint8 (H, W, 3) BGR, the frame in which they were detected.
            faces: N faces.

        Returns:
            float32 (3, N), 0..1.
        """
        ...


@runtime_checkable
class PhotoDetector(FaceDetector, Protocol):
    """A detector that takes more time for a single photo than for a frame of a video, to find small faces."""

    def detect_in_photo(self, frame: Frame) -> list[DetectedFace]:
        """As `detect`, more thoroughly."""
        ...


@runtime_checkable
class TwoLookDetector(FaceDetector, Protocol):
    """A detector that looks again, more slowly, where its first look finds nothing."""

    def detect_quickly(self, frame: Frame) -> list[DetectedFace]:
        """As `detect`, without the second look."""
        ...
