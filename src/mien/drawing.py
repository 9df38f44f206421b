"""Boxes and labels on pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from numbers import Integral
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from mien.arguments import expect
from mien.classification.quality import SEVERE_FLAGS
from mien.detection.base import Frame, check_frame
from mien.errors import ImageError

if TYPE_CHECKING:
    from mien.results import Face, FrameResult

# What it costs to cover a pixel of another label, of another face and of the label's own face.
_LABEL_COST, _FACE_COST, _OWN_COST = 4.0, 1.0, 0.5

# What is left of a blurred face is so many areas wide and high; the blur reaches this share beyond the box.
_BLUR_CELLS, _BLUR_MARGIN = 6, 0.15

# Copies of pictures with a shorter short side are enlarged, or labels would cover them; the long side has a limit.
_SHORT_SIDE, _LONG_SIDE = 300, 4096


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


def draw_copy(frame: Frame, result: FrameResult) -> Frame:
    """As `draw`, for a copy to keep: a picture with a short side under 300 pixels is enlarged before."""
    height, width = frame.shape[:2]
    scale = min(_SHORT_SIDE / min(height, width), _LONG_SIDE / max(height, width))
    return draw(*resized(frame, result, scale)) if scale > 1 else draw(frame, result)


def resized(frame: Frame, result: FrameResult, scale: float) -> tuple[Frame, FrameResult]:
    """A picture in another size, with the boxes in it, so that what is drawn on it is sharp.

    Args:
        frame: uint8 (H, W, 3) BGR.
        result: What was found in it.
        scale: By what its sides are multiplied.
    """
    size = max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale))
    canvas = cv2.resize(frame, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return np.asarray(canvas, np.uint8), with_size(result, *size)


def with_size(result: FrameResult, width: int, height: int) -> FrameResult:
    """A result with its boxes as they lie in the same picture of another size in pixels."""
    faces = []
    for face in result.faces:
        left, top, across, down = face.box
        x, across = (round(number * width / result.width) for number in (left, across))
        y, down = (round(number * height / result.height) for number in (top, down))
        faces.append(replace(face, box=(x, y, max(1, across), max(1, down))))
    return replace(result, width=width, height=height, faces=tuple(faces))


def draw(frame: Frame, result: FrameResult, *, confidence: bool = True, highlight: int | None = None) -> Frame:
    """Draw every face's box, emotion and confidence, and its id if it is tracked or its number if there are several.

    In a photo a second line says what makes an answer uncertain whatever its confidence, for example "too small".
    Labels stand above their boxes, or where there is room beside them, so that they hide neither each other nor faces.

    Args:
        frame: uint8 (H, W, 3) BGR, the picture that was analyzed; left as it is.
        result: What was found in it.
        confidence: Whether labels say how likely the emotion is, and what makes a face too hard to read.
        highlight: Id of a person, or number of a face, whose box stands out; None for none.

    Returns:
        A copy with the drawing on it.

    Raises:
        ImageError: If the frame is not such an array, or of another size than the picture of the result.
        OptionError: If another argument is not possible.
    """
    check_frame(frame)
    # By name, because results show themselves in notebooks by what is drawn here.
    expect("FrameResult", result=result)
    expect(bool, confidence=confidence)
    expect(Integral | None, highlight=highlight)
    if frame.shape[1::-1] != (result.width, result.height):
        size, other = f"{frame.shape[1]}x{frame.shape[0]}", f"{result.width}x{result.height}"
        raise ImageError(f"is {size}, but the boxes lie in a picture of {other}; draw on that one", "frame")
    canvas: Frame = frame.copy()
    numbered = list(enumerate(result.faces, start=1))
    for number, face in numbered:
        _draw_box(canvas, face, highlight is not None and highlight == (face.track or number))
    labels: list[_Area] = []
    # The largest faces choose first: theirs are the largest labels.
    for number, face in sorted(numbered, key=lambda item: -item[1].area):
        text = _prefix(face, number, len(result)) + (_words(face) if confidence else _emotion(face))
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


def _words(face: Face) -> str:
    # In a video flags come and go from frame to frame, and labels must not jump.
    severe = [code.replace("_", " ") for code in face.quality if code in SEVERE_FLAGS and face.track is None]
    return "\n".join([describe(face), *([", ".join(severe)] if severe else [])])


def describe(face: Face) -> str:
    """The emotion and confidence in words, for example ``happy 93%`` or ``sad? 41%`` where uncertain."""
    return f"{_emotion(face)} {percent(face.confidence)}"


def disagreement(face: Face) -> str:
    """How far people would disagree about a face in a photo, in words; nothing where that is not known, or in a video.

    A video's answers come from several frames, an ambiguity from one.
    """
    if face.ambiguity is None or face.smoothed is not None:
        return ""
    return f"about {percent(face.ambiguity)} of people would name another emotion than most"


def percent(share: float) -> str:
    """A share of 0..1 as every front end writes it, for example ``93%``."""
    return f"{share:.0%}"


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
    """Lines of text on a colored ground, uint8 (h, w, 3) BGR."""
    font, lines = load_font(size), text.split("\n")
    spans = [font.getbbox(line) for line in lines]
    # Without FreeType Pillow falls back to a bitmap font, which has no metrics.
    ascent, descent = font.getmetrics() if isinstance(font, ImageFont.FreeTypeFont) else (int(spans[0][3]), 0)
    pad, step = max(2, size // 4), ascent + descent
    width = max(int(right - left) for left, _, right, _ in spans)
    image = Image.new("RGB", (width + 2 * pad, step * len(lines) + pad), color)
    dark_ground = 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2] < 140
    for number, (line, span) in enumerate(zip(lines, spans, strict=True)):
        place = (pad - span[0], pad // 2 + number * step)
        ImageDraw.Draw(image).text(place, line, fill="white" if dark_ground else "black", font=font)
    return np.asarray(image, np.uint8)[:, :, ::-1]


# Loading takes longer than rendering.
@lru_cache(maxsize=64)
def load_font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font, so that pictures look the same on every system."""
    return ImageFont.load_default(size)
