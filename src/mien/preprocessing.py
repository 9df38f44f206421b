"""From a face in a frame to the tensor that the network reads.

The same functions serve training, evaluation and inference.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.arguments import expect
from mien.detection.base import DetectedFace, Frame, check_frame
from mien.errors import OptionError
from mien.results import Face

# How a detected box maps onto the square that FER-2013 frames: the square's side in units of the box's longer
# side, and how far its center lies below the box's center in the same units. Fitted on Training faces with
# `python benchmarks/fit_geometry.py fer2013.csv`; see docs/crop-geometry.md.
CROP_SCALE = 0.94
CROP_SHIFT = -0.01

LARGEST_CROP = 8192
"""Side in pixels of the largest crop that `crop_face` cuts out."""


def crop(frame: Frame, face: DetectedFace, side: int) -> NDArray[np.uint8]:
    """Cut a face out in FER-2013's framing, turned upright where its landmarks are known.

    Args:
        frame: uint8 (H, W, 3) BGR.
        face: The face; beyond the edges of the frame the edge is repeated.
        side: Side of the crop in pixels.

    Returns:
        uint8 (side, side), gray.
    """
    return crop_gray(frame, face, side, CROP_SCALE, CROP_SHIFT)


def crop_face(frame: Frame, face: Face, side: int = 224) -> Frame:
    """Cut out a face that was read, in color, in the framing of the networks, turned upright by its landmarks.

    Args:
        frame: uint8 (H, W, 3) BGR, the picture that was analyzed.
        face: The face; beyond the edges of the picture the edge is repeated.
        side: Side of the crop in pixels.

    Returns:
        uint8 (side, side, 3) BGR.

    Raises:
        ImageError: If the frame is not such an array.
        OptionError: If another argument is not possible.
    """
    check_frame(frame)
    expect(Face, face=face)
    expect(Integral, side=side)
    if not 1 <= side <= LARGEST_CROP:
        raise OptionError(f"must lie in 1..{LARGEST_CROP} pixels, found {side}", field="side")
    left, top, width, height = face.box
    detected = DetectedFace((left, top, width, height), face.score, face.landmarks)
    return crop_color(frame, detected, side, CROP_SCALE, CROP_SHIFT)


def crop_gray(frame: Frame, face: DetectedFace, side: int, scale: float, shift: float) -> NDArray[np.uint8]:
    """As `crop_color`, in gray: uint8 (side, side)."""
    return np.asarray(cv2.cvtColor(crop_color(frame, face, side, scale, shift), cv2.COLOR_BGR2GRAY), np.uint8)


def crop_color(frame: Frame, face: DetectedFace, side: int, scale: float, shift: float) -> Frame:
    """Cut out a square around a face, averaging over areas where it shrinks.

    Args:
        frame: uint8 (H, W, 3) BGR.
        face: The face; turned upright where its landmarks are known.
        side: Side of the result in pixels.
        scale: Side of the square, in units of the box's longer side.
        shift: How far the square's center lies below the box's center, in the same units.

    Returns:
        uint8 (side, side, 3) BGR.
    """
    length = scale * max(face.box[2:])
    # Sampling a large face at `side` points would alias: sample k times as densely, then average k x k blocks.
    dense = side * max(1, math.ceil(length / side))
    matrix = _square_to_frame(face, dense, scale, shift)
    center_x, center_y = matrix @ ((dense - 1) / 2, (dense - 1) / 2, 1)
    reach = length / 2 * (abs(math.cos(face.roll)) + abs(math.sin(face.roll)))
    part, offset_x, offset_y = around(frame, center_x + 0.5, center_y + 0.5, reach)
    matrix[:, 2] -= offset_x, offset_y
    region = cv2.warpAffine(
        part, matrix, (dense, dense), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(cv2.resize(region, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def crop_to_frame(face: DetectedFace, side: int) -> NDArray[np.float64]:
    """Where the pixels of `crop` come from.

    Args:
        face: The face.
        side: Side of the crop in pixels.

    Returns:
        Affine matrix, (2, 3), from a pixel (x, y, 1) of the crop to the pixel of the frame.
    """
    return _square_to_frame(face, side, CROP_SCALE, CROP_SHIFT)


def _square_to_frame(face: DetectedFace, side: int, scale: float, shift: float) -> NDArray[np.float64]:
    """Affine matrix from pixels of the square around a face, ``side`` pixels wide, to pixels of the frame."""
    left, top, width, height = face.box
    length = max(width, height)
    cos, sin = math.cos(face.roll), math.sin(face.roll)
    # Below the center means along the face's own axis, which tilts with it.
    center_x = left + width / 2 - sin * length * shift
    center_y = top + height / 2 + cos * length * shift
    step = length * scale / side
    # Where the square's first pixel lies from the center, along each axis of the face. The middle of pixel i lies
    # at i + 0.5, in the frame as in the crop.
    first = (step - length * scale) / 2
    return np.array(
        [
            [step * cos, -step * sin, center_x + first * (cos - sin) - 0.5],
            [step * sin, step * cos, center_y + first * (sin + cos) - 0.5],
        ]
    )


def around(frame: Frame, x: float, y: float, reach: float) -> tuple[Frame, int, int]:
    """The part of a frame within ``reach`` of a point, at least one pixel, and where it begins.

    OpenCV warps nothing wider than 32,766 pixels, and a part has the same edges to repeat as the whole.
    """
    height, width = frame.shape[:2]
    left, right = (min(max(0, math.floor(x + side * (reach + 2))), width) for side in (-1, 1))
    top, bottom = (min(max(0, math.floor(y + side * (reach + 2))), height) for side in (-1, 1))
    left, top = min(left, width - 1), min(top, height - 1)
    return frame[top : max(bottom, top + 1), left : max(right, left + 1)], left, top


def frame_to_crop(frame: Frame, side: int) -> NDArray[np.uint8]:
    """A frame that is a face crop already, whatever its proportions, as gray uint8 (side, side)."""
    gray = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    interpolation = cv2.INTER_AREA if max(gray.shape) > side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(gray, (side, side), interpolation=interpolation), np.uint8)


def to_tensor(crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], mean: float, std: float) -> NDArray[np.float32]:
    """Normalize gray crops for a network.

    Args:
        crops: uint8, N of (S, S).
        mean: Mean of the training pixels, in 0..1.
        std: Their standard deviation.

    Returns:
        float32 (N, 1, S, S).
    """
    pixels = np.asarray(crops, np.float32)[:, None]
    return np.asarray(normalize(pixels / 255, mean, std), np.float32)


def normalize(pixels: Any, mean: float, std: float) -> Any:
    """Gray values in 0..1, an array or a PyTorch tensor, less the mean of the training pixels, over their deviation."""
    return (pixels - mean) / std
