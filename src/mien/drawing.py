"""Boxes and labels on pictures."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from mien.detection.base import Frame
from mien.results import Face, FrameResult


def draw(frame: Frame, result: FrameResult) -> Frame:
    """Draw every face's box, emotion and confidence, and its id if it is tracked or its number if there are several.

    Args:
        frame: uint8 (H, W, 3) BGR, the picture that was analysed; left as it is.
        result: What was found in it.

    Returns:
        A copy with the drawing on it.
    """
    canvas: Frame = frame.copy()
    for number, face in enumerate(result.faces, start=1):
        _draw_face(canvas, face, _prefix(face, number, len(result)))
    return canvas


def _prefix(face: Face, number: int, count: int) -> str:
    if face.track is not None:
        return f"#{face.track} "
    return f"{number} " if count > 1 else ""


def describe(face: Face) -> str:
    """The emotion and confidence in words, for example ``happy 93 %`` or ``sad? 41 %`` where uncertain."""
    return f"{face.emotion}{'?' if face.uncertain else ''} {face.confidence:.0%}".replace("%", " %")


def _draw_face(canvas: Frame, face: Face, prefix: str) -> None:
    left, top, width, height = face.box
    frame_height, frame_width = canvas.shape[:2]
    color = face.emotion.color
    line = max(1, round(min(frame_height, frame_width) / 250), round(width / 60))
    cv2.rectangle(canvas, (left, top), (left + width - 1, top + height - 1), color[::-1], line, cv2.LINE_AA)
    size = int(np.clip(width / 6, 11, max(11, min(frame_height, frame_width) / 16)))
    label = _label(prefix + describe(face), size, color)
    label_height, label_width = label.shape[:2]
    y = top - label_height if top >= label_height else min(top + height, frame_height - label_height)
    x = min(left - line // 2, frame_width - label_width)
    _paste(canvas, label, max(0, x), max(0, y))


def _paste(canvas: Frame, patch: NDArray[np.uint8], x: int, y: int) -> None:
    target = canvas[y : y + patch.shape[0], x : x + patch.shape[1]]
    target[:] = patch[: target.shape[0], : target.shape[1]]


# Labels repeat from frame to frame of a video, and rendering text takes longer than pasting it.
@lru_cache(maxsize=512)
def _label(text: str, size: int, color: tuple[int, int, int]) -> NDArray[np.uint8]:
    """A line of text on a coloured ground, uint8 (h, w, 3) BGR."""
    font = _font(size)
    left, _, right, bottom = font.getbbox(text)
    # Without FreeType Pillow falls back to a bitmap font, which has no metrics.
    ascent, descent = font.getmetrics() if isinstance(font, ImageFont.FreeTypeFont) else (int(bottom), 0)
    pad = max(2, size // 4)
    image = Image.new("RGB", (int(right - left) + 2 * pad, ascent + descent + pad), color)
    dark_ground = 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2] < 140
    ImageDraw.Draw(image).text((pad - left, pad // 2), text, fill="white" if dark_ground else "black", font=font)
    return np.asarray(image, np.uint8)[:, :, ::-1]


# Loading takes longer than rendering.
@lru_cache(maxsize=64)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
