"""The picture of an explanation: the photo and the face, each with what speaks for the emotion and against it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mien.detection import Frame
from mien.drawing import load_font
from mien.emotions import Emotion

if TYPE_CHECKING:
    from mien.classification.explanation import Explanation

# The most that the photo takes, width and height, and the least width of its column, in pixels.
_PHOTO = (760, 620)
_LEAST_WIDTH = 420
_CROP = 240
_MARGIN = 24
_SCALE_WIDTH = 16
_COLUMN = _CROP + 96

_GROUND, _INK, _FAINT = (255, 255, 255), (33, 33, 33), (117, 117, 117)
# From no effect to the largest, red, green and blue: for the emotion in warm colors, against it in cold ones.
_FOR = ((255, 236, 139), (244, 109, 67), (165, 0, 38))
_AGAINST = ((198, 219, 239), (66, 146, 198), (8, 48, 107))
# Effects smaller than this look alike, so that a map of almost nothing does not look like a finding.
_LEAST_LIMIT = 0.01

_Rgb: TypeAlias = "NDArray[np.uint8]"


def draw_explanation(explanation: Explanation) -> Frame:
    """Draw an explanation.

    Args:
        explanation: What `mien.explain` returned.

    Returns:
        uint8 (H, W, 3) BGR: the photo with the effect laid over the face; beside it the face as the network saw it,
        with and without the effect, the scale of colors, and the probabilities of all emotions.
    """
    limit = max(_LEAST_LIMIT, float(np.abs(explanation.effect).max()))
    photo = _photo(explanation, limit)
    height = max(photo.shape[0], 590)
    width = max(photo.shape[1], _LEAST_WIDTH)
    sheet = Image.new("RGB", (width + _COLUMN + 3 * _MARGIN, height + 2 * _MARGIN + 92), _GROUND)
    face, emotion = explanation.face, explanation.emotion
    _write(sheet, (_MARGIN, _MARGIN - 4), f"What speaks for {emotion}, {explanation.probability:.0%}", 26)
    words = f"Face {explanation.number} from the left."
    if emotion != face.emotion:
        words += f"  It was read as {face.emotion}, {face.confidence:.0%}."
    if explanation.is_empty:
        words += "  No part matters: none, when covered, changes this by 0.2 points on average."
    _write(sheet, (_MARGIN, _MARGIN + 34), words, 15, _FAINT)
    top = _MARGIN + 64
    sheet.paste(Image.fromarray(photo), (_MARGIN, top))
    left = width + 2 * _MARGIN
    gray = np.asarray(cv2.cvtColor(_enlarge(explanation.crop), cv2.COLOR_GRAY2RGB), np.uint8)
    effect = _enlarge(explanation.effect)
    sheet.paste(Image.fromarray(_overlay(gray, effect, limit)), (left, top))
    _draw_scale(sheet, left + _CROP + 12, top, limit)
    small = _CROP // 2
    sheet.paste(Image.fromarray(gray).resize((small, small)), (left, top + _CROP + 12))
    _write(sheet, (left + small + 12, top + _CROP + 12), "what the\nnetwork saw", 14, _FAINT)
    _draw_bars(sheet, left, top + _CROP + small + 32, explanation)
    note = "Warm: covering this part makes the emotion less likely. Cold: more likely."
    _write(sheet, (_MARGIN, sheet.height - _MARGIN - 10), note, 14, _FAINT)
    return np.ascontiguousarray(np.asarray(sheet)[:, :, ::-1])


def _enlarge(square: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(cv2.resize(square, (_CROP, _CROP), interpolation=cv2.INTER_CUBIC))


def _photo(explanation: Explanation, limit: float) -> _Rgb:
    """The photo as large as it may be, with the effect on the face and the face's outline: uint8 (h, w, 3)."""
    height, width = explanation.frame.shape[:2]
    zoom = min(_PHOTO[0] / width, _PHOTO[1] / height)
    size = (max(1, round(width * zoom)), max(1, round(height * zoom)))
    shrinks = zoom < 1
    photo = cv2.resize(explanation.frame, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    # Pixel centers lie at i + 0.5, in the photo as in the picture of it.
    matrix = zoom * explanation.to_frame
    matrix[:, 2] += 0.5 * zoom - 0.5
    effect = np.asarray(cv2.warpAffine(explanation.effect, matrix, size, flags=cv2.INTER_CUBIC), np.float32)
    side = len(explanation.crop)
    corners = np.array([[x, y, 1] for x, y in ((0, 0), (side, 0), (side, side), (0, side))]) - [0.5, 0.5, 0]
    drawn = np.ascontiguousarray(_overlay(np.asarray(photo[:, :, ::-1], np.uint8), effect, limit))
    outline = np.rint(corners @ matrix.T * 16).astype(np.int32)
    cv2.polylines(drawn, [outline], True, explanation.emotion.color, 2, cv2.LINE_AA, shift=4)
    return drawn


def _overlay(picture: _Rgb, effect: NDArray[np.floating], limit: float) -> _Rgb:
    """Lay the colors of an effect over a picture of the same size, thicker where the effect is larger."""
    share = np.clip(effect / limit, -1, 1)[:, :, None]
    thickness = 0.75 * np.abs(share) ** 0.7
    return np.asarray(picture * (1 - thickness) + _colors(share[:, :, 0]) * thickness, np.uint8)


def _colors(share: NDArray[np.floating]) -> NDArray[np.float64]:
    """Colors of effects in shares of the largest, -1..1: (..., 3) in 0..255."""
    stops = np.array([*_AGAINST[::-1], *_FOR], float)
    places = (-1, -0.5, -1e-9, 0, 0.5, 1)
    return np.stack([np.interp(share, places, stops[:, k]) for k in range(3)], axis=-1)


def _draw_scale(sheet: Image.Image, left: int, top: int, limit: float) -> None:
    column = np.linspace(1, -1, _CROP)[:, None]
    white = np.full((_CROP, _SCALE_WIDTH, 3), 255, np.uint8)
    strip = _overlay(white, np.repeat(column, _SCALE_WIDTH, axis=1), 1.0)
    sheet.paste(Image.fromarray(strip), (left, top))
    points = f"{100 * limit:.{1 if limit < 0.1 else 0}f}"
    ends = (f"-{points} points", top - 2), ("0", top + _CROP // 2 - 8), (f"+{points} points", top + _CROP - 16)
    for text, y in ends:
        _write(sheet, (left + _SCALE_WIDTH + 6, y), text, 12, _FAINT)


def _draw_bars(sheet: Image.Image, left: int, top: int, explanation: Explanation) -> None:
    """The probabilities of all emotions, the explained one in bold ink."""
    pen = ImageDraw.Draw(sheet)
    names, room = 78, _COLUMN - 78 - 56
    for number, emotion in enumerate(Emotion):
        share = explanation.face.probabilities[emotion]
        y = top + 26 * number
        ink = _INK if emotion == explanation.emotion else _FAINT
        _write(sheet, (left, y), str(emotion), 14, ink)
        pen.rectangle((left + names, y + 2, left + names + room, y + 16), fill=(240, 240, 240))
        pen.rectangle((left + names, y + 2, left + names + round(room * share), y + 16), fill=emotion.color)
        _write(sheet, (left + names + room + 8, y), f"{share:.0%}", 14, ink)


def _write(sheet: Image.Image, place: tuple[int, int], text: str, size: int, ink: tuple[int, int, int] = _INK) -> None:
    ImageDraw.Draw(sheet).text(place, text, fill=ink, font=load_font(size))
