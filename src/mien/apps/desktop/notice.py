"""A message in the place of the picture, with a button to try again."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from mien.apps.desktop import palette, theme
from mien.apps.desktop.session import Notice


class NoticeView:
    """Shows a notice in the middle of another widget.

    Args:
        parent: The widget.
        retry: What the button does.
    """

    def __init__(self, parent: tk.Misc, retry: Callable[[], object]) -> None:
        self._shown: Notice | None = None
        self._wrapped_at = 0
        self._frame = tk.Frame(parent, background=palette.STAGE)
        self._title = self._line(theme.TITLE, palette.TEXT)
        self._title.pack()
        self._text = self._line(theme.BODY, palette.DIM)
        self._text.pack(pady=(10, 0))
        self._button = ttk.Button(self._frame, style="Accent.TButton", command=retry)

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

    def _line(self, font: str, color: str) -> tk.Label:
        return tk.Label(self._frame, background=palette.STAGE, foreground=color, font=font, justify="center")

    def _wrap(self) -> None:
        width = max(200, min(560, self._frame.master.winfo_width() - 60))
        if width != self._wrapped_at:
            self._wrapped_at = width
            for label in (self._title, self._text):
                label.configure(wraplength=width)
