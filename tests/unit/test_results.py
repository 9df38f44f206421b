from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.analyzer import clip_box
from mien.emotions import LABELS, Emotion
from mien.errors import DataError
from mien.results import Face, FrameResult


def make_face(box: tuple[int, int, int, int] = (1, 2, 30, 40), emotion: Emotion = Emotion.HAPPY) -> Face:
    probabilities = dict.fromkeys(Emotion, 0.05) | {emotion: 0.7}
    return Face(box, 0.91, emotion, 0.7, probabilities, uncertain=False)


def test_round_trip_through_json() -> None:
    result = FrameResult("a/ü.jpg", 640, 480, (make_face(), make_face((0, 0, 5, 5), Emotion.FEAR)))
    assert FrameResult.from_dict(json.loads(json.dumps(result.to_dict()))) == result


def test_ambiguity_is_carried_everywhere() -> None:
    face = replace(make_face(), ambiguity=0.25)
    photo = FrameResult("x.jpg", 640, 480, (face, make_face()))
    frame = replace(photo, frame=0, time_s=0.0, shot=1)
    assert [face.get("ambiguity") for face in photo.to_dict()["faces"]] == [0.25, None]
    for result in (photo, frame):
        assert FrameResult.from_dict(json.loads(json.dumps(result.to_dict()))) == result
        assert [row["ambiguity"] for row in result.to_rows()] == [0.25, None]


def test_json_shape() -> None:
    values = FrameResult("x.jpg", 640, 480, (make_face(),)).to_dict()
    assert list(values) == ["source", "width", "height", "faces"]
    face = values["faces"][0]
    assert {"box", "score", "emotion", "confidence", "probabilities"} <= face.keys()
    assert face["emotion"] == "happy"
    assert tuple(face["probabilities"]) == LABELS


def test_largest_and_iteration() -> None:
    small, large = make_face((0, 0, 5, 5)), make_face((9, 9, 50, 50))
    result = FrameResult("", 100, 100, (small, large))
    assert result.largest is large
    assert list(result) == [small, large]
    assert len(result) == 2
    assert FrameResult("", 1, 1, ()).largest is None


def test_results_are_frozen() -> None:
    with pytest.raises(AttributeError):
        make_face().confidence = 1.0  # type: ignore[misc]


finite = st.floats(-1e4, 1e4)


@settings(deadline=None)
@given(st.tuples(finite, finite, st.floats(0.01, 1e4), st.floats(0.01, 1e4)), st.integers(1, 900), st.integers(1, 900))
def test_clipped_boxes_lie_inside(box: tuple[float, float, float, float], width: int, height: int) -> None:
    left, top, box_width, box_height = clip_box(box, width, height)
    assert 0 <= left < left + box_width <= width
    assert 0 <= top < top + box_height <= height


def test_a_box_inside_is_only_rounded() -> None:
    assert clip_box((10.4, 20.6, 30.2, 40.0), 100, 100) == (10, 21, 31, 40)


@pytest.mark.parametrize(
    ("text", "emotion"),
    [("happy", Emotion.HAPPY), (" Happiness ", Emotion.HAPPY), ("ANGER", Emotion.ANGRY), ("disgusted", Emotion.DISGUST),
     ("fearful", Emotion.FEAR), ("surprised", Emotion.SURPRISE), ("sadness", Emotion.SAD), ("6", Emotion.NEUTRAL)],
)  # fmt: skip
def test_spellings(text: str, emotion: Emotion) -> None:
    assert Emotion.parse(text) is emotion


def test_unknown_spellings_name_the_nearest() -> None:
    with pytest.raises(DataError, match=r"unknown emotion 'suprise'; did you mean 'surprise'\?"):
        Emotion.parse("suprise")
    with pytest.raises(DataError, match="expected one of angry, disgust, fear"):
        Emotion.parse("xyz")


def test_order_is_fer2013s() -> None:
    assert LABELS == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    assert [emotion.number for emotion in Emotion] == list(range(7))
    assert f"{Emotion.HAPPY}" == "happy"
    assert len({emotion.color for emotion in Emotion}) == 7
