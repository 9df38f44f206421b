"""The side panel: a card for every person."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Sequence

from PIL import Image, ImageTk

from mien.apps.desktop import palette, theme
from mien.apps.desktop.cards import Card, strip
from mien.emotions import Emotion

_PAD, _GAP, _ROUND = 14, 10, 8
_STRIP_HEIGHT, _ROW_HEIGHT = 34, 19
_LABEL_WIDTH, _NUMBER_WIDTH = 68, 44


class PeoplePanel(tk.Canvas):
    """Draws cards below each other and scrolls with the wheel or by `scroll`."""

    def __init__(self, parent: tk.Misc, width: int) -> None:
        super().__init__(parent, width=width, background=palette.BACKGROUND, highlightthickness=0)
        self._strips: list[ImageTk.PhotoImage] = []
        self.bind("<MouseWheel>", lambda event: self.scroll(-1 if event.delta > 0 else 1))
        self.bind("<Button-4>", lambda _: self.scroll(-1))
        self.bind("<Button-5>", lambda _: self.scroll(1))

    @property
    def strip_width(self) -> int:
        """Width of the timelines in pixels."""
        return max(16, self.winfo_width() - 2 * _PAD)

    def show(self, cards: Sequence[Card], empty: str) -> None:
        """Show these cards, or where there are none a line of text."""
        self.delete("all")
        self._strips.clear()
        width, y = self.winfo_width(), 0
        if not cards:
            middle = width / 2, max(60, self.winfo_height() / 2 - 30)
            self.create_text(*middle, text=empty, width=width - 40, justify="center", fill=palette.DIM, font=theme.BODY)
        for card in cards:
            y = self._draw(card, y, width) + _GAP
        self.configure(scrollregion=(0, 0, width, max(y - _GAP, self.winfo_height())))

    def scroll(self, steps: int) -> None:
        """Scroll by so many steps of a fifth of the height; down if positive."""
        top, _ = self.yview()
        self.yview_moveto(max(0.0, top + steps * 0.2))

    def _draw(self, card: Card, top: int, width: int) -> int:
        """Draw a card and return where it ends."""
        left, right, y = _PAD, width - _PAD, top + 24
        ground = self._rounded(0, top, width, top + 1, _ROUND, palette.SURFACE)
        color = palette.hexadecimal(card.color) if card.color else palette.TRACK
        self.create_oval(left, y - 5, left + 10, y + 5, fill=color, width=0)
        self.create_text(left + 18, y, text=card.title, anchor="w", fill=palette.TEXT, font=theme.STRONG)
        font, fill = (theme.STRONG, palette.TEXT) if card.color else (theme.BODY, palette.DIM)
        self.create_text(right, y, text=card.answer, anchor="e", fill=fill, font=font)
        y += 20
        if card.columns is not None:
            y = self._draw_strip(card, left, right, y)
        if card.bars:
            y = self._draw_bars(card.bars, left, right, y + 4)
        if card.hint:
            text = self.create_text(
                left, y + 4, text=card.hint, anchor="nw", width=right - left, fill=palette.DIM, font=theme.SMALL
            )
            y = self.bbox(text)[3]
        bottom = y + 12
        self.coords(ground, *_rounded(0, top, width, bottom, _ROUND))
        return bottom

    def _draw_strip(self, card: Card, left: int, right: int, y: int) -> int:
        assert card.columns is not None
        picture = strip(card.columns, _STRIP_HEIGHT, palette.rgb(palette.TRACK))
        image = Image.fromarray(picture).resize((right - left, _STRIP_HEIGHT), Image.Resampling.NEAREST)
        photo = ImageTk.PhotoImage(image, master=self)
        self._strips.append(photo)
        self.create_image(left, y, image=photo, anchor="nw")
        y += _STRIP_HEIGHT + 10
        self.create_text(left, y, text="30 s ago", anchor="w", fill=palette.FAINT, font=theme.SMALL)
        self.create_text(right, y, text="now", anchor="e", fill=palette.FAINT, font=theme.SMALL)
        return y + 10

    def _draw_bars(self, bars: dict[Emotion, float], left: int, right: int, y: int) -> int:
        start, end = left + _LABEL_WIDTH, right - _NUMBER_WIDTH
        top = max(bars, key=lambda emotion: bars[emotion])
        for emotion, value in bars.items():
            middle = y + _ROW_HEIGHT // 2
            fill = palette.TEXT if emotion is top else palette.DIM
            self.create_text(left, middle, text=str(emotion), anchor="w", fill=fill, font=theme.BODY)
            self._rounded(start, middle - 4, end, middle + 4, 4, palette.TRACK)
            length = (end - start) * value
            if length >= 1:
                self._rounded(start, middle - 4, start + length, middle + 4, 4, palette.hexadecimal(emotion.color))
            self.create_text(right, middle, text=f"{value:.0%}", anchor="e", fill=fill, font=theme.BODY)
            y += _ROW_HEIGHT
        return y

    def _rounded(self, left: float, top: float, right: float, bottom: float, radius: float, fill: str) -> int:
        return self.create_polygon(_rounded(left, top, right, bottom, radius), fill=fill, smooth=True)


def _rounded(left: float, top: float, right: float, bottom: float, radius: float) -> list[float]:
    """Corners of a rectangle with round corners, for a smoothed polygon."""
    r = min(radius, (right - left) / 2, (bottom - top) / 2)
    # Points given twice are not smoothed away.
    across = [left + r, left + r, right - r, right - r]
    points = [(x, top) for x in across] + [(right, top)]
    points += [(right, y) for y in (top + r, top + r, bottom - r, bottom - r)] + [(right, bottom)]
    points += [(x, bottom) for x in reversed(across)] + [(left, bottom)]
    points += [(left, y) for y in (bottom - r, bottom - r, top + r, top + r)] + [(left, top)]
    return [number for point in points for number in point]
