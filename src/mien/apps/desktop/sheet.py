"""The picture that is saved: what the window shows, the frame with the cards of the people beside it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from mien.apps.desktop.cards import Card, strip
from mien.apps.desktop.palette import BACKGROUND, DIM, FAINT, SURFACE, TEXT, TRACK, hexadecimal, rgb
from mien.detection.base import Frame
from mien.drawing import load_font

# At a height of this many pixels the panel is as wide as in the window; it grows and shrinks with the frame.
_HEIGHT, _WIDTH = 720, 330
_SMALLEST, _LARGEST = 0.75, 4.0
_PAD, _GAP, _STRIP, _ROW = 14, 10, 34, 19


def panel_scale(height: int) -> float:
    """How much larger than in the window the panel beside a frame of this height is."""
    return min(max(height / _HEIGHT, _SMALLEST), _LARGEST)


def strip_columns(height: int) -> int:
    """Into how many columns the timelines beside a frame of this height are divided."""
    return round((_WIDTH - 2 * _PAD) * panel_scale(height))


def sheet(frame: Frame, cards: Sequence[Card]) -> Frame:
    """Put cards beside a frame.

    Args:
        frame: uint8 (H, W, 3) BGR, with boxes and labels on it.
        cards: Who is in it; those there is no room for are counted.

    Returns:
        uint8 (H, W + panel, 3) BGR; the width depends on the height of the frame alone.
    """
    return np.concatenate([frame, _Panel(frame.shape[0]).draw(cards)], axis=1)


class _Panel:
    def __init__(self, height: int) -> None:
        self._scale = panel_scale(height)
        self._width = round(_WIDTH * self._scale)
        self._image = Image.new("RGB", (self._width, height), BACKGROUND)
        self._pen = ImageDraw.Draw(self._image)

    def draw(self, cards: Sequence[Card]) -> Frame:
        y = self._px(_GAP)
        for number, card in enumerate(cards):
            if y + self._height(card) > self._image.height and number:
                # In the place of the last line of the panel, whatever stood there.
                bottom = self._image.height - self._px(12)
                self._pen.rectangle((0, bottom - self._px(14), self._width, self._image.height), fill=BACKGROUND)
                self._text(self._px(_PAD), bottom, f"and {len(cards) - number} more", DIM, 12)
                break
            y = self._card(card, y) + self._px(_GAP)
        if not cards:
            self._text(self._width / 2, self._image.height / 2, "no face", DIM, 14, "mm")
        return np.ascontiguousarray(np.asarray(self._image, np.uint8)[:, :, ::-1])

    def _px(self, units: float) -> int:
        return round(units * self._scale)

    def _text(self, x: float, y: float, text: str, fill: str, size: int, anchor: str = "lm") -> None:
        self._pen.text((x, y), text, fill=fill, font=load_font(self._px(size)), anchor=anchor)

    def _height(self, card: Card) -> int:
        rows = 46 + (_STRIP + 24 if card.columns is not None else 0) + _ROW * len(card.bars) + (22 if card.hint else 0)
        return self._px(rows + 8)

    def _card(self, card: Card, top: int) -> int:
        """Draw a card and return where it ends."""
        edge, left, right = self._px(6), self._px(_PAD), self._width - self._px(_PAD)
        bottom = top + self._height(card)
        self._pen.rounded_rectangle((edge, top, self._width - edge, bottom), self._px(8), fill=SURFACE)
        y, dot = top + self._px(22), self._px(5)
        color = hexadecimal(card.color) if card.color else TRACK
        self._pen.ellipse((left, y - dot, left + 2 * dot, y + dot), fill=color)
        self._text(left + self._px(18), y, card.title, TEXT, 14)
        self._text(right, y, card.answer, TEXT if card.color else DIM, 14, "rm")
        y += self._px(18)
        if card.columns is not None:
            picture = Image.fromarray(strip(card.columns, self._px(_STRIP), rgb(TRACK)))
            self._image.paste(picture.resize((right - left, self._px(_STRIP)), Image.Resampling.NEAREST), (left, y))
            y += self._px(_STRIP + 10)
            self._text(left, y, "30 s ago", FAINT, 11)
            self._text(right, y, "now", FAINT, 11, "rm")
            y += self._px(14)
        y = self._bars(card, left, right, y)
        if card.hint:
            self._text(left, y + self._px(11), _shorten(card.hint, right - left, self._px(11)), DIM, 11)
        return bottom

    def _bars(self, card: Card, left: int, right: int, y: int) -> int:
        start, end, half = left + self._px(68), right - self._px(44), self._px(4)
        for emotion, value in card.bars.items():
            middle = y + self._px(_ROW / 2)
            fill = TEXT if value == max(card.bars.values()) else DIM
            self._text(left, middle, str(emotion), fill, 13)
            self._pen.rounded_rectangle((start, middle - half, end, middle + half), half, fill=TRACK)
            length = round((end - start) * value)
            if length >= 1:
                area = (start, middle - half, start + length, middle + half)
                self._pen.rounded_rectangle(area, min(half, length // 2), fill=emotion.color)
            self._text(right, middle, f"{value:.0%}", fill, 13, "rm")
            y += self._px(_ROW)
        return y


def _shorten(text: str, width: int, size: int) -> str:
    """As much of a text as fits into a width, in pixels."""
    font = load_font(size)
    while font.getlength(text) > width:
        text = text.rstrip("…")[:-1] + "…"
    return text
