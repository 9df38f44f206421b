"""What makes a face hard to read, so that a doubtful answer can be explained."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.detection.base import DetectedFace, Frame

QUALITY_FLAGS: dict[str, str] = {
    "too_small": "too small: come closer or use a larger picture",
    "blurred": "blurred: hold still or focus",
    "turned_away": "turned away: look toward the camera",
    "dark": "dark: turn on a light",
    "cut_off": "cut off: move into the picture",
}
"""What each code of `Face.quality` says to people, and what they can do about it."""

SEVERE_FLAGS = frozenset({"too_small", "blurred", "turned_away"})
"""Flags that make an answer uncertain whatever its confidence: of the certain answers for web photos of faces that are
turned away one in three was right (`mien evaluate` on the photos of the model card), of the others four in five."""

# Each limit lies where reading begins to suffer; docs/video.md has the measurements.
SMALL_BELOW = 24
"""Pixels of the longer side of the box under which a face is too small."""
DARK_BELOW = 40
"""Median gray of the face, 0..255, under which it is dark."""
BLURRED_BELOW = 0.02
"""Sharpness, see `sharpness`, under which a face is blurred."""
TURNED_ABOVE = 0.45
"""Offset of the nose, see `turn`, beyond which a face is turned away."""
CUT_OFF_ABOVE = 0.1
"""Share of the box beyond the edges of the frame above which a face is cut off."""

_SIDE = 64


def quality_flags(frame: Frame, face: DetectedFace) -> tuple[str, ...]:
    """What makes a face hard to read.

    Args:
        frame: uint8 (H, W, 3) BGR.
        face: The face.

    Returns:
        Codes out of `QUALITY_FLAGS`, in that order.
    """
    gray = _gray(frame, face)
    small = max(face.box[2:]) < SMALL_BELOW
    found = {
        "too_small": small,
        # A small face has no detail to be sharp.
        "blurred": not small and sharpness(gray) < BLURRED_BELOW,
        "turned_away": abs(turn(face)) > TURNED_ABOVE,
        "dark": float(np.median(gray)) < DARK_BELOW,
        "cut_off": _beyond(frame, face) > CUT_OFF_ABOVE,
    }
    return tuple(code for code in QUALITY_FLAGS if found[code])


def is_severe(codes: tuple[str, ...]) -> bool:
    """Whether flags make an answer uncertain, see `SEVERE_FLAGS`."""
    return not SEVERE_FLAGS.isdisjoint(codes)


def words(codes: tuple[str, ...]) -> str:
    """Hints in words for people, for example ``dark: turn on a light; cut off: move into the picture``."""
    return "; ".join(QUALITY_FLAGS[code] for code in codes)


def sharpness(gray: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian (Pech-Pacheco et al. 2000), over that of the gray levels to cancel the light.

    Args:
        gray: A face, uint8 (64, 64).
    """
    return float(cv2.Laplacian(gray, cv2.CV_32F).var() / max(1.0, gray.var()))


def turn(face: DetectedFace) -> float:
    """How far the nose lies off the middle between the eyes, in distances between the eyes.

    Returns:
        0 for a face seen from the front, negative when it turns to the viewer's left; 0 without landmarks.
    """
    if face.landmarks is None:
        return 0.0
    (left_x, left_y), (right_x, right_y), (nose_x, nose_y) = face.landmarks[:3]
    across = np.array([right_x - left_x, right_y - left_y])
    nose = np.array([nose_x - (left_x + right_x) / 2, nose_y - (left_y + right_y) / 2])
    return float(nose @ across / max(1e-6, across @ across))


def _gray(frame: Frame, face: DetectedFace) -> NDArray[np.uint8]:
    """The part of the face inside the frame, uint8 (64, 64)."""
    height, width = frame.shape[:2]
    left, top = (min(max(0, round(start)), size - 1) for start, size in zip(face.box[:2], (width, height), strict=True))
    right, bottom = round(face.box[0] + face.box[2]), round(face.box[1] + face.box[3])
    inside = frame[top : max(top + 1, bottom), left : max(left + 1, right)]
    small = cv2.resize(inside, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8)


def _beyond(frame: Frame, face: DetectedFace) -> float:
    """Share of the box's area that lies outside the frame."""
    left, top, width, height = face.box
    inside_x = min(left + width, frame.shape[1]) - max(left, 0.0)
    inside_y = min(top + height, frame.shape[0]) - max(top, 0.0)
    return 1.0 - float(max(0.0, inside_x) * max(0.0, inside_y) / (width * height))
