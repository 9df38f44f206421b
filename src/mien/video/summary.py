"""How long each person showed each emotion."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mien.arguments import expect
from mien.emotions import LABELS, Emotion
from mien.results import Face, FrameResult
from mien.tables import RowsFile, printable, with_participant
from mien.video.episodes import Episode, EpisodeBuilder, check_suffix

NEGATIVE = (Emotion.ANGRY, Emotion.DISGUST, Emotion.FEAR, Emotion.SAD)
"""The emotions whose strongest is taken from happy for the derived valence."""


SUMMARY_SUFFIXES = (".csv", ".parquet", ".json")
"""Suffixes of the summary tables that can be written."""

SUMMARY_COLUMNS: dict[str, str] = {
    "video": "string",
    "person": "int64",
    "first_s": "float64",
    "last_s": "float64",
    "seen_s": "float64",
    "certain_s": "float64",
    "uncertain_s": "float64",
    "frames": "int64",
    "shots": "int64",
    "episodes": "int64",
    "valence": "float64",
    **{f"certain_s_{label}": "float64" for label in LABELS},
    **{f"uncertain_s_{label}": "float64" for label in LABELS},
    **{f"certain_share_{label}": "float64" for label in LABELS},
    **{f"uncertain_share_{label}": "float64" for label in LABELS},
    **{f"certain_episodes_{label}": "int64" for label in LABELS},
    **{f"uncertain_episodes_{label}": "int64" for label in LABELS},
    **{f"mean_{label}": "float64" for label in LABELS},
    "read_s": "float64",
    "remark": "string",
}
"""The columns of a summary table and pyarrow's name for the type of each; see docs/video.md."""

# Where a file ends less than this after its last frame begins, it does not say how long that is shown, in seconds.
_ROUNDING_S = 0.001

INTERRUPTED = "interrupted"
"""The remark on a video that was not read to its end because it was stopped."""


