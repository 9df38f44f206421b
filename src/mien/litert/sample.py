"""Faces to compare networks on where there are no data: one portrait, varied."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.images import read_image

_PORTRAIT = Path(__file__).parents[1] / "apps" / "web" / "views" / "sample.jpg"
# Where the face is in the portrait: its center and the side of its square, as shares of the width.
_CENTER, _SIDE = (0.43, 0.23), 0.27


def sample_faces(count: int, side: int) -> NDArray[np.uint8]:
    """Variations of NASA's portrait of Eileen Collins: turned, stretched, partly covered or upside down, dark, noisy.

    They are the same every time, and strong enough for the answers to range over several emotions.

    Args:
        count: How many.
        side: Their side in pixels.

    Returns:
        uint8 (count, side, side), gray.
    """
    gray = np.asarray(cv2.cvtColor(read_image(_PORTRAIT), cv2.COLOR_BGR2GRAY), np.uint8)
    dice = np.random.default_rng(0)
    return np.stack([_vary(gray, side, dice) for _ in range(count)])


def _vary(gray: NDArray[np.uint8], side: int, dice: np.random.Generator) -> NDArray[np.uint8]:
    width = gray.shape[1]
    angle, stretch = np.deg2rad(dice.uniform(-40, 40)), dice.uniform(0.6, 1.6, 2)
    center = width * (np.array(_CENTER) + dice.uniform(-0.06, 0.06, 2))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    to_photo = turn @ np.diag(stretch) * _SIDE * width / side
    matrix = np.column_stack([to_photo, center - to_photo @ [side / 2, side / 2]])
    turned = cv2.warpAffine(
        gray, matrix, (side, side), flags=cv2.INTER_AREA | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    face = np.asarray(turned, np.float64)
    if dice.random() < 0.4:
        # A smile upside down, and with it other answers than "happy".
        face[side // 2 :] = face[: side // 2 - 1 : -1]
    if dice.random() < 0.3:
        axes = [int(share * side) for share in dice.uniform(0.04, 0.16, 2)]
        cv2.ellipse(face, (side // 2, int(0.72 * side)), axes, 0, 0, 360, float(dice.uniform(0, 90)), -1)
    if dice.random() < 0.3:
        top, left = dice.integers(0, side, 2)
        face[top : top + side // 2, left : left + side // 3] = dice.uniform(0, 255)
    face = 255 * (face / 255) ** dice.uniform(0.4, 2.5)
    face = dice.uniform(0.3, 1.2) * (face - 128) + 128 + dice.normal(0, dice.uniform(0, 12), face.shape)
    return np.clip(face, 0, 255).astype(np.uint8)
