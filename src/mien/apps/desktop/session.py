"""What the app does, without its window: open, pause, save, record, and what there is to say about it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mien.analyzer import Analyzer
from mien.apps.desktop.album import Album
from mien.apps.desktop.cards import Card, cards_of_faces, cards_of_people
from mien.apps.desktop.files import new_path
from mien.apps.desktop.live import Live, Shot
from mien.apps.desktop.settings import Settings, settings_path
from mien.apps.desktop.sheet import sheet, strip_columns
from mien.detection.base import Frame
from mien.drawing import draw
from mien.errors import MienError
from mien.images import write_image
from mien.live.capture import State
from mien.live.sources import Source, describe_source, open_source

if TYPE_CHECKING:
    from mien.live.recorder import Recorder

# Seconds for which it stays visible what was just done.
_NOTE_S = 6.0


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to say in the place of the picture.

    Attributes:
        title: In a few words.
        text: In a sentence.
        retry: What a button says that tries again, empty for no button.
    """

    title: str
    text: str
    retry: str = ""


class Session:
    """One run of the app. For use from one thread; the work is done on others.

    Args:
        analyzer: Reads the faces.
        save_folder: For screenshots and recordings; None takes the one that is remembered.
        settings_file: Where folders are remembered; None takes the system's place for it.
        opener: Opens what live frames come from.

    Attributes:
        shot: What is looked at; None as long as there is nothing.
        show_all: Whether all seven probabilities are shown.
        settings: The remembered folders.
    """

    def __init__(
        self,
        analyzer: Analyzer,
        save_folder: Path | None = None,
        settings_file: Path | None = None,
        opener: Callable[[str], Source] = open_source,
    ) -> None:
        self.shot: Shot | None = None
        self.show_all = True
        self._settings_file = settings_file or settings_path()
        self.settings = Settings.load(self._settings_file)
        if save_folder is not None:
            self.choose_save_folder(save_folder)
        self._analyzer = analyzer
        self._opener = opener
        self._source = ""
        self._live: Live | None = None
        self._album: Album | None = None
        self._recorder: Recorder | None = None
        self._note, self._note_until = "", 0.0

    # Opening

    def open_live(self, source: str) -> None:
        """Show a camera, by its number, or a video file or URL."""
        self._leave()
        self._source = source
        self._live = Live(self._analyzer, lambda: self._opener(source), describe_source(source))

    def open_video(self, path: Path) -> None:
        """Show a video file, and remember its folder."""
        self._remember_open(path)
        self.open_live(str(path))

    def open_pictures(self, paths: Sequence[Path]) -> None:
        """Show pictures, and remember their folder."""
        if not paths:
            return
        self._remember_open(paths[0])
        self._leave()
        self._album = Album(self._analyzer, paths)

    def retry(self) -> None:
        """Open the same camera or video once more."""
        if self._live is not None:
            self.open_live(self._source)

    def step(self, by: int) -> None:
        """Go on by so many pictures."""
        if self._album is not None and len(self._album) > 1:
            self._album.step(by)
            self.shot = None

    def close(self) -> None:
        """Finish a recording and let go of cameras and files."""
        self._leave()

    # What the keys do

    def toggle_pause(self) -> None:
        """Stand still, or go on; play a clip again that is over."""
        if self._live is None:
            return
        if self._live.state is State.ENDED:
            self.retry()
        elif self._live.state is not State.FAILED:
            self._live.pause(not self._live.paused)

    def toggle_all(self) -> None:
        """Show all seven probabilities, or only the likeliest."""
        self.show_all = not self.show_all

    def screenshot(self) -> Path | None:
        """Save what is looked at, as `picture` makes it, and say so.

        Returns:
            The file; None if there is nothing to save or it cannot be written.
        """
        if self.shot is None:
            self.note("Nothing to save yet: there is no picture")
            return None
        path = new_path(self.settings.save_path, ".png", datetime.now())
        try:
            write_image(self.picture(self.shot), path)
        except MienError as error:
            self.note(f"{error}. Press F to choose another folder")
            return None
        self.note(f"Saved {path}")
        return path

    def toggle_recording(self) -> None:
        """Begin to record, or end it, and say so."""
        if self._recorder is not None:
            self._finish_recording()
        elif self._live is None or self._live.state is not State.RUNNING:
            self.note("Nothing to record: start the camera or open a video first")
        else:
            self._begin_recording(self._live)

    def choose_save_folder(self, folder: Path) -> None:
        """Save to this folder from now on, and remember it."""
        self.settings.save_folder = str(folder.absolute())
        self.settings.save(self._settings_file)
        self.note(f"Screenshots and recordings go to {self.settings.save_folder}")

    # What there is to show

    def update(self) -> bool:
        """Take over what the threads have done since the last time.

        Returns:
            Whether `shot` has changed.
        """
        source = self._live or self._album
        shot = source.take() if source is not None else None
        if shot is not None:
            self.shot = shot
        over = self._live is None or self._live.state in (State.ENDED, State.FAILED)
        if self._recorder is not None and (over or self._recorder.error is not None):
            self._finish_recording()
        return shot is not None

    def cards(self, columns: int, shot: Shot | None = None) -> list[Card]:
        """A card for everybody there is something to say about.

        Args:
            columns: Into how many columns to divide the last half minute.
            shot: What they are to agree with; None for what is looked at.
        """
        shot = shot or self.shot
        faces = shot.result.faces if shot is not None else ()
        if self._live is not None:
            return cards_of_people(self._live.history, faces, columns, self.show_all)
        return cards_of_faces(faces, self.show_all)

    def picture(self, shot: Shot) -> Frame:
        """What is saved of a shot: the frame with boxes and labels, and the cards beside it; called on any thread."""
        return sheet(draw(shot.frame, shot.result), self.cards(strip_columns(shot.frame.shape[0]), shot))

    @property
    def live(self) -> Live | None:
        """The camera or video; None while pictures are shown."""
        return self._live

    @property
    def paused(self) -> bool:
        """Whether the picture stands still because the user wants it to."""
        return self._live is not None and self._live.paused

    @property
    def recording_s(self) -> float | None:
        """Length of the recording in seconds; None while there is none."""
        return self._recorder.length_s if self._recorder is not None else None

    @property
    def note_text(self) -> str:
        """What was just done; empty after a few seconds."""
        return self._note if time.monotonic() < self._note_until else ""

    def note(self, text: str) -> None:
        """Say for a few seconds what was done."""
        self._note, self._note_until = text, time.monotonic() + _NOTE_S

    @property
    def title(self) -> str:
        """What is looked at: ``camera 0``, ``walk.mp4  0:07 / 0:19`` or ``group.jpg  2 of 5``."""
        if self._live is not None:
            length, shot = self._live.duration_s, self.shot
            if length is None or shot is None:
                return self._live.name
            return f"{self._live.name}   {clock(shot.result.time_s or 0.0)} / {clock(length)}"
        if self._album is not None:
            place = f"   {self._album.number + 1} of {len(self._album)}" if len(self._album) > 1 else ""
            return self._album.name + place
        return ""

    @property
    def ended(self) -> bool:
        """Whether a clip has been played to its end."""
        return self._live is not None and self._live.state is State.ENDED

    @property
    def notice(self) -> Notice | None:
        """What to say in the place of the picture; None where the picture is to be seen."""
        if self._live is not None:
            if self._live.state is State.FAILED:
                return Notice(f"No picture from {self._live.name}", str(self._live.error), "Try again")
            if self.shot is None and self._live.state is not State.ENDED:
                return Notice(f"Opening {self._live.name} …", "This takes a moment")
        if self._album is not None:
            if self._album.error is not None:
                return Notice("This picture cannot be read", str(self._album.error))
            if self.shot is None:
                return Notice(f"Reading {self._album.name} …", "Large pictures take a moment")
        return None

    def _begin_recording(self, live: Live) -> None:
        try:
            # PyAV is an extra, and everything else does without it.
            from mien.live.recorder import Recorder

            self._recorder = Recorder(new_path(self.settings.save_path, ".mp4", datetime.now()))
        except MienError as error:
            self.note(f"{error}. Press F to choose another folder")
            return
        live.record(self._recorder, self.picture)
        self.note(f"Recording to {self._recorder.path}")

    def _finish_recording(self) -> None:
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

    def _leave(self) -> None:
        self._finish_recording()
        for source in (self._live, self._album):
            if source is not None:
                source.close()
        self._live = self._album = self.shot = None

    def _remember_open(self, path: Path) -> None:
        self.settings.open_folder = str(path.absolute().parent)
        self.settings.save(self._settings_file)


def clock(seconds: float) -> str:
    """Minutes and seconds, for example ``1:07``."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
