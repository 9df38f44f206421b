"""What the app does, without its window: open, pause, save, record, and what there is to say about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from mien.analyzer import Analyzer
from mien.apps.desktop.album import Album
from mien.apps.desktop.card_image import beside
from mien.apps.desktop.cards import Card, cards_of_faces, cards_of_people
from mien.apps.desktop.explainer import Explainer
from mien.apps.desktop.live import FrameWithResult, Live
from mien.apps.desktop.saver import Saver
from mien.apps.desktop.settings import Settings, settings_path
from mien.apps.desktop.wording import Notice, notice_of, title_of
from mien.clock import clock
from mien.detection.base import Frame
from mien.drawing import blur_faces, draw
from mien.errors import MienError
from mien.files import is_video
from mien.images import IMAGE_SUFFIXES
from mien.live.capture import State
from mien.live.session_log import Marker
from mien.live.session_log import Session as LiveSession
from mien.live.sources import Source, describe_source, open_source


class Session:
    """One run of the app. For use from one thread; the work is done on others.

    Args:
        analyzer: Reads the faces.
        save_folder: For what is saved; None takes the one that is remembered.
        settings_file: Where folders are remembered; None takes the system's place for it.
        opener: Opens what live frames come from.

    Attributes:
        shown: What is looked at; None as long as there is nothing.
        explanation: The picture that explains a face of it; None while none is shown.
        report: The last live session, once it is over; None as long as there is none.
        reviewing: Whether `report` is looked at.
        show_all: Whether all seven probabilities are shown.
        blur: Whether faces are made unrecognizable in what is shown and saved.
        settings: What is remembered.
        saver: Writes files, and has what there is to say.
    """

    def __init__(
        self,
        analyzer: Analyzer,
        save_folder: Path | None = None,
        settings_file: Path | None = None,
        opener: Callable[[str], Source] = open_source,
    ) -> None:
        self.shown: FrameWithResult | None = None
        self.explanation: FrameWithResult | None = None
        self.report: LiveSession | None = None
        self.reviewing = False
        self.show_all = True
        self.blur = False
        self._settings_file = settings_file or settings_path()
        self.settings = Settings.load(self._settings_file)
        self.saver = Saver(lambda: self.settings.save_path)
        if save_folder is not None:
            self.choose_save_folder(save_folder)
        self._analyzer = analyzer
        self._opener = opener
        self._source = ""
        self._live: Live | None = None
        self._album: Album | None = None
        self._explainer = Explainer(analyzer)
        # Whether the picture stands still for an explanation alone.
        self._stopped_to_explain = False

    # Opening

    def open_live(self, source: str) -> None:
        """Show a camera, by its number, or a video file or URL."""
        self._leave()
        self._source = source
        self._live = Live(self._analyzer, lambda: self._opener(source), describe_source(source))

    def open_camera(self, source: str) -> None:
        """Show a camera, and remember it."""
        self.settings.camera = source
        self.settings.save(self._settings_file)
        self.open_live(source)

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

    def open_files(self, paths: Sequence[Path]) -> None:
        """Show files that were dropped on the window: the pictures among them, or else the first video."""
        pictures = [path for path in paths if path.suffix.lower() in IMAGE_SUFFIXES]
        videos = [path for path in paths if is_video(path)]
        if pictures:
            self.open_pictures(pictures)
        elif videos:
            self.open_video(videos[0])
        elif paths:
            self.saver.note(f"{paths[0].name} is neither a picture nor a video")

    def retry(self) -> None:
        """Open the same camera or video once more."""
        if self._source:
            self.open_live(self._source)

    def step(self, by: int) -> None:
        """Go on by so many pictures."""
        if self._album is not None and len(self._album) > 1:
            self._album.step(by)
            self.shown = None
            self._end_explanation()

    def close(self) -> None:
        """Finish a recording and let go of cameras and files."""
        self._leave()
        self._explainer.close()

    # What the keys do

    def toggle_pause(self) -> None:
        """Pause, or resume; play a clip again that is over."""
        if self._live is None:
            return
        self._end_explanation()
        if self._live.state is State.ENDED:
            self.retry()
        elif self._live.state is not State.FAILED:
            self._live.pause(not self._live.paused)

    def toggle_all(self) -> None:
        """Show all seven probabilities, or only the likeliest."""
        self.show_all = not self.show_all

    def toggle_blur(self) -> None:
        """Make faces unrecognizable in what is shown and saved, or show them again."""
        self.blur = not self.blur
        if self.blur:
            # It shows the face.
            self._end_explanation(go_on=True)
        self.saver.note("Faces are blurred, in saved files too" if self.blur else "Faces are shown")

    def toggle_mirror(self) -> None:
        """Show cameras as in a mirror, or as others see them, and remember it."""
        self.settings.mirror = "" if self.settings.mirror else "off"
        self.settings.save(self._settings_file)
        self.saver.note("Cameras are shown as others see them" if self.settings.mirror else "Cameras are mirrored")

    def remember_theme(self, name: str) -> None:
        """Use the dark or the light theme from now on."""
        self.settings.theme = name
        self.settings.save(self._settings_file)

    def screenshot(self) -> Path | None:
        """Save what is looked at, and say so.

        Returns:
            The file; None if there is nothing to save or it cannot be written. Of a session that is over, its folder.
        """
        if self.reviewing:
            return self.save_report()
        if self.explanation is not None:
            return self.saver.save_picture(self.explanation.frame)
        if self.shown is None:
            self.saver.note("Nothing to save yet: there is no picture")
            return None
        return self.saver.save_picture(self.picture(self.shown, grow=True))

    def toggle_recording(self) -> None:
        """Begin to record, or end it, and say so."""
        if self.saver.recording_s is not None:
            self.saver.finish_recording()
        elif self._live is None or self._live.state is not State.RUNNING:
            self.saver.note("Nothing to record: start the camera or open a video first")
        else:
            self.saver.begin_recording(self._live, self.picture)

    def mark(self) -> Marker | None:
        """Mark the present moment of a live session, and say so; None if there is none."""
        marker = self._live.log.mark() if self._live is not None else None
        if marker is None:
            self.saver.note("Nothing to mark: start the camera or open a video first")
        else:
            self.saver.note(f"Marked {clock(marker.time_s)}")
        return marker

    def annotate(self, marker: Marker, note: str) -> None:
        """Add a note to a marker of the session that goes on; too late once it is over."""
        if self._live is not None and marker in self._live.log.markers:
            self._live.log.annotate(marker, note)
            self.saver.note(f"Marked {clock(marker.time_s)}: {note}" if note else f"Marked {clock(marker.time_s)}")

    def end_session(self) -> None:
        """End the live session and look at what it left, or look at the last one again."""
        if self._live is not None:
            self._leave()
        if self.report is None:
            self.saver.note("No session yet: start the camera or open a video first")
        else:
            self.reviewing = self._album is None or not self.reviewing

    def save_report(self) -> Path | None:
        """Save table, data, timeline and report of the session that is over; returns the folder."""
        return self.saver.save_session(self.report, portraits=not self.blur) if self.report is not None else None

    def explain(self, number: int | None = None) -> None:
        """Show which part of a face decided, or go back to the picture.

        Args:
            number: Id of the person or number of the face; None for the largest.
        """
        if self.explanation is not None or self._explainer.busy:
            self._end_explanation(go_on=True)
        elif self.shown is None or not self.shown.result.faces:
            self.saver.note("Nothing to explain: there is no face")
        elif self.blur:
            self.saver.note("An explanation shows the face; press B to stop blurring first")
        else:
            if self._live is not None and self._live.state is State.RUNNING and not self._live.paused:
                self._live.pause(True)
                self._stopped_to_explain = True
            faces = enumerate(self.shown.result.faces, start=1)
            place = next((k for k, face in faces if number is not None and number in (face.track or k,)), None)
            self._explainer.begin(self.shown.frame, place)
            self.saver.note("Finding out which part of the face decided …")

    def choose_save_folder(self, folder: Path) -> None:
        """Save to this folder from now on, and remember it."""
        self.settings.save_folder = str(folder.absolute())
        self.settings.save(self._settings_file)
        self.saver.note(f"Screenshots, recordings and reports go to {self.settings.save_folder}")

    # What there is to show

    def update(self) -> bool:
        """Take over what the threads have done since the last time.

        Returns:
            Whether `shown` or `explanation` has changed.
        """
        source = self._live or self._album
        newest = source.take() if source is not None else None
        if newest is not None:
            self.shown = newest
        over = self._live is None or self._live.state in (State.ENDED, State.FAILED)
        if self.saver.failed or (over and self.saver.recording_s is not None):
            self.saver.finish_recording()
        explained = None
        try:
            explained = self._explainer.take()
        except MienError as error:
            self._end_explanation(go_on=True)
            self.saver.note(error.reason)
        if explained is not None:
            self.explanation = explained
            # It is there: nothing more to say of the wait for it.
            self.saver.note("")
        return newest is not None or explained is not None

    def cards(self, columns: int, shown: FrameWithResult | None = None) -> list[Card]:
        """A card for everyone there is something to say about.

        Args:
            columns: Into how many columns to divide the last half minute.
            shown: What they are to agree with; None for what is looked at.
        """
        shown = shown or self.shown
        faces = shown.result.faces if shown is not None else ()
        if self._live is not None:
            return cards_of_people(self._live.history, faces, columns, self.show_all)
        return cards_of_faces(faces, self.show_all)

    def picture(self, shown: FrameWithResult, grow: bool = False) -> Frame:
        """What is saved: the frame with boxes and labels, and the cards beside it; called on any thread.

        Args:
            shown: The frame.
            grow: Whether the picture may become higher where there are very many people.
        """
        frame = blur_faces(shown.frame, shown.result) if self.blur else shown.frame
        return beside(draw(frame, shown.result), lambda columns: self.cards(columns, shown), grow=grow)

    @property
    def live(self) -> Live | None:
        """The camera or video; None while pictures are shown."""
        return self._live

    @property
    def mirrored(self) -> bool:
        """Whether what is looked at is shown as in a mirror: cameras of this machine alone. Files never are."""
        return self._live is not None and self._source.isdecimal() and not self.settings.mirror

    @property
    def paused(self) -> bool:
        """Whether the picture stands still because the user wants it to."""
        return self._live is not None and self._live.paused

    @property
    def title(self) -> str:
        """What is looked at: ``camera 0``, ``walk.mp4  0:07 / 0:19`` or ``group.jpg  2 of 5``."""
        return title_of(self._live, self._album, self.shown)

    @property
    def ended(self) -> bool:
        """Whether a clip has been played to its end."""
        return self._live is not None and self._live.state is State.ENDED

    @property
    def notice(self) -> Notice | None:
        """What to say in the place of the picture; None where the picture is to be seen."""
        return notice_of(self._live, self._album, self.shown is not None)

    def _end_explanation(self, go_on: bool = False) -> None:
        self._explainer.cancel()
        self.explanation = None
        if go_on and self._stopped_to_explain and self._live is not None:
            self._live.pause(False)
        self._stopped_to_explain = False

    def _leave(self) -> None:
        self.saver.finish_recording()
        for source in (self._live, self._album):
            if source is not None:
                source.close()
        if self._live is not None:
            self.report = self._live.log.finish() or self.report
        self._end_explanation()
        self._live = self._album = self.shown = None
        self.reviewing = False

    def _remember_open(self, path: Path) -> None:
        self.settings.open_folder = str(path.absolute().parent)
        self.settings.save(self._settings_file)
