"""The answers, described for OpenAPI. What is sent is `to_dict` of the results; tests hold it against these."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from mien.emotions import LABELS, Emotion

_FACE: JsonDict = {
    "box": [172, 68, 106, 143],
    "score": 0.93,
    "emotion": "happy",
    "confidence": 0.93,
    "uncertain": False,
    "probabilities": {label: 0.94 if label == "happy" else 0.01 for label in LABELS},
    "quality": [],
    "ambiguity": 0.06,
}
_PICTURE: JsonDict = {"source": "team.jpg", "width": 512, "height": 512, "faces": [_FACE]}
_FRAME: JsonDict = {"source": "clip.mp4", "frame": 0, "time_s": 0.0, "width": 640, "height": 360, "faces": []}


class HeadAngles(BaseModel):
    """How a head is turned, in degrees, estimated from five landmarks."""

    roll: float = Field(description="Tilt toward a shoulder, clockwise as seen.")
    yaw: float = Field(description="Turn to the side, to the right of the picture.")
    pitch: float = Field(description="Upward.")


class Face(BaseModel):
    """One face and the expression on it."""

    box: list[int] = Field(
        min_length=4, max_length=4, description="Left, top, width, height in pixels of the upright picture."
    )
    score: float = Field(ge=0, le=1, description="The detector's certainty that this is a face.")
    emotion: Emotion = Field(description="The most likely emotion.")
    confidence: float = Field(ge=0, le=1, description="Its calibrated probability.")
    uncertain: bool = Field(description="Whether the answer is not sure enough to rely on.")
    probabilities: dict[Emotion, float] = Field(description="Of all seven emotions, adding up to 1.")
    quality: list[str] = Field(description="What makes the face hard to read, as codes.")
    ambiguity: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Expected share of people who would name another emotion than most of them do.",
    )
    landmarks: list[tuple[float, float]] | None = Field(
        None,
        description="x and y of left eye (as seen), right eye, tip of the nose, left and right corner of the mouth.",
    )
    angles: HeadAngles | None = Field(None, description="How the head is turned.")
    track: int | None = Field(None, description="Id of the person; in videos and streams only.")
    confirmed: bool | None = Field(
        None, description="Whether the person was seen long and well enough to be listed; in videos and streams only."
    )
    smoothed: dict[Emotion, float] | None = Field(
        None, description="Probabilities averaged over the last moments; in videos and streams only."
    )


class Frame(BaseModel):
    """What was read in a picture or frame."""

    model_config = ConfigDict(json_schema_extra={"example": _FRAME})

    source: str = Field(description="The file's name.")
    frame: int | None = Field(None, description="Number of the frame, from 0; not of pictures.")
    time_s: float | None = Field(None, description="Its time in seconds; not of pictures.")
    shot: int | None = Field(None, description="Number of the shot, from 1; not of pictures.")
    width: int = Field(ge=1)
    height: int = Field(ge=1)
    faces: list[Face] = Field(description="From left to right; empty where there are none.")


class PictureError(BaseModel):
    """Why a picture could not be read."""

    code: Literal["unreadable"]
    detail: str


class UnreadPicture(BaseModel):
    """A picture that could not be read."""

    source: str
    error: PictureError


class Pictures(BaseModel):
    """One entry per picture, in the order they came."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "pictures": [
                    _PICTURE,
                    {
                        "source": "cut.jpg",
                        "error": {"code": "unreadable", "detail": "is damaged or incomplete: image file is truncated"},
                    },
                ]
            }
        }
    )

    pictures: list[Frame | UnreadPicture]


class Track(BaseModel):
    """How long one person showed each emotion."""

    track: int
    first_s: float
    last_s: float
    frames: int
    total_s: float
    uncertain_s: float
    seconds: dict[Emotion, float]


class VideoResult(BaseModel):
    """What was read in a video."""

    source: str
    width: int
    height: int
    damage: str | None = Field(description="What was wrong with the file.")
    stopped: str | None = Field(description="Which limit ended the reading early.")
    tracks: list[Track]
    frames: list[Frame]


class VideoError(BaseModel):
    """Why a video could not be read."""

    code: Literal["unreadable", "internal"]
    detail: str


class VideoStatus(BaseModel):
    """How far a video has been read."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "4vXyBvTtaGV4MTsKrqPJYg",
                "source": "clip.mp4",
                "status": "running",
                "progress": 0.42,
                "frames_read": 126,
            }
        }
    )

    id: str = Field(description="Whoever knows it can fetch the result.")
    source: str
    status: Literal["queued", "running", "done", "failed"]
    progress: float = Field(ge=0, le=1)
    frames_read: int = Field(ge=0)
    error: VideoError | None = Field(None, description="Where it failed.")
    result: VideoResult | None = Field(None, description="Where it is done.")


class NamedPicture(BaseModel):
    """A picture in JSON, with its name."""

    model_config = ConfigDict(extra="forbid", strict=True)

    data: str
    source: str = ""


class JsonPictures(BaseModel):
    """Pictures in JSON, as `base64_pictures` describes them."""

    model_config = ConfigDict(extra="forbid", strict=True)

    pictures: list[str | NamedPicture] = Field(min_length=1)


class State(BaseModel):
    """What a probe wants to know."""

    status: Literal["ok"]


class ModelInfo(BaseModel):
    """Which model answers."""

    name: str
    version: str = Field(description="Of mien.")
    digest: str | None = Field(description="SHA-256 of the network's file.")
    labels: list[str] = Field(description="The emotions.")
    precision: Literal["fp32", "int8"]
    uncertain_below: float = Field(description="Confidence under which an answer is called uncertain.")
    detector: str


class Health(BaseModel):
    """A service that is ready."""

    status: Literal["ok"]
    model: str
    version: str


_BINARY: dict[str, Any] = {"type": "string", "format": "binary", "minLength": 1}
# One of several pictures may be empty: it gets an error at its place among the answers.
_ONE_OF_MANY: dict[str, Any] = {"type": "string", "format": "binary"}


def body(kinds: dict[str, Any]) -> dict[str, Any]:
    """A request's body for OpenAPI: schemas by content type, ``binary`` for the file itself."""
    content = {kind: {"schema": _BINARY if schema == "binary" else schema} for kind, schema in kinds.items()}
    return {"requestBody": {"required": True, "content": content}}


def files_form(name: str, description: str, many: bool = False) -> dict[str, Any]:
    """A form with files. Their field may have any name; this one is for those who have none of their own."""
    file = _BINARY | {"description": description}
    files = {"type": "array", "minItems": 1, "items": _ONE_OF_MANY, "description": description} if many else file
    return {"type": "object", "required": [name], "properties": {name: files}, "additionalProperties": False}


def base64_pictures(description: str, most: int) -> dict[str, Any]:
    """Pictures in JSON."""
    text = {
        "type": "string",
        "format": "byte",
        "description": f"{description} In base64, or a data URL; line breaks do not matter.",
    }
    named = {
        "type": "object",
        "additionalProperties": False,
        "required": ["data"],
        "properties": {"data": text, "source": {"type": "string", "description": "Its name."}},
    }
    pictures = {"type": "array", "minItems": 1, "maxItems": most, "items": {"anyOf": [text, named]}}
    return {
        "type": "object",
        "required": ["pictures"],
        "properties": {"pictures": pictures},
        "additionalProperties": False,
    }
