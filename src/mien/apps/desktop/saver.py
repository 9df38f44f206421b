"""What the app writes: screenshots, recordings and session reports, all into one folder, and what it says of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mien.apps.desktop.files import new_path
from mien.apps.desktop.live import FrameWithResult, Live
from mien.detection.base import Frame
from mien.errors import MienError, MissingExtraError
from mien.files import write_whole
from mien.images import write_image
from mien.live import session_report
from mien.live.session_log import Session as LiveSession

if TYPE_CHECKING:
    from mien.live.recorder import Recorder

# Seconds for which it stays visible what was just done.
_NOTE_S = 6.0
_ADVICE = "Press F to choose another folder"


class Saver:
    """Writes files and keeps what there is to say about it.

    Args:
        folder: Gives the folder for files.
    """

    def __init__(self, folder: Callable[[], Path]) -> None:
        self._folder = folder
        self._recorder: Recorder | None = None
        self._live: Live | None = None
        self._note, self._note_until = "", 0.0

    @property
    def note_text(self) -> str:
        """What was just done; empty after a few seconds."""
        return self._note if time.monotonic() < self._note_until else ""

    def note(self, text: str) -> None:
        """Say for a few seconds what was done."""
        self._note, self._note_until = text, time.monotonic() + _NOTE_S

    def save_picture(self, picture: Frame) -> Path | None:
        """Write a PNG, and say so; None if it cannot be written."""
        path = new_path(self._folder(), ".png", datetime.now())
        try:
            write_image(picture, path)
        except MienError as error:
            self.note(f"{error}. {_ADVICE}")
            return None
        self.note(f"Saved {path}")
        return path

    def save_session(self, session: LiveSession, portraits: bool = True) -> Path | None:
        """Write a folder with the table, the data, the timeline and the report of a session, and say so.

        Args:
            session: The session.
            portraits: Whether the report shows faces.

        Returns:
            The folder; None if it cannot be written. Without matplotlib timeline and report are left out.
        """
        folder = new_path(self._folder(), "", datetime.now())
        try:
            session_report.write_table(session, folder / "session.csv")
            write_whole(folder / "session.json", session_report.json_of(session))
            session_report.write_timeline(session, folder / "timeline.png")
            write_whole(folder / "report.html", session_report.html_of(session, portraits))
        except MissingExtraError as error:
            self.note(f"Saved {folder} without timeline and report: {error.reason}")
        except MienError as error:
            self.note(f"{error}. {_ADVICE}")
            return None
        else:
            self.note(f"Saved {folder}")
        return folder

    # Recordings

    @property
    def recording_s(self) -> float | None:
        """Length of the recording in seconds; None while there is none."""
        return self._recorder.length_s if self._recorder is not None else None

    @property
    def failed(self) -> bool:
        """Whether the recording cannot go on."""
        return self._recorder is not None and self._recorder.error is not None

    def begin_recording(self, live: Live, picture: Callable[[FrameWithResult], Frame]) -> None:
        """Record what is shown from now on, as the given function draws it, and say so."""
        try:
            # PyAV is an extra, and everything else does without it.
            from mien.live.recorder import Recorder

            self._recorder = Recorder(new_path(self._folder(), ".mp4", datetime.now()))
        except MienError as error:
            self.note(f"{error}. {_ADVICE}")
            return
        self._live = live
        live.record(self._recorder, picture)
        self.note(f"Recording to {self._recorder.path}")

    def finish_recording(self) -> None:
        """End the recording, if there is one, and say so."""
        recorder, self._recorder = self._recorder, None
        if recorder is None:
            return
        if self._live is not None:
            self._live.stop_recording()
        try:
            path = recorder.finish()
        except MienError as error:
            self.note(str(error))
        else:
            self.note(f"Saved {path}" if path else "Nothing was recorded: no picture came in time")
