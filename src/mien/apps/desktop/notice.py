"""A message in the place of the picture, with a button to try again."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from mien.apps.desktop import theme
from mien.apps.desktop.palette import Palette
from mien.apps.desktop.wording import Notice


class NoticeView:
    """Shows a notice in the middle of another widget.

    Args:
        parent: The widget.
        palette: The colors.
        retry: What the button does.
    """

    def __init__(self, parent: tk.Misc, palette: Palette, retry: Callable[[], object]) -> None:
        self._shown: Notice | None = None
        self._wrapped_at = 0
        self._frame = tk.Frame(parent)
        self._title = tk.Label(self._frame, font=theme.TITLE, justify="center")
        self._title.pack()
        self._text = tk.Label(self._frame, font=theme.BODY, justify="center")
        self._text.pack(pady=(10, 0))
        self.recolor(palette)
        self._button = ttk.Button(self._frame, style="Accent.TButton", command=retry)

    def recolor(self, palette: Palette) -> None:
        """Use other colors from now on."""
        for widget in (self._frame, self._title, self._text):
            widget.configure(background=palette.stage)
        self._title.configure(foreground=palette.text)
        self._text.configure(foreground=palette.dim)

    def show(self, notice: Notice | None) -> bool:
        """Show a notice, or none.

        Returns:
            Whether the button has just gone and the keyboard needs another place to go.
        """
        if notice == self._shown:
            self._wrap()
            return False
        had_button = bool(self._shown and self._shown.retry)
        self._shown = notice
        self._button.pack_forget()
        if notice is None:
            self._frame.place_forget()
            return had_button
        self._title.configure(text=notice.title)
        self._text.configure(text=notice.text)
        self._wrap()
        self._frame.place(relx=0.5, rely=0.5, anchor="center")
        if notice.retry:
            self._button.configure(text=notice.retry)
            self._button.pack(pady=(22, 0), ipadx=12)
            self._button.focus_set()
        return had_button and not notice.retry

    def _wrap(self) -> None:
        width = max(200, min(560, self._frame.master.winfo_width() - 60))
        if width != self._wrapped_at:
            self._wrapped_at = width
            for label in (self._title, self._text):
                label.configure(wraplength=width)
