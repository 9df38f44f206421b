"""The window."""

from __future__ import annotations

import time
import tkinter as tk
from collections.abc import Callable, Collection
from pathlib import Path
from tkinter import filedialog, ttk

from mien.apps.desktop import palette, theme
from mien.apps.desktop.keys import action
from mien.apps.desktop.notice import NoticeView
from mien.apps.desktop.panel import PeoplePanel
from mien.apps.desktop.picture import PictureView
from mien.apps.desktop.session import Session, clock
from mien.apps.desktop.toolbar import Toolbar
from mien.files import VIDEO_FILES
from mien.images import IMAGE_SUFFIXES
from mien.live.meter import Average

DISCLAIMER = (
    "An expression, not a mind: a guess about what a face shows, not about what a person feels. "
    "Not for use at work or in schools."
)

_TICK_MS, _PANEL_S, _STATUS_S = 12, 0.1, 0.3
_WIDTH, _HEIGHT, _PANEL_WIDTH, _NARROW_PANEL_WIDTH = 1280, 800, 330, 264


class Window:
    """Shows a session and passes on what the user does.

    Args:
        root: The window, still empty.
        session: What it shows.
        camera: Number of the camera that the camera button starts, or a URL.
    """

    def __init__(self, root: tk.Tk, session: Session, camera: str = "0") -> None:
        self._root, self._session, self._camera = root, session, camera
        self._draw_s = Average()
        self._stages = ""
        self._panel_due = self._status_due = 0.0
        self._closing = False
        root.title("mien")
        theme.apply(root)
        width, height = min(_WIDTH, root.winfo_screenwidth()), min(_HEIGHT, root.winfo_screenheight())
        root.geometry(f"{width}x{height}")
        root.minsize(760, 420)
        self._actions = self._make_actions()
        self._build()
        root.protocol("WM_DELETE_WINDOW", self.close)
        root.bind("<Key>", self._on_key)
        root.bind("<Configure>", self._on_resize)
        self._picture.focus_set()
        self._tick()

    def close(self) -> None:
        """Close the window at the next opportunity; safe to call from a signal handler."""
        self._closing = True

    def _make_actions(self) -> dict[str, Callable[[], object]]:
        session = self._session
        return {
            "quit": self.close,
            "screenshot": session.screenshot,
            "toggle_all": session.toggle_all,
            "toggle_pause": session.toggle_pause,
            "toggle_recording": session.toggle_recording,
            "open_camera": lambda: session.open_live(self._camera),
            "open_video": self._ask_video,
            "open_pictures": self._ask_pictures,
            "choose_folder": self._ask_folder,
            "previous_picture": lambda: session.step(-1),
            "next_picture": lambda: session.step(1),
            "scroll_up": lambda: self._panel.scroll(-2),
            "scroll_down": lambda: self._panel.scroll(2),
        }

    def _build(self) -> None:
        root = self._root
        self._toolbar = Toolbar(root, self._actions)
        self._toolbar.pack(side="top", fill="x")
        foot = ttk.Frame(root, padding=(14, 8, 14, 10))
        foot.pack(side="bottom", fill="x")
        self._rates = _label(foot, theme.BODY, palette.DIM)
        self._said = _label(foot, theme.BODY, palette.TEXT)
        disclaimer = _label(foot, theme.SMALL, palette.FAINT)
        disclaimer.configure(text=DISCLAIMER)
        disclaimer.pack(side="bottom", anchor="w", pady=(6, 0))
        self._rates.pack(side="right")
        self._said.pack(side="left", fill="x", expand=True)
        body = ttk.Frame(root, padding=(14, 0, 14, 0))
        body.pack(side="top", fill="both", expand=True)
        body.columnconfigure(0, weight=1)
        body.rowconfigure(0, weight=1)
        self._picture = PictureView(body)
        self._picture.grid(row=0, column=0, sticky="nsew")
        self._panel = PeoplePanel(body, _PANEL_WIDTH)
        self._panel.grid(row=0, column=1, sticky="ns", padx=(12, 0))
        self._notice = NoticeView(self._picture, self._session.retry)

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
        if session.update() and session.shot is not None:
            self._picture.show(session.shot)
            draw_s = time.monotonic() - now
            stages = self._draw_s.update({**session.shot.stage_s, "draw": draw_s}, now)
            self._stages = "   ".join(f"{name} {seconds * 1000:.0f}" for name, seconds in stages.items()) + " ms"
        elif session.shot is None or session.notice is not None:
            self._picture.show(None)
        self._show_marks()
        if self._notice.show(session.notice):
            self._picture.focus_set()
        if now >= self._panel_due:
            self._panel_due = now + _PANEL_S
            self._show_panel()
        if now >= self._status_due:
            self._status_due = now + _STATUS_S
            self._show_rates()
        self._toolbar.update_from(session)
        said = session.note_text or session.title
        if self._said.cget("text") != said:
            self._said.configure(text=said)

    def _show_marks(self) -> None:
        session = self._session
        marks = []
        if session.recording_s is not None:
            marks.append(f"● REC {clock(session.recording_s)}")
        if session.ended:
            marks.append("The end: SPACE plays it again")
        elif session.paused:
            marks.append("Paused: SPACE goes on")
        self._picture.mark(*marks)

    def _show_panel(self) -> None:
        people = self._session.cards(self._panel.strip_width) if self._session.notice is None else []
        empty = (
            "" if self._session.notice is not None else "No face in sight" if self._session.live else "No face found"
        )
        self._panel.show(people, empty)

    def _show_rates(self) -> None:
        live = self._session.live
        if live is None or self._session.notice is not None:
            self._rates.configure(text="")
        elif not self._session.paused and not self._session.ended:
            source_fps, fps = live.rates
            self._rates.configure(text=f"{fps:.0f} of {source_fps:.0f} FPS   {self._stages}")

    def _on_key(self, event: tk.Event[tk.Misc]) -> None:
        focused = self._root.focus_get()
        if event.keysym in ("Return", "KP_Enter") and isinstance(focused, (ttk.Button, ttk.Checkbutton)):
            focused.invoke()
        elif event.keysym == "space" and isinstance(focused, (ttk.Button, ttk.Checkbutton)):
            # The button is pressed by it, as everywhere.
            return
        else:
            name = action(event.keysym, int(event.state))
            if name is not None:
                self._actions[name]()

    def _on_resize(self, event: tk.Event[tk.Misc]) -> None:
        if event.widget is self._root:
            self._panel.configure(width=_PANEL_WIDTH if event.width >= 1000 else _NARROW_PANEL_WIDTH)

    def _ask_video(self) -> None:
        chosen = filedialog.askopenfilename(
            parent=self._root,
            title="Open a video",
            initialdir=self._session.settings.open_folder or str(Path.home()),
            filetypes=[("Videos", _patterns(VIDEO_FILES)), ("All files", "*")],
        )
        if chosen:
            self._session.open_video(Path(chosen))

    def _ask_pictures(self) -> None:
        chosen = filedialog.askopenfilenames(
            parent=self._root,
            title="Open pictures",
            initialdir=self._session.settings.open_folder or str(Path.home()),
            filetypes=[("Pictures", _patterns(IMAGE_SUFFIXES)), ("All files", "*")],
        )
        self._session.open_pictures([Path(name) for name in chosen])

    def _ask_folder(self) -> None:
        folder = self._session.settings.save_path
        initial = folder if folder.is_dir() else Path.home()
        chosen = filedialog.askdirectory(
            parent=self._root, title="Folder for screenshots and recordings", initialdir=str(initial)
        )
        if chosen:
            self._session.choose_save_folder(Path(chosen))


def _patterns(suffixes: Collection[str]) -> str:
    """File names with these suffixes, as Tk's dialogs read them."""
    return " ".join(f"*{suffix} *{suffix.upper()}" for suffix in sorted(suffixes))


def _label(parent: tk.Misc, font: str, color: str) -> ttk.Label:
    return ttk.Label(parent, font=font, foreground=color)
