"""Cards drawn with Pillow: the same in the window and in what is saved."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mien.apps.desktop.cards import Card
from mien.apps.desktop.palette import DARK, Palette
from mien.detection.base import Frame
from mien.drawing import load_font, percent
from mien.live.colors import edge_color, hexadecimal, rgb
from mien.live.strips import draw_strip

PANEL_WIDTH = 330
"""Width of the panel in units, which are pixels in a window of the usual size."""

# Beside a frame of this many pixels in height the panel is as wide as in the window; it grows and shrinks with it.
_HEIGHT = 720
_SMALLEST, _LARGEST = 0.75, 4.0
_PAD, _EDGE, _GAP, _STRIP, _ROW = 14, 6, 8, 34, 19
# With more people cards become rows.
_FULL_CARDS = 2


class Size(Enum):
    """How much a card says, with its height in units; that of a full card depends on what there is to say."""

    FULL = 0
    COMPACT = 46
    LINE = 24


@dataclass(frozen=True, slots=True)
class PanelImage:
    """A drawn panel.

    Attributes:
        pixels: uint8 (H, W, 3), red, green, blue.
        areas: Top and bottom of each card in pixels, in order.
    """

    pixels: NDArray[np.uint8]
    areas: tuple[tuple[int, int], ...]


def panel_scale(height: int) -> float:
    """How many pixels a unit has beside a frame of this height."""
    return min(max(height / _HEIGHT, _SMALLEST), _LARGEST)


def strip_columns(width: float) -> int:
    """Into how many columns the timelines of a panel of this width in pixels are divided."""
    return max(16, round(width * (PANEL_WIDTH - 2 * _PAD) / PANEL_WIDTH))


def sizes_of(cards: Sequence[Card], opened: Collection[int] = ()) -> list[Size]:
    """Full cards for a few people, rows for more of them; full ones for those that the user has opened."""
    few = len(cards) <= _FULL_CARDS
    return [Size.FULL if few or card.number in opened else Size.COMPACT for card in cards]


def draw_panel(cards: Sequence[Card], sizes: Sequence[Size], width: int, scale: float, palette: Palette) -> PanelImage:
    """Draw cards below each other, as high as they are.

    Args:
        cards: What they say.
        sizes: How much each says.
        width: In pixels.
        scale: Pixels per unit.
        palette: The colors.
    """
    heights = [round(_height(card, size) * scale) for card, size in zip(cards, sizes, strict=True)]
    gap = round(_GAP * scale)
    image = Image.new("RGB", (width, max(1, sum(heights) + gap * len(heights))), palette.background)
    pen = _Pen(image, scale, palette)
    areas, top = [], 0
    for card, size, height in zip(cards, sizes, heights, strict=True):
        pen.card(card, size, top, top + height)
        areas.append((top, top + height))
        top += height + gap
    return PanelImage(np.asarray(image, np.uint8), tuple(areas))


def beside(frame: Frame, cards_for: Callable[[int], Sequence[Card]], *, grow: bool = False) -> Frame:
    """Put cards beside a frame, as small as they must be to show everyone.

    Args:
        frame: uint8 (H, W, 3) BGR, with boxes and labels on it.
        cards_for: The cards, given into how many columns their timelines are to be divided.
        grow: Whether the picture may become higher than the frame where there are very many people; otherwise those
            there is no room for are counted.

    Returns:
        uint8 (H, W + panel, 3) BGR; the width depends on the height of the frame alone.
    """
    height, scale = frame.shape[0], panel_scale(frame.shape[0])
    width = round(PANEL_WIDTH * scale)
    cards = cards_for(strip_columns(width))
    panel = _fitting(cards, width, height, scale)
    if panel.shape[0] > height and grow:
        frame = np.pad(frame, ((0, panel.shape[0] - height), (0, 0), (0, 0)))
    elif panel.shape[0] > height:
        panel = _counted(panel, cards, height, scale)
    ground = np.empty((frame.shape[0], width, 3), np.uint8)
    ground[:] = rgb(DARK.background)
    ground[: panel.shape[0]] = panel
    if not cards:
        image = Image.fromarray(ground)
        _Pen(image, scale, DARK).text(width / 2, height / 2, "no face", DARK.dim, 14, "mm")
        ground = np.asarray(image, np.uint8)
    return np.ascontiguousarray(np.concatenate([frame, ground[:, :, ::-1]], axis=1))


def _fitting(cards: Sequence[Card], width: int, height: int, scale: float) -> NDArray[np.uint8]:
    panel = np.zeros((0, width, 3), np.uint8)
    for sizes in (sizes_of(cards), [Size.COMPACT] * len(cards), [Size.LINE] * len(cards)):
        panel = draw_panel(cards, sizes, width, scale, DARK).pixels
        if panel.shape[0] <= height + round(_GAP * scale):
            return panel[:height]
    return panel


def _counted(panel: NDArray[np.uint8], cards: Sequence[Card], height: int, scale: float) -> NDArray[np.uint8]:
    """As many lines as fit, and below them how many more there are."""
    step = round(Size.LINE.value * scale) + round(_GAP * scale)
    shown = max(0, height // step - 1)
    image = Image.new("RGB", (panel.shape[1], height), DARK.background)
    image.paste(Image.fromarray(panel[: shown * step]), (0, 0))
    _Pen(image, scale, DARK).text(
        round(_PAD * scale), height - step / 2, f"and {len(cards) - shown} more", DARK.dim, 12
    )
    return np.asarray(image, np.uint8)


def _height(card: Card, size: Size) -> int:
    if size is not Size.FULL:
        return int(size.value)
    strip = _STRIP + 24 if card.columns is not None else 0
    return 54 + strip + _ROW * len(card.bars) + (22 if card.hint else 0)


class _Pen:
    """Draws in units of a scale."""

    def __init__(self, image: Image.Image, scale: float, palette: Palette) -> None:
        self._image, self._scale, self._palette = image, scale, palette
        self._pen = ImageDraw.Draw(image)

    def px(self, units: float) -> int:
        return round(units * self._scale)

    def text(self, x: float, y: float, text: str, fill: str, size: int, anchor: str = "lm") -> None:
        self._pen.text((x, y), text, fill=fill, font=load_font(self.px(size)), anchor=anchor)

    def card(self, card: Card, size: Size, top: int, bottom: int) -> None:
        colors, edge = self._palette, self.px(_EDGE)
        left, right = self.px(_PAD), self._image.width - self.px(_PAD)
        self._pen.rounded_rectangle((edge, top, self._image.width - edge, bottom), self.px(8), fill=colors.surface)
        y, dot = top + self.px(22 if size is Size.FULL else 13), self.px(5)
        color = hexadecimal(card.emotion.color) if card.emotion else colors.track
        rim = hexadecimal(edge_color(card.emotion, rgb(colors.surface))) if card.emotion else colors.track
        self._pen.ellipse((left, y - dot, left + 2 * dot, y + dot), fill=color, outline=rim)
        self.text(left + self.px(18), y, card.title, colors.text, 14)
        self.text(right, y, card.answer, colors.text if card.emotion else colors.dim, 14, "rm")
        if size is Size.FULL:
            self._details(card, left, right, y + self.px(18))
        elif size is Size.COMPACT and card.columns is not None:
            self._strip(card.columns, left, right, y + self.px(12), self.px(13))
        elif size is Size.COMPACT and card.hint:
            self.text(left + self.px(18), y + self.px(18), self._shorten(card.hint, right - left), colors.dim, 11)

    def _details(self, card: Card, left: int, right: int, y: int) -> None:
        colors = self._palette
        if card.columns is not None:
            self._strip(card.columns, left, right, y, self.px(_STRIP))
            y += self.px(_STRIP + 10)
            self.text(left, y, "30 s ago", colors.dim, 11)
            self.text(right, y, "now", colors.dim, 11, "rm")
            y += self.px(14)
        y = self._bars(card, left, right, y)
        if card.hint:
            self.text(left, y + self.px(11), self._shorten(card.hint, right - left), colors.dim, 11)

    def _strip(self, columns: NDArray[np.float32], left: int, right: int, y: int, height: int) -> None:
        picture = Image.fromarray(draw_strip(columns, height, rgb(self._palette.track)))
        self._image.paste(picture.resize((right - left, height), Image.Resampling.NEAREST), (left, y))

    def _bars(self, card: Card, left: int, right: int, y: int) -> int:
        colors = self._palette
        start, end, half = left + self.px(68), right - self.px(44), self.px(4)
        for emotion, value in card.bars.items():
            middle = y + self.px(_ROW / 2)
            fill = colors.text if emotion is card.emotion else colors.dim
            self.text(left, middle, str(emotion), fill, 13)
            self._pen.rounded_rectangle((start, middle - half, end, middle + half), half, fill=colors.track)
            length = round((end - start) * value)
            if length >= 2:
                area = (start, middle - half, start + length, middle + half)
                rim = edge_color(emotion, rgb(colors.track))
                self._pen.rounded_rectangle(area, min(half, length // 2), fill=emotion.color, outline=rim)
            self.text(right, middle, percent(value), fill, 13, "rm")
            y += self.px(_ROW)
        return y

    def _shorten(self, text: str, width: int) -> str:
        """As much of a text as fits into a width, in pixels."""
        font = load_font(self.px(11))
        while font.getlength(text) > width:
            text = text.rstrip("…")[:-1] + "…"
        return text
