"""What an analysis returns. `FrameResult.to_dict` is the one JSON shape, on every front end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mien.emotions import Emotion


@dataclass(frozen=True, slots=True)
class Face:
    """One face and the expression on it.

    Attributes:
        box: Left, top, width and height in pixels of the picture as seen, inside the picture.
        score: The detector's certainty that this is a face, 0..1.
        emotion: The most likely emotion; of a tracked face the one that `smoothed` has settled on.
        confidence: Its calibrated probability, 0..1; of a tracked face the smoothed one.
        probabilities: Probability of each of the seven emotions in this frame alone, adding up to 1 within rounding.
        uncertain: Whether the answer is not sure enough to rely on: the confidence is too low, or the face too small,
            too blurred or turned away.
        track: Id of the person, the same through a video; None where faces are not tracked.
        smoothed: The probabilities averaged over the last moments of the track; None where faces are not tracked.
        quality: What makes the face hard to read, as codes of `mien.classification.quality.QUALITY_FLAGS`;
            empty where nothing does.
        confirmed: Whether the person has been seen long and well enough to be listed; where not, it may be something
            else that looked like a face for a moment. Always true where faces are not tracked.
    """

    box: tuple[int, int, int, int]
    score: float
    emotion: Emotion
    confidence: float
    probabilities: Mapping[Emotion, float]
    uncertain: bool
    track: int | None = None
    smoothed: Mapping[Emotion, float] | None = None
    quality: tuple[str, ...] = ()
    confirmed: bool = True

    @property
    def area(self) -> int:
        """Area of the box in pixels."""
        return self.box[2] * self.box[3]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON. What tracking tells is left out where faces are not tracked."""
        values: dict[str, Any] = {
            "box": list(self.box),
            "score": self.score,
            "emotion": self.emotion.value,
            "confidence": self.confidence,
            "uncertain": self.uncertain,
            "probabilities": _by_name(self.probabilities),
            "quality": list(self.quality),
        }
        if self.track is not None:
            values["track"] = self.track
            values["confirmed"] = self.confirmed
        if self.smoothed is not None:
            values["smoothed"] = _by_name(self.smoothed)
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Face:
        """The inverse of `to_dict`."""
        left, top, width, height = values["box"]
        return cls(
            box=(left, top, width, height),
            score=values["score"],
            emotion=Emotion(values["emotion"]),
            confidence=values["confidence"],
            probabilities=_by_emotion(values["probabilities"]),
            uncertain=values["uncertain"],
            track=values.get("track"),
            smoothed=_by_emotion(values["smoothed"]) if "smoothed" in values else None,
            quality=tuple(values.get("quality", ())),
            confirmed=values.get("confirmed", True),
        )


def _by_name(probabilities: Mapping[Emotion, float]) -> dict[str, float]:
    return {emotion.value: probabilities[emotion] for emotion in Emotion}


def _by_emotion(probabilities: Mapping[str, float]) -> dict[Emotion, float]:
    return {emotion: probabilities[emotion.value] for emotion in Emotion}


@dataclass(frozen=True, slots=True)
class FrameResult:
    """All faces of one picture or video frame.

    Attributes:
        source: Where the picture came from, as it was given; empty for bytes and arrays.
        width: Width of the picture as seen, in pixels.
        height: Its height.
        faces: The faces from left to right; empty where there are none.
        frame: Number of the frame in its video, from 0; None for a photo.
        time_s: Time of the frame in seconds from the start of the video; None for a photo.
        shot: Number of the shot, from 1: a new one begins at every cut; None for a photo.
    """

    source: str
    width: int
    height: int
    faces: tuple[Face, ...]
    frame: int | None = None
    time_s: float | None = None
    shot: int | None = None

    def __iter__(self) -> Iterator[Face]:
        return iter(self.faces)

    def __len__(self) -> int:
        return len(self.faces)

    @property
    def largest(self) -> Face | None:
        """The face with the largest box, or None where there are none."""
        return max(self.faces, key=lambda face: face.area, default=None)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON. ``frame``, ``time_s`` and ``shot`` are left out for photos."""
        values: dict[str, Any] = {"source": self.source}
        if self.frame is not None:
            values["frame"] = self.frame
        if self.time_s is not None:
            values["time_s"] = self.time_s
        if self.shot is not None:
            values["shot"] = self.shot
        return values | {
            "width": self.width,
            "height": self.height,
            "faces": [face.to_dict() for face in self.faces],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FrameResult:
        """The inverse of `to_dict`."""
        faces = tuple(Face.from_dict(face) for face in values["faces"])
        moment = values.get("frame"), values.get("time_s"), values.get("shot")
        return cls(values["source"], values["width"], values["height"], faces, *moment)
