"""What an analysis returns. `FrameResult.to_dict` is the one JSON shape, on every front end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, overload

from mien.emotions import Emotion
from mien.errors import DataError

if TYPE_CHECKING:
    import pandas

    from mien.preview import Picture

Point: TypeAlias = "tuple[float, float]"
"""x and y in pixels of the picture as seen."""
Landmarks: TypeAlias = "tuple[Point, Point, Point, Point, Point]"
"""Middle of the left eye (as seen in the picture), of the right eye, tip of the nose, left and right corner of the
mouth."""


# Faces that are named where there is little room.
_GLANCE = 5


class HeadAngles(NamedTuple):
    """How a head is turned, in degrees, estimated from five landmarks.

    In mirrored, smaller and noisier copies of web photos, half of the angles change by less than 1 (roll) to 2 degrees
    (yaw, pitch), 95% by less than 4 to 8 (`benchmarks/head_angles.py`). How far they are from the truth is not known.

    Attributes:
        roll: Tilt toward a shoulder, clockwise as seen, -180..180.
        yaw: Turn to the side, to the right of the picture, -90..90.
        pitch: Upward; 0 for the median of photos of people who face the camera, but heads differ by some degrees.
    """

    roll: float
    yaw: float
    pitch: float


@dataclass(frozen=True, slots=True, repr=False)
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
        landmarks: Five points, see `Landmarks`, to a tenth of a pixel; None where they were not looked for.
        angles: How the head is turned, see `HeadAngles`; None without landmarks.
        ambiguity: How far people would disagree about this face in this frame: the share of them, 0..1, that is
            expected to name another emotion than most do; None where the model has not learned from such votes.
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
    landmarks: Landmarks | None = None
    angles: HeadAngles | None = None
    ambiguity: float | None = None

    def __repr__(self) -> str:
        track = "" if self.track is None else f", track {self.track}"
        return f"Face({self}{track}, box {self.box})"

    def __str__(self) -> str:
        """The emotion and its confidence, with a question mark where uncertain: ``sad? 41%``."""
        return f"{self.emotion}{'?' if self.uncertain else ''} {self.confidence:.0%}"

    @property
    def area(self) -> int:
        """Area of the box in pixels."""
        return self.box[2] * self.box[3]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON. Fields that are None are left out; so is ``confirmed`` without a track."""
        values: dict[str, Any] = {
            "box": list(self.box),
            "score": self.score,
            "emotion": self.emotion.value,
            "confidence": self.confidence,
            "uncertain": self.uncertain,
            "probabilities": _by_name(self.probabilities),
            "quality": list(self.quality),
        }
        if self.ambiguity is not None:
            values["ambiguity"] = self.ambiguity
        if self.landmarks is not None:
            values["landmarks"] = [list(point) for point in self.landmarks]
        if self.angles is not None:
            values["angles"] = self.angles._asdict()
        if self.track is not None:
            values["track"] = self.track
            values["confirmed"] = self.confirmed
        if self.smoothed is not None:
            values["smoothed"] = _by_name(self.smoothed)
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Face:
        """The inverse of `to_dict`.

        Raises:
            DataError: If these are not the values of a face.
        """
        with _as_written("a face", values):
            return cls._from_dict(values)

    @classmethod
    def _from_dict(cls, values: Mapping[str, Any]) -> Face:
        left, top, width, height = values["box"]
        points = values.get("landmarks")
        landmarks: Any = None if points is None else tuple((x, y) for x, y in points)
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
            landmarks=landmarks,
            angles=HeadAngles(**values["angles"]) if "angles" in values else None,
            ambiguity=values.get("ambiguity"),
        )


@contextmanager
def _as_written(what: str, values: object) -> Iterator[None]:
    if not isinstance(values, Mapping):
        raise DataError(f"expected the values of {what} as to_dict gives them, found {type(values).__name__}")
    try:
        yield
    except DataError:
        raise
    except KeyError as error:
        raise DataError(f"these are not the values of {what} as to_dict gives them: {error} is missing") from None
    except (AttributeError, TypeError, ValueError) as error:
        raise DataError(f"these are not the values of {what} as to_dict gives them: {error}") from error


def _by_name(probabilities: Mapping[Emotion, float]) -> dict[str, float]:
    return {emotion.value: probabilities[emotion] for emotion in Emotion}


def _by_emotion(probabilities: Mapping[str, float]) -> dict[Emotion, float]:
    return {emotion: probabilities[emotion.value] for emotion in Emotion}


@dataclass(frozen=True, slots=True, repr=False)
class FrameResult:
    """All faces of one picture or video frame: a sequence of `Face`.

    Attributes:
        source: Where the picture came from, as it was given; empty for bytes and arrays.
        width: Width of the picture as seen, in pixels.
        height: Its height.
        faces: The faces from left to right; empty where there are none.
        frame: Number of the frame in its video, from 0; None for a photo.
        time_s: Time of the frame in seconds from the start of the video; None for a photo.
        shot: Number of the shot, from 1: a new one begins at every cut; None for a photo.
        picture: Where a notebook finds the picture again, to show it; no part of the result.
    """

    source: str
    width: int
    height: int
    faces: tuple[Face, ...]
    frame: int | None = None
    time_s: float | None = None
    shot: int | None = None
    picture: Picture | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        moment = "" if self.time_s is None else f" at {self.time_s:.2f} s"
        return f"FrameResult({self.source!r}{moment}, {self.width}x{self.height}, {self})"

    def __str__(self) -> str:
        """The faces at a glance: ``3 faces: happy 98%, sad? 41%, neutral 77%``."""
        count = len(self.faces)
        if not count:
            return "no face"
        shown = [*map(str, self.faces[:_GLANCE]), *(["..."] if count > _GLANCE else [])]
        return f"{count} {'face' if count == 1 else 'faces'}: {', '.join(shown)}"

    def _repr_html_(self) -> str:
        """What a notebook shows: the picture, if it is still available, and bars."""
        from mien.notebook import to_html

        return to_html(self)

    def __iter__(self) -> Iterator[Face]:
        return iter(self.faces)

    def __len__(self) -> int:
        return len(self.faces)

    @overload
    def __getitem__(self, index: int) -> Face: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Face, ...]: ...

    def __getitem__(self, index: int | slice) -> Face | tuple[Face, ...]:
        """The face at a place from left to right, counted from 0."""
        return self.faces[index]

    def to_rows(self) -> list[dict[str, Any]]:
        """A row per face, as in the tables of `mien photo` and `mien video`; without faces one row with the rest None.

        Keys are the same for every photo, and for every frame of a video.
        """
        from mien.dataframe import layout_of

        return list(layout_of(self).rows(self))

    def to_pandas(self) -> pandas.DataFrame:
        """The rows of `to_rows` as a DataFrame; several are put together with `pandas.concat`.

        Columns have the same types whether there are faces or not: ``Int64``, ``Float64``, ``boolean``, ``string``.

        Raises:
            MissingExtraError: If pandas is not installed.
        """
        from mien.dataframe import to_pandas

        return to_pandas(self)

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
        """The inverse of `to_dict`.

        Raises:
            DataError: If these are not the values of a result.
        """
        with _as_written("a result", values):
            faces = tuple(Face.from_dict(face) for face in values["faces"])
            moment = values.get("frame"), values.get("time_s"), values.get("shot")
            return cls(values["source"], values["width"], values["height"], faces, *moment)
