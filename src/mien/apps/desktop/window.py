"""The window."""

from __future__ import annotations

import time
import tkinter as tk
from collections.abc import Callable
from pathlib import Path
from tkinter import ttk

from mien.apps.desktop import dialogs, theme
from mien.apps.desktop.keys import action
from mien.apps.desktop.notice import NoticeView
from mien.apps.desktop.palette import DARK, LIGHT, choose_palette
from mien.apps.desktop.panel import PeoplePanel
from mien.apps.desktop.picture import PictureView
from mien.apps.desktop.session import Session
from mien.apps.desktop.summary import SummaryView
from mien.apps.desktop.toolbar import Toolbar
from mien.clock import clock
from mien.live.meter import Average
from mien.live.session_report import GUESS

DISCLAIMER = f"{GUESS} Not for use at work or in schools."

_TICK_MS, _PANEL_S, _STATUS_S = 12, 0.1, 0.3
_WIDTH, _HEIGHT, _PANEL_WIDTH, _NARROW_PANEL_WIDTH = 1280, 800, 330, 264
_LEAST_WIDTH, _LEAST_HEIGHT = 760, 420


class Window:
    """Shows a session and passes on what the user does.

    Args:
        root: The window, still empty.
        session: What it shows.
        camera: Number of the camera that the camera key starts, or a URL.
    """

    def __init__(self, root: tk.Tk, session: Session, camera: str = "0") -> None:
        self._root, self._session, self._camera = root, session, camera
        self._palette = choose_palette(session.settings.theme)
        self._draw_s = Average()
        self._stages = ""
        self._details = False
        self._hovered: int | None = None
        self._drawn: tuple[object, ...] = ()
        self._panel_due = self._status_due = 0.0
        self._closing = False
        root.title("mien")
        theme.apply(root, self._palette)
        width, height = min(_WIDTH, root.winfo_screenwidth()), min(_HEIGHT, root.winfo_screenheight())
        root.geometry(f"{width}x{height}")
        self._actions = self._make_actions()
        self._build()
        root.minsize(max(_LEAST_WIDTH, self._toolbar.least_width()), _LEAST_HEIGHT)
        root.protocol("WM_DELETE_WINDOW", self.close)
        root.bind("<Key>", self._on_key)
        root.bind("<Configure>", self._on_resize)
        self._accept_drops()
        self._picture.focus_set()
        self._tick()

    def close(self) -> None:
        """Close the window at the next opportunity; safe to call from a signal handler."""
        self._closing = True

    def _make_actions(self) -> dict[str, Callable[[], object]]:
        session = self._session
        return {
            "quit": self.close,
            "screenshot": self._save,
            "toggle_all": session.toggle_all,
            "toggle_pause": session.toggle_pause,
            "toggle_recording": session.toggle_recording,
            "toggle_blur": session.toggle_blur,
            "toggle_mirror": session.toggle_mirror,
            "toggle_theme": self._toggle_theme,
            "toggle_details": self._toggle_details,
            "open_camera": lambda: session.open_camera(self._camera),
            "open_video": self._ask_video,
            "open_pictures": lambda: session.open_pictures(
                dialogs.ask_pictures(self._root, session.settings.open_folder)
            ),
            "choose_folder": self._ask_folder,
            "mark": self._mark,
            "end_session": session.end_session,
            "explain": lambda: session.explain(self._hovered),
            "previous_picture": lambda: session.step(-1),
            "next_picture": lambda: session.step(1),
            "scroll_up": lambda: self._scroll(-2),
            "scroll_down": lambda: self._scroll(2),
        }

    def _build(self) -> None:
        root, colors = self._root, self._palette
        self._toolbar = Toolbar(root, self._actions, self._choose_camera)
        self._toolbar.pack(side="top", fill="x")
        foot = ttk.Frame(root, padding=(14, 8, 14, 10))
        foot.pack(side="bottom", fill="x")
        self._rates, self._said = ttk.Label(foot, font=theme.BODY), ttk.Label(foot, font=theme.BODY)
        self._disclaimer = ttk.Label(foot, font=theme.SMALL, text=DISCLAIMER)
        self._disclaimer.pack(side="bottom", anchor="w", pady=(6, 0))
        self._rates.pack(side="right")
        self._said.pack(side="left", fill="x", expand=True)
        body = ttk.Frame(root, padding=(14, 0, 14, 0))
        body.pack(side="top", fill="both", expand=True)
        body.columnconfigure(0, weight=1)
        body.rowconfigure(0, weight=1)
        self._picture = PictureView(body, colors)
        self._picture.grid(row=0, column=0, sticky="nsew")
        self._panel = PeoplePanel(body, _PANEL_WIDTH, colors, self._hover)
        self._panel.grid(row=0, column=1, sticky="ns", padx=(12, 0))
        self._notice = NoticeView(self._picture, colors, self._session.retry)
        self._summary = SummaryView(self._picture, colors, self._save, self._session.retry)
        self._color_labels()

    def _color_labels(self) -> None:
        self._rates.configure(foreground=self._palette.dim)
        self._disclaimer.configure(foreground=self._palette.dim)
        self._said.configure(foreground=self._palette.text)

    def _toggle_theme(self) -> None:
        self._palette = DARK if self._palette is LIGHT else LIGHT
        theme.set_colors(self._root, self._palette)
        for part in (self._picture, self._panel, self._notice, self._summary):
            part.recolor(self._palette)
        self._color_labels()
        self._session.remember_theme(self._palette.name)

    def _toggle_details(self) -> None:
        self._details = not self._details
        self._status_due = 0.0

    def _accept_drops(self) -> None:
        """Open files that are dropped on the window, where tkinterdnd2 is installed."""
        if not hasattr(self._root, "drop_target_register"):
            return
        self._root.drop_target_register("DND_Files")
        self._root.dnd_bind("<<Drop>>", self._on_drop)  # type: ignore[attr-defined]

    def _on_drop(self, event: tk.Event[tk.Misc]) -> str:
        names = self._root.tk.splitlist(event.data)  # type: ignore[attr-defined]
        self._session.open_files([Path(name) for name in names])
        # Tells the program that the files come from that they were taken.
        return str(event.action)  # type: ignore[attr-defined]

    def _tick(self) -> None:
        if self._closing:
            self._session.close()
            self._root.destroy()
            return
        try:
            self._update(time.monotonic())
        finally:
            # Whatever happened, the window has to stay alive: closing it is noticed here.
            self._root.after(_TICK_MS, self._tick)

    def _update(self, now: float) -> None:
        session = self._session
        session.update()
        self._show_picture(now)
        self._summary.show(session.report if session.reviewing else None, session.blur)
        self._show_marks()
        if self._notice.show(session.notice):
            self._picture.focus_set()
        if now >= self._panel_due:
            self._panel_due = now + _PANEL_S
            self._show_panel()
        if now >= self._status_due:
            self._status_due = now + _STATUS_S
            self._show_rates()
        self._toolbar.update_from(session, self._palette is LIGHT, self._details)
        title = session.title if session.explanation is None else "Explanation: press W to go back, S to save it"
        said = session.saver.note_text or title
        if self._said.cget("text") != said:
            self._said.configure(text=said)

    def _show_picture(self, now: float) -> None:
        """Draw what is to be seen, unless it is there already."""
        session = self._session
        shown = None if session.notice is not None else session.explanation or session.shown
        mirrored = session.mirrored and session.explanation is None
        drawn = (shown, session.blur, mirrored, self._hovered)
        if drawn == self._drawn:
            return
        is_new = shown is not None and shown is not self._drawn[0] if self._drawn else True
        self._drawn = drawn
        self._picture.show(shown, session.blur, mirrored, self._hovered)
        # The cards say of the picture what its labels say.
        self._panel_due = now
        if is_new and shown is not None:
            stages = self._draw_s.update({**shown.stage_s, "draw": time.monotonic() - now}, now)
            self._stages = "   ".join(f"{name} {seconds * 1000:.0f}" for name, seconds in stages.items()) + " ms"

    def _show_marks(self) -> None:
        session = self._session
        marks = []
        if session.saver.recording_s is not None:
            marks.append(f"● REC {clock(session.saver.recording_s)}")
        # An explanation has its own words where these would be.
        if session.ended and session.explanation is None:
            marks.append("The end - press Space to play it again, E for the session")
        elif session.paused and session.explanation is None:
            marks.append("Paused - press Space to resume")
        self._picture.mark(*marks)

    def _show_panel(self) -> None:
        session = self._session
        if session.notice is not None or session.reviewing:
            self._panel.show([], "")
        else:
            empty = "No face in sight" if session.live else "No face found" if session.title else ""
            self._panel.show(session.cards(self._panel.columns), empty)

    def _show_rates(self) -> None:
        live = self._session.live
        if live is None or self._session.notice is not None:
            self._rates.configure(text="")
        elif not self._session.paused and not self._session.ended:
            source_fps, fps = live.rates
            details = f" of {source_fps:.0f}   {self._stages}" if self._details else ""
            self._rates.configure(text=f"{fps:.0f} FPS{details}")

    def _on_key(self, event: tk.Event[tk.Misc]) -> None:
        # Tk's own dialogs are widgets that tkinter knows by name only.
        if isinstance(event.widget, str) or event.widget.winfo_toplevel() is not self._root:
            return
        # Not what has the focus by now: a button that opens its menu has handed it on.
        focused = event.widget
        if event.keysym in ("Return", "KP_Enter") and isinstance(focused, (ttk.Button, ttk.Checkbutton)):
            focused.invoke()
        elif event.keysym == "space" and isinstance(focused, (ttk.Button, ttk.Checkbutton, ttk.Menubutton)):
            # The button is pressed by it, as everywhere.
            return
        else:
            name = action(event.keysym, int(event.state))
            if name is not None:
                self._actions[name]()

    def _on_resize(self, event: tk.Event[tk.Misc]) -> None:
        if event.widget is self._root:
            self._panel.configure(width=_PANEL_WIDTH if event.width >= 1000 else _NARROW_PANEL_WIDTH)

    def _hover(self, number: int | None) -> None:
        self._hovered = number

    def _scroll(self, steps: int) -> None:
        (self._summary if self._session.reviewing else self._panel).scroll(steps)

    def _choose_camera(self, number: str) -> None:
        self._camera = number
        self._session.open_camera(number)

    def _save(self) -> None:
        if self._session.reviewing:
            # It takes a moment, in which the window stands still.
            self._said.configure(text="Saving the report …")
            self._root.update_idletasks()
        self._session.screenshot()

    def _mark(self) -> None:
        marker = self._session.mark()
        if marker is not None:
            # The moment is that of the key; the session goes on while the note is written.
            self._session.annotate(marker, dialogs.ask_note(self._root))

    def _ask_video(self) -> None:
        path = dialogs.ask_video(self._root, self._session.settings.open_folder)
        if path is not None:
            self._session.open_video(path)

    def _ask_folder(self) -> None:
        folder = dialogs.ask_folder(self._root, self._session.settings.save_path)
        if folder is not None:
            self._session.choose_save_folder(folder)
