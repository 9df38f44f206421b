"""Boxes and labels on pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from mien.detection.base import Frame
from mien.results import Face, FrameResult

# What it costs to cover a pixel of another label, of another face and of the label's own face.
_LABEL_COST, _FACE_COST, _OWN_COST = 4.0, 1.0, 0.5

# What is left of a blurred face is so many areas wide and high; the blur reaches this share beyond the box.
_BLUR_CELLS, _BLUR_MARGIN = 6, 0.15


class _Area(NamedTuple):
    left: int
    top: int
    width: int
    height: int

    def shared(self, other: _Area) -> int:
        """Pixels that two areas have in common."""
        across = min(self.left + self.width, other.left + other.width) - max(self.left, other.left)
        down = min(self.top + self.height, other.top + other.height) - max(self.top, other.top)
        return max(0, across) * max(0, down)


def draw(frame: Frame, result: FrameResult, *, confidence: bool = True, highlight: int | None = None) -> Frame:
    """Draw every face's box, emotion and confidence, and its id if it is tracked or its number if there are several.

    Labels stand above their boxes, or where there is room beside them, so that they hide neither each other nor faces.

    Args:
        frame: uint8 (H, W, 3) BGR, the picture that was analyzed; left as it is.
        result: What was found in it.
        confidence: Whether labels say how likely the emotion is.
        highlight: Id of a person, or number of a face, whose box stands out; None for none.

    Returns:
        A copy with the drawing on it.
    """
    canvas: Frame = frame.copy()
    numbered = list(enumerate(result.faces, start=1))
    for number, face in numbered:
        _draw_box(canvas, face, highlight is not None and highlight == (face.track or number))
    labels: list[_Area] = []
    # The largest faces choose first: theirs are the largest labels.
    for number, face in sorted(numbered, key=lambda item: -item[1].area):
        text = _prefix(face, number, len(result)) + (describe(face) if confidence else _emotion(face))
        patch = _render(canvas, face, text)
        others = [_Area(*other.box) for other in result.faces if other is not face]
        place = _place(patch.shape, _Area(*face.box), canvas.shape, labels, others)
        _paste(canvas, patch, place.left, place.top)
        labels.append(place)
    return canvas


def _prefix(face: Face, number: int, count: int) -> str:
    if face.track is not None:
        return f"#{face.track} "
    return f"{number} " if count > 1 else ""


def describe(face: Face) -> str:
    """The emotion and confidence in words, for example ``happy 93 %`` or ``sad? 41 %`` where uncertain."""
    return f"{_emotion(face)} {percent(face.confidence)}"


def percent(share: float) -> str:
    """A share of 0..1 as every front end writes it, for example ``93 %``."""
    return f"{100 * share:.0f} %"


def _emotion(face: Face) -> str:
    return f"{face.emotion}{'?' if face.uncertain else ''}"


def blur_faces(frame: Frame, result: FrameResult) -> Frame:
    """Make the faces of a picture unrecognizable, for pictures that are passed on.

    Each face and some of what is around it is reduced to a few colored areas, so that sharpening brings nothing back.

    Args:
        frame: uint8 (H, W, 3) BGR, the picture that was analyzed; left as it is.
        result: What was found in it. Faces that were not found stay as they are.

    Returns:
        A copy.
    """
    canvas: Frame = frame.copy()
    for face in result.faces:
        left, top, width, height = face.box
        margin_x, margin_y = round(width * _BLUR_MARGIN), round(height * _BLUR_MARGIN)
        area = canvas[
            max(0, top - margin_y) : top + height + margin_y, max(0, left - margin_x) : left + width + margin_x
        ]
        cells = cv2.resize(area, (_BLUR_CELLS, _BLUR_CELLS), interpolation=cv2.INTER_AREA)
        area[:] = cv2.resize(cells, area.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return canvas


def _line(canvas: Frame, face: Face) -> int:
    """Width of the box's line in pixels."""
    return int(max(1, round(min(canvas.shape[:2]) / 250), round(face.box[2] / 60)))


def _draw_box(canvas: Frame, face: Face, highlighted: bool) -> None:
    left, top, width, height = face.box
    corner, line = (left + width - 1, top + height - 1), _line(canvas, face)
    if highlighted:
        cv2.rectangle(canvas, (left, top), corner, (255, 255, 255), 4 * line + 2, cv2.LINE_AA)
    cv2.rectangle(canvas, (left, top), corner, face.emotion.color[::-1], 2 * line if highlighted else line, cv2.LINE_AA)


def _render(canvas: Frame, face: Face, text: str) -> NDArray[np.uint8]:
    size = int(np.clip(face.box[2] / 6, 11, max(11, min(canvas.shape[:2]) / 16)))
    return _label(text, size, face.emotion.color)


def _place(
    shape: Sequence[int], box: _Area, frame: Sequence[int], labels: Sequence[_Area], faces: Sequence[_Area]
) -> _Area:
    """Where a label hides least.

    Args:
        shape: Height and width of the label.
        box: Its face.
        frame: Height and width of the frame.
        labels: The labels that have their place.
        faces: The other faces.
    """

    def cost(area: _Area) -> float:
        hidden = _LABEL_COST * sum(map(area.shared, labels)) + _FACE_COST * sum(map(area.shared, faces))
        return hidden + _OWN_COST * area.shared(box)

    return min(_places(shape[0], shape[1], box, frame), key=cost)


def _places(height: int, width: int, box: _Area, frame: Sequence[int]) -> Iterator[_Area]:
    """The places beside and in a box, all inside the frame, the best first."""
    left, right = box.left, box.left + box.width - width
    above, below = box.top - height, box.top + box.height
    beside = ((box.left + box.width, box.top), (box.left - width, box.top))
    far = ((left, above - height), (left, below + height))
    inside = ((left, box.top), (left, below - height))
    for x, y in ((left, above), (right, above), (left, below), (right, below), *beside, *far, *inside):
        inside_x, inside_y = min(x, frame[1] - width), min(y, frame[0] - height)
        yield _Area(max(0, inside_x), max(0, inside_y), width, height)


def _paste(canvas: Frame, patch: NDArray[np.uint8], x: int, y: int) -> None:
    target = canvas[y : y + patch.shape[0], x : x + patch.shape[1]]
    target[:] = patch[: target.shape[0], : target.shape[1]]


# Labels repeat from frame to frame of a video, and rendering text takes longer than pasting it.
@lru_cache(maxsize=512)
def _label(text: str, size: int, color: tuple[int, int, int]) -> NDArray[np.uint8]:
    """A line of text on a colored ground, uint8 (h, w, 3) BGR."""
    font = load_font(size)
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
def load_font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font, so that pictures look the same on every system."""
    return ImageFont.load_default(size)
