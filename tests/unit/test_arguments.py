"""Wrong types at the public entry points: one clear error of mien, never Python's own from deep inside."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from tempfile import SpooledTemporaryFile

import numpy as np
import pytest
from PIL import Image

import mien
from mien.errors import DataError, ImageError, MienError, OptionError, VideoError

PHOTO = Path(__file__).parents[2] / "examples" / "astronaut.jpg"
FRAME = np.zeros((40, 60, 3), np.uint8)
RESULT = mien.FrameResult("", 60, 40, ())
A_FRAME = "expected a picture as an array of uint8 (height, width, 3) in blue, green, red, found "
AN_ANALYZER = "analyzer must be an Analyzer (mien.load opens one)"


@pytest.fixture(scope="module")
def analyzer() -> mien.Analyzer:
    return mien.load(threads=1)


def refused(kind: type[MienError], message: str, call: Callable[[], object]) -> None:
    with pytest.raises(kind) as caught:
        call()
    line = str(caught.value)
    assert message in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("frame", "what"),
    [
        (None, "NoneType"),
        ("photo.jpg", "str"),
        (Path("photo.jpg"), "PosixPath"),
        (Image.new("RGB", (60, 40)), "Image"),
        (FRAME.tolist(), "list"),
        (FRAME[:, :, 0], "an array of uint8 (40, 60)"),
        (FRAME / 255, "an array of float64 (40, 60, 3)"),
        (np.zeros((40, 60, 4), np.uint8), "an array of uint8 (40, 60, 4)"),
        (np.zeros((0, 60, 3), np.uint8), "an array of uint8 (0, 60, 3)"),
    ],
)
def test_what_is_no_frame(frame: object, what: str, analyzer: mien.Analyzer) -> None:
    picture: object = frame
    face = mien.Face((1, 1, 9, 9), 1.0, mien.Emotion.SAD, 1.0, {}, False)
    for call in (
        lambda: mien.draw(picture, RESULT),  # type: ignore[arg-type]
        lambda: mien.crop_face(picture, face),  # type: ignore[arg-type]
        lambda: analyzer.analyze_frame(picture),  # type: ignore[arg-type]
        lambda: analyzer.detect_faces(picture),  # type: ignore[arg-type]
        lambda: mien.StreamAnalyzer(analyzer).analyze(picture, 0.0, 0),  # type: ignore[arg-type]
    ):
        refused(ImageError, A_FRAME + what.replace("PosixPath", type(frame).__name__), call)


@pytest.mark.parametrize(
    ("message", "call"),
    [
        ("result must be a FrameResult (Analyzer.analyze gives one), found list", lambda a: mien.draw(FRAME, [])),
        ("highlight must be a whole number or None, found '1'", lambda a: mien.draw(FRAME, RESULT, highlight="1")),
        ("confidence must be True or False, found None", lambda a: mien.draw(FRAME, RESULT, confidence=None)),
        ("face must be a Face (results hold them), found FrameResult", lambda a: mien.crop_face(FRAME, RESULT)),
        ("face must be a whole number or None, found '1'", lambda a: mien.explain(PHOTO, "1")),
        ("emotion must be text or None, found 3", lambda a: mien.explain(PHOTO, emotion=3)),
        (AN_ANALYZER + " or None, found 'mien-2'", lambda a: mien.explain(PHOTO, analyzer="mien-2")),
        (AN_ANALYZER + ", found AnalyzerOptions", lambda a: mien.StreamAnalyzer(mien.AnalyzerOptions())),
        ("detect_every must be a whole number, found '2'", lambda a: mien.StreamAnalyzer(a, "2")),
        ("detect_every must be a whole number, found True", lambda a: mien.StreamAnalyzer(a, True)),
        ("full_search_s must be a number, found None", lambda a: mien.StreamAnalyzer(a, 1, None)),
        ("time_s must be a number, found '0'", lambda a: mien.StreamAnalyzer(a).analyze(FRAME, "0", 0)),
        ("time_s must be a time in seconds", lambda a: mien.StreamAnalyzer(a).analyze(FRAME, float("nan"), 0)),
        ("number must be a whole number, found 0.5", lambda a: mien.StreamAnalyzer(a).analyze(FRAME, 0, 0.5)),
        ("result must be a FrameResult", lambda a: mien.Summary().add(None)),
        ("workers must be a whole number, found '2'", lambda a: a.analyze_many([PHOTO], workers="2")),
        ("errors must be text, found list", lambda a: mien.analyze_many([PHOTO], errors=["raise"])),  # type: ignore[call-overload]
        ("max_pixels must be a whole number, found '9'", lambda a: mien.read_image(PHOTO, "9")),
        ("detector must be opened already; mien.load opens it by its name", lambda a: mien.Analyzer("yunet", None, a)),
        ("options must be AnalyzerOptions or None, found dict", lambda a: mien.Analyzer(a.detector, None, a, {})),
        ("detector must be text, found list", lambda a: mien.predict_emotion(PHOTO, detector=["haar"])),
        ("device must be text, found list", lambda a: mien.predict_emotion(PHOTO, device=["cpu"])),
        ("rotate must be one of auto, 0, 90, 180, 270, found ndarray", lambda a: mien.load(rotate=np.zeros(2))),
        ("rotate must be one of auto, 0, 90, 180, 270, found 90.0", lambda a: mien.load(rotate=90.0)),
        ("detect_size must be auto or lie in 128..16384, found ndarray", lambda a: mien.load(detect_size=np.zeros(2))),
    ],
)
def test_arguments_of_other_types(
    message: str, call: Callable[[mien.Analyzer], object], analyzer: mien.Analyzer
) -> None:
    refused(OptionError, message, lambda: call(analyzer))


@pytest.mark.parametrize("side", [0, -3, 10**6])
def test_sides_of_crops(side: int) -> None:
    face = mien.Face((1, 1, 9, 9), 1.0, mien.Emotion.SAD, 1.0, {}, False)
    refused(OptionError, f"side must lie in 1..8192 pixels, found {side}", lambda: mien.crop_face(FRAME, face, side))


@pytest.mark.parametrize(
    ("message", "values"),
    [
        ("start must be a number, found '1'", {"start": "1"}),
        ("start must be a number, found None", {"start": None}),
        ("end must be a number or None, found '1'", {"end": "1"}),
        ("fps must be a number or None, found '1'", {"fps": "1"}),
        ("every must be a whole number, found 1.5", {"every": 1.5}),
        ("table must be a path, found 3", {"table": 3}),
        ("episodes must be a path, found None", {"episodes": ["a.csv", None]}),
        ("video must be a path or None, found list", {"video": ["a.mp4"]}),
        ("sound must be True or False, found 'no'", {"sound": "no"}),
        ("detect_every must be a whole number, found '2'", {"detect_every": "2"}),
        ("participants must be a path or a dictionary or None, found list", {"participants": ["Ann"]}),
        ("participants must go by number, as in {1: 'Ann'}, found 'Ann'", {"participants": {"Ann": 1}}),
        ("on_frame must be a function or None, found 'x'", {"on_frame": "x"}),
        ("on_result must be a function or None, found 3", {"on_result": 3}),
        ("cancelled must be a function, found True", {"cancelled": True}),
        (AN_ANALYZER + " or None, found 'mien-2'", {"analyzer": "mien-2"}),
    ],
)
def test_arguments_for_videos(message: str, values: dict[str, object]) -> None:
    pytest.importorskip("av")
    refused(OptionError, message, lambda: mien.analyze_video("clip.mp4", **values))  # type: ignore[arg-type]


def test_videos_are_not_fetched() -> None:
    pytest.importorskip("av")
    refused(VideoError, "URLs are not fetched: download the video first", lambda: mien.open_video("https://a.b/c.mp4"))


def test_pictures_that_are_none() -> None:
    refused(ImageError, "found list; mien.analyze_many reads several", lambda: mien.predict_emotion([PHOTO]))  # type: ignore[arg-type]
    for nothing in (None, 3):
        refused(
            ImageError,
            f"expected a picture or several of them, found {type(nothing).__name__}",
            lambda nothing=nothing: mien.analyze_many(nothing),
        )


def test_the_answer_of_opencv_to_what_it_cannot_read() -> None:
    refused(ImageError, "found NoneType; cv2.imread gives None", lambda: mien.predict_emotion(None))  # type: ignore[arg-type]


def test_file_objects_that_give_nothing(tmp_path: Path) -> None:
    closed, at_end = BytesIO(b"x"), BytesIO(PHOTO.read_bytes())
    closed.close()
    at_end.read()
    refused(ImageError, "picture: cannot be read: I/O operation on closed file", lambda: mien.read_image(closed))
    refused(ImageError, "needs seek(0) first", lambda: mien.read_image(at_end))
    with (tmp_path / "new.jpg").open("wb") as file:
        refused(ImageError, "picture: cannot be read: read", lambda: mien.read_image(file))
    # What is read as text is not a path.
    with SpooledTemporaryFile(mode="w+") as text:
        text.write(str(PHOTO))
        text.seek(0)
        refused(ImageError, "is open as text", lambda: mien.read_image(text))  # type: ignore[arg-type]


def test_a_picture_of_another_size_than_the_result() -> None:
    message = "frame: is 30x40, but the boxes lie in a picture of 60x40"
    refused(ImageError, message, lambda: mien.draw(FRAME[:, :30], RESULT))


def test_names_of_emotions_that_are_none() -> None:
    refused(DataError, "expected the name of an emotion, found None", lambda: mien.Emotion.parse(None))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [mien.Face, mien.FrameResult])
def test_values_that_are_no_results(kind: type[mien.Face] | type[mien.FrameResult]) -> None:
    refused(DataError, "is missing", lambda: kind.from_dict({}))
    refused(DataError, "found list", lambda: kind.from_dict([]))  # type: ignore[arg-type]


def test_numbers_of_numpy_are_numbers(analyzer: mien.Analyzer) -> None:
    options = mien.AnalyzerOptions(rotate=np.int64(90), threads=np.int64(1), min_confidence=np.float32(0.5))
    assert options == mien.AnalyzerOptions(rotate=90, threads=1, min_confidence=0.5)
    assert {type(options.rotate), type(options.threads)} == {int}
    result = mien.StreamAnalyzer(analyzer).analyze(FRAME, np.float32(0.5), np.int64(3))  # type: ignore[arg-type]
    assert re.fullmatch(r'\{"source": "", "frame": 3, "time_s": 0\.5, .*\}', json.dumps(result.to_dict()))


def test_faces_are_found_in_a_photo_turned_by_a_number_of_numpy() -> None:
    turned = np.rot90(mien.read_image(PHOTO), 1)
    found = mien.load(threads=1, rotate=np.int64(90)).analyze(np.ascontiguousarray(turned))
    assert len(found) == 1
