"""The side panel: a card for every person."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence

from PIL import Image, ImageTk

from mien.apps.desktop import theme
from mien.apps.desktop.card_image import draw_panel, sizes_of, strip_columns
from mien.apps.desktop.cards import Card
from mien.apps.desktop.palette import Palette


class PeoplePanel(tk.Canvas):
    """Shows cards below each other; scrolls with the wheel or by `scroll`, opens rows by a click.

    Args:
        parent: Where it goes.
        width: In pixels.
        palette: The colors.
        on_hover: Told the number of the card under the pointer, None for none.
    """

    def __init__(self, parent: tk.Misc, width: int, palette: Palette, on_hover: Callable[[int | None], object]) -> None:
        super().__init__(parent, width=width, background=palette.background, highlightthickness=0)
        self._palette, self._on_hover = palette, on_hover
        self._photo: ImageTk.PhotoImage | None = None
        self._cards: Sequence[Card] = ()
        self._areas: tuple[tuple[int, int], ...] = ()
        self._opened: set[int] = set()
        self.bind("<MouseWheel>", lambda event: self.scroll(-1 if event.delta > 0 else 1))
        self.bind("<Button-4>", lambda _: self.scroll(-1))
        self.bind("<Button-5>", lambda _: self.scroll(1))
        self.bind("<Motion>", lambda event: self._on_hover(self._number_at(event.y)))
        self.bind("<Leave>", lambda _: self._on_hover(None))
        self.bind("<Button-1>", self._toggle)

    def recolor(self, palette: Palette) -> None:
        """Use other colors from now on."""
        self._palette = palette
        self.configure(background=palette.background)

    @property
    def columns(self) -> int:
        """Into how many columns timelines are divided."""
        return strip_columns(self.winfo_width())

    def show(self, cards: Sequence[Card], empty: str) -> None:
        """Show these cards, or where there are none a line of text."""
        self.delete("all")
        width, height = self.winfo_width(), self.winfo_height()
        self._cards = cards
        if not cards:
            self._areas = ()
            middle, colors = (width / 2, max(60, height / 2 - 30)), self._palette
            self.create_text(*middle, text=empty, width=width - 40, justify="center", fill=colors.dim, font=theme.BODY)
            self.configure(scrollregion=(0, 0, width, height))
            return
        panel = draw_panel(cards, sizes_of(cards, self._opened), width, 1.0, self._palette)
        self._areas = panel.areas
        self._photo = ImageTk.PhotoImage(Image.fromarray(panel.pixels), master=self)
        self.create_image(0, 0, image=self._photo, anchor="nw")
        self.configure(scrollregion=(0, 0, width, max(panel.areas[-1][1], height)))
        self._show_more(width, height)

    def scroll(self, steps: int) -> None:
        """Scroll by so many steps of a fifth of the height; down if positive."""
        top, _ = self.yview()
        self.yview_moveto(max(0.0, top + steps * 0.2))

    def _show_more(self, width: int, height: int) -> None:
        """Say at the foot how many people there are further down."""
        foot = self.canvasy(height)
        if self._areas[-1][1] > foot + 1:
            # With the one that the line itself covers.
            below = sum(1 for _, bottom in self._areas if bottom > foot - 26)
            self.create_rectangle(0, foot - 26, width, foot, fill=self._palette.track, width=0)
            text = f"▾  {below} more below: scroll, or press PgDn"
            self.create_text(width / 2, foot - 13, text=text, fill=self._palette.text, font=theme.SMALL)

    def _number_at(self, y: int) -> int | None:
        place = self.canvasy(y)
        areas = zip(self._cards, self._areas, strict=True)
        return next((card.number for card, (top, bottom) in areas if top <= place < bottom), None)

    def _toggle(self, event: tk.Event[tk.Misc]) -> None:
        number = self._number_at(event.y)
        if number is not None:
            self._opened ^= {number}
