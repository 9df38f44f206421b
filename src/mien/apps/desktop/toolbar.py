"""The row of buttons."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Mapping
from tkinter import ttk

from mien.apps.desktop.session import Session


class Toolbar(ttk.Frame):
    """Buttons for everything the keys do; the key of each is the letter that is underlined.

    Args:
        parent: Where it goes.
        actions: What each action of `mien.apps.desktop.keys` does.
    """

    def __init__(self, parent: tk.Misc, actions: Mapping[str, Callable[[], object]]) -> None:
        super().__init__(parent, padding=(12, 12, 12, 10))
        self._actions = actions
        self._all = tk.BooleanVar(self, value=True)
        self._button("Camera", "C", "open_camera")
        self._button("Video…", "V", "open_video")
        self._button("Pictures…", "P", "open_pictures")
        self._space()
        self._pause = self._button("Pause", "", "toggle_pause")
        self._button("Screenshot", "S", "screenshot")
        self._record = self._button("Record", "R", "toggle_recording")
        toggle = ttk.Checkbutton(
            self,
            text="All emotions",
            underline=0,
            style="Toggle.TButton",
            variable=self._all,
            command=actions["toggle_all"],
        )
        toggle.pack(side="left", padx=2)
        self._button("Quit", "Q", "quit", side="right")
        self._button("Folder…", "F", "choose_folder", side="right")

    def update_from(self, session: Session) -> None:
        """Show what is on and what can be done."""
        self._all.set(session.show_all)
        can_play = session.live is not None and session.notice is None
        pause = "Replay" if session.ended else "Resume" if session.paused else "Pause"
        recording = session.recording_s is not None
        _set(self._pause, pause, can_play)
        _set(self._record, "Stop" if recording else "Record", recording or (can_play and not session.ended))

    def _button(self, text: str, key: str, action: str, side: str = "left") -> ttk.Button:
        underline = text.find(key) if key else -1
        button = ttk.Button(self, text=text, underline=underline, command=self._actions[action])
        button.pack(side=side, padx=2)  # type: ignore[arg-type]
        return button

    def _space(self) -> None:
        ttk.Frame(self, width=12).pack(side="left")


def _set(button: ttk.Button, text: str, enabled: bool) -> None:
    if button.cget("text") != text:
        button.configure(text=text)
    button.state(["!disabled" if enabled else "disabled"])
