"""The row of buttons."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Mapping
from tkinter import ttk

from mien.apps.desktop.session import Session
from mien.live.sources import list_cameras

_MORE = (
    ("Explain the face", "W", "explain"),
    ("End the session", "E", "end_session"),
    ("Folder for files…", "F", "choose_folder"),
)


class Toolbar(ttk.Frame):
    """Buttons for everything the keys do; the key of each is the letter that is underlined.

    Args:
        parent: Where it goes.
        actions: What each action of `mien.apps.desktop.keys` does.
        choose_camera: Opens a camera by its number.
    """

    def __init__(
        self, parent: tk.Misc, actions: Mapping[str, Callable[[], object]], choose_camera: Callable[[str], object]
    ) -> None:
        super().__init__(parent, padding=(12, 12, 12, 10))
        self._actions, self._choose_camera = actions, choose_camera
        self._flags = {name: tk.BooleanVar(self) for name in ("all", "blur", "mirror", "light", "details")}
        self._cameras = self._menu_button("Camera", 0)
        self._cameras.configure(postcommand=self._list_cameras)
        self._button("Video…", "V", "open_video")
        self._button("Pictures…", "P", "open_pictures")
        ttk.Frame(self, width=12).pack(side="left")
        self._pause = self._button("Pause", "", "toggle_pause")
        self._button("Screenshot", "S", "screenshot")
        self._record = self._button("Record", "R", "toggle_recording")
        self._mark = self._button("Mark", "M", "mark")
        self._end = self._button("End", "E", "end_session")
        self._button("Quit", "Q", "quit", side="right")
        more = self._menu_button("More", -1, side="right")
        for text, key, action in _MORE:
            more.add_command(label=text, accelerator=key, command=actions[action])
        more.add_separator()
        for text, key, flag, action in (
            ("All emotions", "A", "all", "toggle_all"),
            ("Blur faces", "B", "blur", "toggle_blur"),
            ("Mirror", "X", "mirror", "toggle_mirror"),
            ("Light colors", "T", "light", "toggle_theme"),
            ("Timings", "D", "details", "toggle_details"),
        ):
            more.add_checkbutton(label=text, accelerator=key, variable=self._flags[flag], command=actions[action])

    def least_width(self) -> int:
        """How many pixels the buttons need, whatever they say; they say the longest of it until the next update."""
        for button, text in ((self._pause, "Resume"), (self._record, "Record"), (self._end, "Session")):
            button.configure(text=text)
        self.update_idletasks()
        return self.winfo_reqwidth()

    def update_from(self, session: Session, light: bool, details: bool) -> None:
        """Show what is on and what can be done."""
        flags = {"all": session.show_all, "blur": session.blur, "mirror": not session.settings.mirror}
        for name, value in {**flags, "light": light, "details": details}.items():
            self._flags[name].set(value)
        can_play = session.live is not None and session.notice is None
        pause = "Replay" if session.ended else "Resume" if session.paused else "Pause"
        recording = session.saver.recording_s is not None
        _set(self._pause, pause, can_play)
        _set(self._record, "Stop" if recording else "Record", recording or (can_play and not session.ended))
        _set(self._mark, "Mark", can_play)
        _set(self._end, "End" if session.live is not None else "Session", can_play or session.report is not None)

    def _button(self, text: str, key: str, action: str, side: str = "left") -> ttk.Button:
        underline = text.find(key) if key else -1
        button = ttk.Button(self, text=text, underline=underline, command=self._actions[action])
        button.pack(side=side, padx=2)  # type: ignore[arg-type]
        return button

    def _menu_button(self, text: str, underline: int, side: str = "left") -> tk.Menu:
        button = ttk.Menubutton(self, text=text, underline=underline)
        menu = tk.Menu(button, tearoff=False)
        button.configure(menu=menu)
        button.pack(side=side, padx=2)  # type: ignore[arg-type]
        return menu

    def _list_cameras(self) -> None:
        """Fill the menu each time it opens, since cameras come and go."""
        self._cameras.delete(0, "end")
        cameras = list_cameras()
        for camera in cameras:
            self._cameras.add_command(
                label=f"{camera.number}   {camera.name}",
                command=lambda number=camera.number: self._choose_camera(str(number)),  # type: ignore[misc]
            )
        if not cameras:
            self._cameras.add_command(label="No camera is connected", state="disabled")


def _set(button: ttk.Button, text: str, enabled: bool) -> None:
    if button.cget("text") != text:
        button.configure(text=text)
    button.state(["!disabled" if enabled else "disabled"])
