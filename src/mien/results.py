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
        emotion: The most likely emotion.
        confidence: Its calibrated probability, 0..1.
        probabilities: Probability of each of the seven emotions, adding up to 1 within rounding.
        uncertain: Whether the confidence is too low to rely on the emotion.
    """

    box: tuple[int, int, int, int]
    score: float
    emotion: Emotion
    confidence: float
    probabilities: Mapping[Emotion, float]
    uncertain: bool

    @property
    def area(self) -> int:
        """Area of the box in pixels."""
        return self.box[2] * self.box[3]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "box": list(self.box),
            "score": self.score,
            "emotion": self.emotion.value,
            "confidence": self.confidence,
            "uncertain": self.uncertain,
            "probabilities": {emotion.value: self.probabilities[emotion] for emotion in Emotion},
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Face:
        """The inverse of `to_dict`."""
        left, top, width, height = values["box"]
        return cls(
            box=(left, top, width, height),
            score=values["score"],
            emotion=Emotion(values["emotion"]),
            confidence=values["confidence"],
            probabilities={emotion: values["probabilities"][emotion.value] for emotion in Emotion},
            uncertain=values["uncertain"],
        )


@dataclass(frozen=True, slots=True)
class FrameResult:
    """All faces of one picture or video frame.

    Attributes:
        source: Where the picture came from, as it was given; empty for bytes and arrays.
        width: Width of the picture as seen, in pixels.
        height: Its height.
        faces: The faces from left to right; empty where there are none.
    """

    source: str
    width: int
    height: int
    faces: tuple[Face, ...]

    def __iter__(self) -> Iterator[Face]:
        return iter(self.faces)

    def __len__(self) -> int:
        return len(self.faces)

    @property
    def largest(self) -> Face | None:
        """The face with the largest box, or None where there are none."""
        return max(self.faces, key=lambda face: face.area, default=None)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "source": self.source,
            "width": self.width,
            "height": self.height,
            "faces": [face.to_dict() for face in self.faces],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FrameResult:
        """The inverse of `to_dict`."""
        faces = tuple(Face.from_dict(face) for face in values["faces"])
        return cls(values["source"], values["width"], values["height"], faces)
