"""How long each person showed each emotion."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mien.emotions import Emotion
from mien.results import FrameResult


@dataclass(slots=True)
class TrackSummary:
    """What was read on one person.

    Attributes:
        track: Id of the person.
        first_s: Time in seconds of the first frame that shows the face.
        last_s: Time in seconds of the last one.
        frames: Number of frames that show it.
        seconds: Seconds for which each emotion was the one shown, uncertain ones included.
        uncertain_s: How many of these seconds were uncertain.
    """

    track: int
    first_s: float
    last_s: float
    frames: int = 0
    seconds: dict[Emotion, float] = field(default_factory=lambda: dict.fromkeys(Emotion, 0.0))
    uncertain_s: float = 0.0

    @property
    def total_s(self) -> float:
        """Seconds for which the face was in sight."""
        return sum(self.seconds.values())

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
        }


class Summary:
    """Adds up the frames of a video.

    Each frame counts for the time until the next one; the last for as long as the one before it.

    Args:
        source: Name of the video.

    Attributes:
        source: As given.
        tracks: What was read on each person, by id.
        frames: Number of frames read.
        damage: What was wrong with the file, as a phrase that goes on from its name; None if nothing was.
        is_cut_short: Whether reading was cancelled before the end.
    """

    def __init__(self, source: str = "") -> None:
        self.source = source
        self.damage: str | None = None
        self.is_cut_short = False
        self.tracks: dict[int, TrackSummary] = {}
        self.frames = 0
        self._last: FrameResult | None = None
        self._step_s = 0.0

    def add(self, result: FrameResult) -> None:
        """Count the next frame of a `StreamAnalyzer`."""
        self.frames += 1
        time_s = result.time_s or 0.0
        if self._last is not None:
            self._step_s = max(0.0, time_s - (self._last.time_s or 0.0))
            self._count(self._last, self._step_s)
        self._last = result
        for face in result:
            if face.track is not None:
                person = self.tracks.setdefault(face.track, TrackSummary(face.track, time_s, time_s))
                person.last_s, person.frames = time_s, person.frames + 1

    def close(self) -> None:
        """Count the last frame; nothing can be added afterwards."""
        if self._last is not None:
            self._count(self._last, self._step_s)
            self._last = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "source": self.source,
            "frames": self.frames,
            "damage": self.damage,
            "tracks": [person.to_dict() for person in self.tracks.values()],
        }

    def _count(self, result: FrameResult, seconds: float) -> None:
        for face in result:
            if face.track is not None:
                person = self.tracks[face.track]
                person.seconds[face.emotion] += seconds
                person.uncertain_s += seconds if face.uncertain else 0.0
