"""How long each person showed each emotion."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mien.emotions import Emotion
from mien.results import Face, FrameResult
from mien.video.strips import GAP_S

NEGATIVE = (Emotion.ANGRY, Emotion.DISGUST, Emotion.FEAR, Emotion.SAD)
"""The emotions whose strongest is taken from happy for the derived valence."""


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


@dataclass(slots=True)
class _Running:
    """An episode that may go on."""

    emotion: Emotion
    onset_s: float
    offset_s: float
    seconds: float = 0.0
    uncertain_s: float = 0.0
    weighted: float = 0.0


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
    """

    track: int
    first_s: float
    last_s: float
    frames: int = 0
    seconds: dict[Emotion, float] = field(default_factory=lambda: dict.fromkeys(Emotion, 0.0))
    certain: dict[Emotion, float] = field(default_factory=lambda: dict.fromkeys(Emotion, 0.0))
    episodes: list[Episode] = field(default_factory=list)
    _sums: dict[Emotion, float] = field(default_factory=lambda: dict.fromkeys(Emotion, 0.0))
    _valence: float = 0.0
    _running: _Running | None = None

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
        running = self._running
        if running is None or running.emotion is not face.emotion or time_s - running.offset_s > max(GAP_S, seconds):
            self.end_episode()
            running = self._running = _Running(face.emotion, time_s, time_s)
        running.offset_s = time_s + seconds
        running.seconds += seconds
        running.uncertain_s += seconds if face.uncertain else 0.0
        running.weighted += seconds * face.confidence

    def end_episode(self) -> None:
        """The episode that may have gone on is over."""
        running, self._running = self._running, None
        if running is not None and running.seconds > 0:
            uncertain = running.uncertain_s > running.seconds / 2
            confidence = running.weighted / running.seconds
            self.episodes.append(
                Episode(self.track, running.emotion, running.onset_s, running.offset_s, uncertain, confidence)
            )

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

    Each frame counts for the time until the next one; the last for as long as the one before it. Faces that are not
    confirmed are left out.

    Args:
        source: Name of the video.

    Attributes:
        source: As given.
        tracks: What was read on each person, by id.
        unconfirmed: Number of tracks that were too short or too doubtful to be people.
        shots: Number of shots seen.
        frames: Number of frames read.
        damage: What was wrong with the file, as a phrase that goes on from its name; None if nothing was.
        is_cut_short: Whether reading was cancelled before the end.
    """

    def __init__(self, source: str = "") -> None:
        self.source = source
        self.damage: str | None = None
        self.is_cut_short = False
        self.tracks: dict[int, TrackSummary] = {}
        self.shots = 0
        self.frames = 0
        self._doubtful: set[int] = set()
        self._shot: int | None = None
        self._last: FrameResult | None = None
        self._step_s = 0.0

    @property
    def unconfirmed(self) -> int:
        """See the class."""
        return len(self._doubtful - self.tracks.keys())

    @property
    def episodes(self) -> list[Episode]:
        """The episodes of everybody, by onset."""
        return sorted(
            (episode for person in self.tracks.values() for episode in person.episodes),
            key=lambda episode: (episode.onset_s, episode.track),
        )

    def add(self, result: FrameResult) -> None:
        """Count the next frame of a `StreamAnalyzer`."""
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
            person.last_s, person.frames = time_s, person.frames + 1

    def close(self) -> None:
        """Count the last frame; nothing can be added afterwards."""
        if self._last is not None:
            self._count(self._last, self._step_s)
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

    def _count(self, result: FrameResult, seconds: float) -> None:
        for face in result:
            if face.track is not None and face.confirmed:
                self.tracks[face.track].count(face, result.time_s or 0.0, seconds)
