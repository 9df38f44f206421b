"""Stretches of time in which a person shows one emotion, and tables of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.emotions import Emotion
from mien.errors import MissingExtraError, OptionError
from mien.files import AtomicFile
from mien.tables import RowsFile, printable, with_participant
from mien.video.strips import GAP_S

if TYPE_CHECKING:
    from mien.results import Face
    from mien.video.summary import Summary

EPISODE_SUFFIXES = (".csv", ".parquet", ".json", ".eaf")
"""Suffixes of the files that can be written; ``.eaf`` is an annotation document of ELAN."""

EPISODE_COLUMNS: dict[str, str] = {
    "video": "string",
    "person": "int64",
    "emotion": "string",
    "certain": "bool_",
    "onset_s": "float64",
    "offset_s": "float64",
    "duration_s": "float64",
    "mean_confidence": "float64",
    "remark": "string",
}
"""The columns of a table of episodes and pyarrow's name for the type of each; see docs/video.md."""


@dataclass(frozen=True, slots=True)
class Episode:
    """A stretch of time in which a person showed one emotion.

    Attributes:
        track: The person.
        emotion: What they showed.
        onset_s: When it began, in seconds.
        offset_s: When it ended.
        uncertain: Whether it was uncertain for more than half of the time.
        confidence: Mean confidence, 0..1.
    """

    track: int
    emotion: Emotion
    onset_s: float
    offset_s: float
    uncertain: bool
    confidence: float


class EpisodeBuilder:
    """Joins the frames of one person to episodes.

    An episode ends where the emotion changes, or the face is out of sight for more than `GAP_S`.

    Args:
        track: The person.

    Attributes:
        episodes: Those that are over, in order.
    """

    def __init__(self, track: int) -> None:
        self.episodes: list[Episode] = []
        self._track = track
        self._emotion: Emotion | None = None
        self._onset_s = self._offset_s = 0.0
        self._seconds = self._uncertain_s = self._weighted = 0.0

    def add(self, face: Face, time_s: float, seconds: float) -> None:
        """Take in a frame that shows the face for so many seconds."""
        if face.emotion is not self._emotion or time_s - self._offset_s > GAP_S:
            self.end()
            self._emotion, self._onset_s = face.emotion, time_s
        self._offset_s = time_s + seconds
        self._seconds += seconds
        self._uncertain_s += seconds if face.uncertain else 0.0
        self._weighted += seconds * face.confidence

    def end(self) -> None:
        """The episode that may have gone on is over."""
        if self._emotion is not None and self._seconds > 0:
            self.episodes.append(
                Episode(
                    self._track,
                    self._emotion,
                    self._onset_s,
                    self._offset_s,
                    self._uncertain_s > self._seconds / 2,
                    self._weighted / self._seconds,
                )
            )
        self._emotion = None
        self._seconds = self._uncertain_s = self._weighted = 0.0


def episode_rows(summary: Summary) -> Iterator[dict[str, Any]]:
    """A row per episode by onset, keys as `EPISODE_COLUMNS`, with ``participant`` if the summary knows any."""
    for episode in summary.episodes:
        yield {
            "video": printable(summary.source),
            "person": episode.track,
            **summary.participant(episode.track),
            "emotion": episode.emotion.value,
            "certain": not episode.uncertain,
            "onset_s": round(episode.onset_s, 3),
            "offset_s": round(episode.offset_s, 3),
            "duration_s": round(episode.offset_s - episode.onset_s, 3),
            "mean_confidence": round(episode.confidence, 4),
            "remark": summary.remark,
        }


def check_suffix(path: Path, suffixes: Iterable[str], what: str) -> None:
    """Refuse a file whose format is not known, before any work.

    Raises:
        OptionError: If its suffix is not among ``suffixes``.
        MissingExtraError: If the format needs a package that is not installed.
    """
    if path.suffix.lower() == ".parquet" and find_spec("pyarrow") is None:
        raise MissingExtraError("writing Parquet", "tables")
    if path.suffix.lower() not in suffixes:
        raise OptionError(f"unknown format {path.suffix!r} for {what}; use {', '.join(suffixes)}", path)


class _ElanFile(AtomicFile):
    """An annotation document of ELAN, written when the block ends."""

    def __init__(self, path: Path, summary: Summary, video: Path | None) -> None:
        super().__init__(path)
        self._summary, self._video = summary, video

    def _finish(self, complete: bool, whole: bool) -> None:
        from mien.video.elan import annotation_document

        if complete:
            self._partial.write_bytes(annotation_document(self._summary, self._video, self.path.parent))


def open_episodes(path: Path, summary: Summary, video: Path | None = None) -> AtomicFile:
    """Begin a file of the episodes of one video, which is written once the summary is complete.

    Args:
        path: The file, see `EPISODE_SUFFIXES`.
        summary: Where the episodes will be.
        video: The file of the video, for ``.eaf`` to refer to; None if it is none.

    Raises:
        OptionError: If the suffix is unknown or the place cannot be written to.
        MissingExtraError: If the format needs a package that is not installed.
    """
    check_suffix(path, EPISODE_SUFFIXES, "episodes")
    if path.suffix.lower() == ".eaf":
        return _ElanFile(path, summary, video)
    columns = EPISODE_COLUMNS if summary.participants is None else with_participant(EPISODE_COLUMNS)
    return RowsFile(path, columns, lambda: episode_rows(summary))