@dataclass(slots=True)
class TrackSummary:
    """What was read on one person.

    Attributes:
        track: Id of the person.
        first_s: Time in seconds of the first frame that shows the face.
        last_s: Time in seconds of the last one.
        frames: Number of frames that show it.
        seconds: Seconds for which each emotion was the one shown, uncertain ones included.
        certain: How many of these seconds were certain, by emotion.
        mean: Mean smoothed probability of each emotion while the face was in sight, 0..1.
        valence: Derived, not measured: the mean of happy minus the strongest of `NEGATIVE`, -1..1, after FaceReader.
        episodes: Stretches of one emotion, in order.
        shots: Number of shots in which the person was seen.
    """

    track: int
    first_s: float
    last_s: float
    frames: int = 0
    seconds: dict[Emotion, float] = field(default_factory=lambda: dict.fromkeys(Emotion, 0.0))
    certain: dict[Emotion, float] = field(default_factory=lambda: dict.fromkeys(Emotion, 0.0))
    _sums: dict[Emotion, float] = field(default_factory=lambda: dict.fromkeys(Emotion, 0.0), repr=False)
    _valence: float = field(default=0.0, repr=False)
    _shots: set[int] = field(default_factory=set, repr=False)
    _builder: EpisodeBuilder = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._builder = EpisodeBuilder(self.track)

    @property
    def episodes(self) -> list[Episode]:
        """See the class."""
        return self._builder.episodes

    @property
    def shots(self) -> int:
        """See the class."""
        return len(self._shots)

    @property
    def total_s(self) -> float:
        """Seconds for which the face was in sight."""
        return sum(self.seconds.values())

    @property
    def certain_s(self) -> float:
        """Seconds of these that were certain."""
        return sum(self.certain.values())

    @property
    def uncertain_s(self) -> float:
        """Seconds of these that were uncertain."""
        return self.total_s - self.certain_s

    @property
    def mean(self) -> dict[Emotion, float]:
        """See the class."""
        total = self.total_s or 1.0
        return {emotion: value / total for emotion, value in self._sums.items()}

    @property
    def valence(self) -> float:
        """See the class."""
        return self._valence / (self.total_s or 1.0)

    def count(self, face: Face, time_s: float, seconds: float) -> None:
        """Count a frame that shows the face for so many seconds."""
        self.seconds[face.emotion] += seconds
        if not face.uncertain:
            self.certain[face.emotion] += seconds
        shown = face.smoothed or face.probabilities
        for emotion, probability in shown.items():
            self._sums[emotion] += seconds * probability
        self._valence += seconds * (shown[Emotion.HAPPY] - max(shown[emotion] for emotion in NEGATIVE))
        self._builder.add(face, time_s, seconds)

    def see(self, time_s: float, shot: int | None) -> None:
        """Note a frame that shows the face."""
        self.last_s, self.frames = time_s, self.frames + 1
        if shot is not None:
            self._shots.add(shot)

    def end_episode(self) -> None:
        """The episode that may have gone on is over."""
        self._builder.end()

    def to_row(self) -> dict[str, Any]:
        """The person's part of the columns of `SUMMARY_COLUMNS`."""
        total = self.total_s or 1.0
        uncertain = {emotion: self.seconds[emotion] - self.certain[emotion] for emotion in Emotion}
        counts = Counter((episode.emotion, episode.uncertain) for episode in self.episodes)
        return {
            "first_s": round(self.first_s, 3),
            "last_s": round(self.last_s, 3),
            "seen_s": round(self.total_s, 3),
            "certain_s": round(self.certain_s, 3),
            "uncertain_s": round(self.uncertain_s, 3),
            "frames": self.frames,
            "shots": self.shots,
            "episodes": len(self.episodes),
            "valence": round(self.valence, 4),
            **{f"certain_s_{emotion}": round(seconds, 3) for emotion, seconds in self.certain.items()},
            **{f"uncertain_s_{emotion}": round(seconds, 3) for emotion, seconds in uncertain.items()},
            **{f"certain_share_{emotion}": round(seconds / total, 4) for emotion, seconds in self.certain.items()},
            **{f"uncertain_share_{emotion}": round(seconds / total, 4) for emotion, seconds in uncertain.items()},
            **{f"certain_episodes_{emotion}": counts[emotion, False] for emotion in Emotion},
            **{f"uncertain_episodes_{emotion}": counts[emotion, True] for emotion in Emotion},
            **{f"mean_{emotion}": round(mean, 4) for emotion, mean in self.mean.items()},
        }

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON; seconds to the millisecond."""
        return {
            "track": self.track,
            "first_s": round(self.first_s, 3),
            "last_s": round(self.last_s, 3),
            "frames": self.frames,
            "total_s": round(self.total_s, 3),
            "uncertain_s": round(self.uncertain_s, 3),
            "seconds": {emotion.value: round(seconds, 3) for emotion, seconds in self.seconds.items()},
            "certain_seconds": {emotion.value: round(seconds, 3) for emotion, seconds in self.certain.items()},
        }


class Summary:
    """Adds up the frames of a video.

    Each frame counts for the time until the next one; the last for as long as the one before it, or up to the end of
    the video. Faces that are not confirmed are left out.

    Args:
        source: Name of the video.
        participants: Who the people are, by id; None where that is not known of any.

    Attributes:
        source: As given.
        participants: As given.
        read_s: Seconds of the video that were read.
        tracks: What was read on each person, by id.
        unconfirmed: Number of tracks that were too short or too doubtful to be people.
        shots: Number of shots seen.
        frames: Number of frames read.
        damage: What was wrong with the file, as a phrase that goes on from its name; None if nothing was.
        is_cut_short: Whether reading was cancelled before the end.
    """

    def __init__(self, source: str = "", participants: Mapping[int, str] | None = None) -> None:
        self.source, self.participants = source, participants
        self.read_s = 0.0
        self.damage: str | None = None
        self.is_cut_short = False
        self.tracks: dict[int, TrackSummary] = {}
        self.shots = 0
        self.frames = 0
        self._doubtful: set[int] = set()
        self._shot: int | None = None
        self._last: FrameResult | None = None
        self._step_s = 0.0

    def __repr__(self) -> str:
        people = len(self.tracks)
        counts = f"{people} {'person' if people == 1 else 'people'}, {self.frames} frames, {self.read_s:.2f} s"
        return f"Summary({self.source!r}, {counts})"

    @property
    def unconfirmed(self) -> int:
        """See the class."""
        return len(self._doubtful - self.tracks.keys())

    @property
    def remark(self) -> str | None:
        """What tables say of a video that was not read whole: `INTERRUPTED`, or the damage."""
        return INTERRUPTED if self.is_cut_short else self.damage

    @property
    def episodes(self) -> list[Episode]:
        """The episodes of all people, by onset."""
        return sorted(
            (episode for person in self.tracks.values() for episode in person.episodes),
            key=lambda episode: (episode.onset_s, episode.track),
        )

    def add(self, result: FrameResult) -> None:
        """Count the next frame of a `StreamAnalyzer`."""
        expect(FrameResult, result=result)
        self.frames += 1
        if not self.shots or result.shot != self._shot:
            self.shots += 1
            self._shot = result.shot
        time_s = result.time_s or 0.0
        if self._last is not None:
            self._step_s = max(0.0, time_s - (self._last.time_s or 0.0))
            self._count(self._last, self._step_s)
        self._last = result
        for face in result:
            if face.track is None:
                continue
            if not face.confirmed:
                self._doubtful.add(face.track)
                continue
            person = self.tracks.setdefault(face.track, TrackSummary(face.track, time_s, time_s))
            person.see(time_s, result.shot)

    def close(self, step_s: float = 0.0, end_s: float = math.inf) -> None:
        """Count the last frame; nothing can be added afterwards.

        Args:
            step_s: For how long it counts if it is the only one, in seconds.
            end_s: Where the video ends, in seconds: no frame counts for longer.
        """
        if self._last is not None:
            left_s = end_s - (self._last.time_s or 0.0)
            seconds = self._step_s if self.frames > 1 else step_s
            self._count(self._last, min(seconds, left_s) if left_s > _ROUNDING_S else seconds)
            self._last = None
        for person in self.tracks.values():
            person.end_episode()

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "source": self.source,
            "frames": self.frames,
            "shots": self.shots,
            "damage": self.damage,
            "tracks": [person.to_dict() for person in self.tracks.values()],
            "unconfirmed": self.unconfirmed,
        }

    def participant(self, track: int) -> dict[str, str | None]:
        """Who a person is, as a part of a row: nothing where no participants are known."""
        return {} if self.participants is None else {"participant": self.participants.get(track)}

    @property
    def columns(self) -> dict[str, str]:
        """The columns of `to_rows`: `SUMMARY_COLUMNS`, with ``participant`` where participants are known."""
        return SUMMARY_COLUMNS if self.participants is None else with_participant(SUMMARY_COLUMNS)

    def to_rows(self) -> list[dict[str, Any]]:
        """A row per person, keys as `columns`; of a video without people one row with its name and length alone."""
        empty = dict.fromkeys(self.columns) | {
            "video": printable(self.source),
            "read_s": round(self.read_s, 3),
            "remark": self.remark,
        }
        rows = [
            {**empty, "person": person.track, **self.participant(person.track), **person.to_row()}
            for person in self.tracks.values()
        ]
        return rows or [empty]

    def _count(self, result: FrameResult, seconds: float) -> None:
        self.read_s += seconds
        for face in result:
            if face.track is not None and face.confirmed:
                self.tracks[face.track].count(face, result.time_s or 0.0, seconds)


def open_summary(path: Path, summary: Summary) -> RowsFile:
    """Begin a table of the people of one video, which is written once the summary is complete.

    Raises:
        OptionError: If the suffix is none of `SUMMARY_SUFFIXES`, or the place cannot be written to.
        MissingExtraError: If the format needs a package that is not installed.
    """
    check_suffix(path, SUMMARY_SUFFIXES, "a summary")
    return RowsFile(path, summary.columns, summary.to_rows)
