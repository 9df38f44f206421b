"""What a live session left, in the place of the picture."""

from __future__ import annotations

import io
import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageTk

from mien.apps.desktop import theme
from mien.apps.desktop.palette import Palette
from mien.clock import clock
from mien.drawing import load_font
from mien.live.colors import edge_color, hexadecimal, rgb
from mien.live.session_log import Session
from mien.live.session_report import GUESS, seconds_of, strips_of
from mien.live.strips import draw_strip
from mien.video.summary import TrackSummary

_ROW, _PAD, _PORTRAIT = 118, 14, 84


class SummaryView(tk.Frame):
    """Shows a session that is over, with buttons to save it and to begin again.

    Args:
        parent: The widget that it covers.
        palette: The colors.
        save: What the first button does.
        restart: What the second one does.
    """

    def __init__(
        self, parent: tk.Misc, palette: Palette, save: Callable[[], object], restart: Callable[[], object]
    ) -> None:
        super().__init__(parent)
        self._shown: tuple[object, ...] = ()
        self._photo: ImageTk.PhotoImage | None = None
        self._title = tk.Label(self, font=theme.TITLE, anchor="w")
        self._title.pack(fill="x", padx=20, pady=(18, 0))
        self._facts = tk.Label(self, font=theme.BODY, anchor="w", justify="left")
        self._facts.pack(fill="x", padx=20, pady=(4, 8))
        buttons = tk.Frame(self)
        buttons.pack(side="bottom", fill="x", padx=20, pady=14)
        self._save = ttk.Button(buttons, text="Save report", underline=0, style="Accent.TButton", command=save)
        self._save.pack(side="left")
        ttk.Button(buttons, text="Start again", command=restart).pack(side="left", padx=8)
        self._buttons = buttons
        self._people = tk.Canvas(self, highlightthickness=0)
        self._people.pack(fill="both", expand=True, padx=20)
        self._people.bind("<MouseWheel>", lambda event: self.scroll(-1 if event.delta > 0 else 1))
        self._people.bind("<Button-4>", lambda _: self.scroll(-1))
        self._people.bind("<Button-5>", lambda _: self.scroll(1))
        self.recolor(palette)

    def recolor(self, palette: Palette) -> None:
        """Use other colors from now on."""
        self._palette = palette
        for widget in (self, self._title, self._facts, self._buttons, self._people):
            widget.configure(background=palette.stage)
        self._title.configure(foreground=palette.text)
        self._facts.configure(foreground=palette.dim)

    def show(self, session: Session | None, blur: bool) -> None:
        """Show a session, or nothing.

        Args:
            session: The session; None for nothing.
            blur: Whether faces must not be recognizable.
        """
        if session is None:
            if self._shown:
                self._shown = ()
                self.place_forget()
            return
        appears = not self._shown
        if appears:
            self.place(relwidth=1, relheight=1)
            self._save.focus_set()
            self.update_idletasks()
        width = max(200, self._people.winfo_width())
        wanted = (session, blur, width, self._palette.name)
        if wanted == self._shown:
            return
        self._shown = wanted
        self._title.configure(text=f"Session: {session.source}")
        self._facts.configure(text=_facts(session), wraplength=width)
        picture = draw_people(session, width, self._palette, portraits=not blur)
        self._photo = ImageTk.PhotoImage(Image.fromarray(picture), master=self)
        self._people.delete("all")
        self._people.create_image(0, 0, image=self._photo, anchor="nw")
        self._people.configure(scrollregion=(0, 0, width, picture.shape[0]))

    def scroll(self, steps: int) -> None:
        """Scroll by so many steps of a fifth of the height; down if positive."""
        self._people.yview_moveto(max(0.0, self._people.yview()[0] + steps * 0.2))


def _facts(session: Session) -> str:
    people = len(session.summary.tracks)
    facts = f"{clock(session.duration_s)}   ·   {people} {'person' if people == 1 else 'people'}   ·   "
    facts += f"{session.summary.frames} frames read   ·   {GUESS}"
    marks = "   ".join(f"{clock(mark.time_s)} {mark.note}".strip() for mark in session.markers)
    return f"{facts}\nMarkers:  {marks}" if marks else facts


def draw_people(session: Session, width: int, palette: Palette, portraits: bool) -> NDArray[np.uint8]:
    """Every person with their strip and the seconds of each emotion, below each other.

    Args:
        session: The session.
        width: In pixels.
        palette: The colors.
        portraits: Whether to show the faces.

    Returns:
        uint8 (H, width, 3), red, green, blue.
    """
    people = sorted(session.summary.tracks.values(), key=lambda person: -person.total_s)
    image = Image.new("RGB", (width, max(60, _ROW * len(people))), palette.stage)
    pen = ImageDraw.Draw(image)
    if not people:
        pen.text((0, 20), "No face was seen.", fill=palette.dim, font=load_font(15))
    strips = strips_of(session, max(16, width - _PORTRAIT - 3 * _PAD))
    for number, person in enumerate(people):
        _draw_person(image, number * _ROW, person, palette, strips[person.track])
        if portraits and person.track in session.portraits:
            portrait = Image.open(io.BytesIO(session.portraits[person.track])).resize((_PORTRAIT, _PORTRAIT))
            image.paste(portrait, (_PAD, number * _ROW + 10))
    return np.asarray(image, np.uint8)


def _draw_person(
    image: Image.Image, top: int, person: TrackSummary, palette: Palette, strip: NDArray[np.float32]
) -> None:
    pen, left = ImageDraw.Draw(image), _PORTRAIT + 2 * _PAD
    pen.rounded_rectangle((0, top, image.width - 1, top + _ROW - 10), 8, fill=palette.surface)
    pen.text((left, top + 20), f"Person #{person.track}", fill=palette.text, font=load_font(15), anchor="lm")
    seen = f"seen for {person.total_s:.1f} s, uncertain for {person.uncertain_s:.1f} s"
    pen.text((image.width - _PAD, top + 20), seen, fill=palette.dim, font=load_font(12), anchor="rm")
    picture = Image.fromarray(draw_strip(strip, 34, rgb(palette.track)))
    image.paste(picture.resize((image.width - left - _PAD, 34), Image.Resampling.NEAREST), (left, top + 36))
    x, y = float(left), top + 84
    for emotion, seconds in seconds_of(person):
        text = f"{emotion} {seconds:.1f} s"
        needed = 16 + load_font(12).getlength(text)
        if x > left and x + needed > image.width - _PAD:
            x, y = float(left), y + 16
        rim = hexadecimal(edge_color(emotion, rgb(palette.surface)))
        pen.ellipse((x, y - 5, x + 10, y + 5), fill=emotion.color, outline=rim)
        pen.text((x + 16, y), text, fill=palette.text, font=load_font(12), anchor="lm")
        x += needed + 16
