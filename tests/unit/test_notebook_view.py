"""Results in a notebook: rows, DataFrames, short words and pictures."""

from __future__ import annotations

import io
import pickle
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mien.analyzer import Analyzer
from mien.classification.explanation import explain
from mien.detection.pose import head_angles
from mien.emotions import Emotion
from mien.errors import OptionError
from mien.results import Face, FrameResult, HeadAngles

UPRIGHT = ((30.0, 40.0), (70.0, 40.0), (50.0, 62.0), (34.0, 82.0), (66.0, 82.0))


def make_result(*faces: Face, source: str = "a.jpg") -> FrameResult:
    return FrameResult(source, 640, 480, faces)


def make_face(confidence: float = 0.98, **values: object) -> Face:
    probabilities = dict.fromkeys(Emotion, (1 - confidence) / 6) | {Emotion.HAPPY: confidence}
    face = Face((1, 2, 30, 40), 0.9, Emotion.HAPPY, confidence, probabilities, uncertain=confidence < 0.5)
    return replace(face, **values)  # type: ignore[arg-type]


def test_a_glance() -> None:
    assert str(make_result(make_face(), make_face(0.41))) == "2 faces: happy 98%, happy? 41%"
    assert str(make_result()) == "no face"
    assert str(make_result(*[make_face()] * 200)).endswith("...")
    assert repr(make_face(track=3)) == "Face(happy 98%, track 3, box (1, 2, 30, 40))"
    assert repr(make_result(make_face())) == "FrameResult('a.jpg', 640x480, 1 face: happy 98%)"


def test_faces_by_place() -> None:
    first, second = make_face(), make_face(0.7)
    result = make_result(first, second)
    assert result[0] is first
    assert result[-1] is second
    assert result[:1] == (first,)
    with pytest.raises(IndexError):
        result[2]


@pytest.mark.parametrize("moment", [{}, {"frame": 3, "time_s": 0.1, "shot": 1}])
def test_frames_of_data_keep_their_types(moment: dict[str, float]) -> None:
    pd = pytest.importorskip("pandas")
    full = replace(make_result(make_face(), make_face(0.4)), **moment)
    empty = replace(make_result(), **moment)
    assert [row["x"] for row in full.to_rows()] == [1, 1]
    assert [row["x"] for row in empty.to_rows()] == [None]
    assert full.to_pandas().dtypes.equals(empty.to_pandas().dtypes)
    both = pd.concat([full.to_pandas(), empty.to_pandas()], ignore_index=True)
    assert str(both.dtypes["x"]) == "Int64"
    assert str(both.dtypes["uncertain"]) == "boolean"
    assert both["uncertain"].tolist()[:2] == [False, True]
    assert both["x"].isna().tolist() == [False, False, True]


def test_a_notebook_shows_picture_and_bars(analyzer: Analyzer, astronaut_path: Path) -> None:
    content = astronaut_path.read_bytes()
    for source in (astronaut_path, content, io.BytesIO(content)):
        html = analyzer.analyze(source)._repr_html_()
        assert html.count("<img") == 1
        assert all(label in html for label in Emotion)
        assert len(html) < 200_000
    assert "<script" not in html


def test_names_of_files_are_no_markup() -> None:
    html = make_result(make_face(), source="<img src=x onerror=alert(1)>.jpg")._repr_html_()
    assert "<img" not in html
    assert "&lt;img" in html


def test_results_keep_no_array_in_memory(analyzer: Analyzer, astronaut: NDArray[np.uint8]) -> None:
    mine = astronaut.copy()
    result = analyzer.analyze(mine)
    assert "<img" in result._repr_html_()
    del mine
    assert "<img" not in result._repr_html_()
    assert "happy" in result._repr_html_()


def test_a_picture_that_changed_is_not_shown(analyzer: Analyzer, astronaut: NDArray[np.uint8], tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(astronaut[:, :, ::-1]).save(path)
    result = analyzer.analyze(path)
    Image.new("RGB", (20, 30)).save(path)
    assert "<img" not in result._repr_html_()
    path.unlink()
    assert "<img" not in result._repr_html_()


def test_results_are_pickled_small(analyzer: Analyzer, astronaut: NDArray[np.uint8], astronaut_path: Path) -> None:
    for source in (astronaut, astronaut_path, astronaut_path.read_bytes()):
        result = analyzer.analyze(source)
        packed = pickle.dumps(result)
        assert pickle.loads(packed) == result
        assert len(packed) < 5000


def test_landmarks_and_angles_are_in_the_json(analyzer: Analyzer, astronaut: NDArray[np.uint8]) -> None:
    (face,) = analyzer.analyze(astronaut)
    assert face.landmarks is not None
    left, top, width, height = face.box
    assert all(left < x < left + width and top < y < top + height for x, y in face.landmarks)
    values = face.to_dict()
    assert values["angles"].keys() == {"roll", "yaw", "pitch"}
    assert Face.from_dict(values) == face


def test_a_level_head_has_no_roll_and_yaw() -> None:
    angles = head_angles(UPRIGHT)
    assert angles.roll == pytest.approx(0, abs=0.1)
    assert angles.yaw == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("degrees", [-170, -90, -40, 15, 90, 135])
def test_roll_follows_a_turn_of_the_picture(degrees: float) -> None:
    angle = np.deg2rad(degrees)
    # Clockwise as seen, where y grows downward.
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    before, after = head_angles(UPRIGHT), head_angles([tuple(turn @ point) for point in UPRIGHT])
    assert after.roll - before.roll == pytest.approx(degrees, abs=0.2)
    assert after.yaw == pytest.approx(before.yaw, abs=0.2)
    assert after.pitch == pytest.approx(before.pitch, abs=0.2)


def test_the_nose_tells_where_a_head_turns() -> None:
    def nose_at(x: float, y: float) -> HeadAngles:
        return head_angles((*UPRIGHT[:2], (x, y), *UPRIGHT[3:]))

    assert nose_at(60, 62).yaw > 10 > -10 > nose_at(40, 62).yaw
    assert nose_at(50, 56).pitch > head_angles(UPRIGHT).pitch > nose_at(50, 68).pitch


def test_heads_of_a_mirrored_photo_turn_the_other_way(analyzer: Analyzer, shared: Path) -> None:
    from mien.images import read_image

    frame = read_image(shared / "media" / "multi_face.jpg")
    faces = list(analyzer.analyze(frame))
    mirrored = list(analyzer.analyze(np.ascontiguousarray(frame[:, ::-1])))[::-1]
    assert len(faces) == len(mirrored) == 5
    for face, other in zip(faces, mirrored, strict=True):
        assert face.angles
        assert other.angles
        expected = np.array(face.angles) * (-1, -1, 1)
        np.testing.assert_allclose(other.angles, expected, atol=9)


def test_crops_are_read_as_they_are(analyzer: Analyzer, astronaut: NDArray[np.uint8]) -> None:
    from mien.preprocessing import crop_face

    result = analyzer.analyze(astronaut)
    crop = crop_face(astronaut, result[0])
    assert crop.shape == (224, 224, 3)
    again, small = analyzer.analyze_crops([crop, crop[::4, ::4]])
    assert again[0].box == (0, 0, 224, 224)
    assert again[0].score == 1.0
    assert again[0].landmarks is None
    assert again[0].emotion == small[0].emotion == result[0].emotion
    assert again[0].confidence == pytest.approx(result[0].confidence, abs=0.05)
    assert analyzer.analyze_crops([]) == []


def test_many_crops_are_read_in_order(analyzer: Analyzer, astronaut: NDArray[np.uint8]) -> None:
    sizes = range(30, 100)
    results = analyzer.analyze_crops(astronaut[:side, :side] for side in sizes)
    assert [result.width for result in results] == list(sizes)


def test_an_explanation_is_saved(analyzer: Analyzer, astronaut: NDArray[np.uint8], tmp_path: Path) -> None:
    explanation = explain(astronaut, analyzer=analyzer)
    explanation.save(tmp_path / "why.png")
    with Image.open(tmp_path / "why.png") as image:
        assert image.size == explanation.draw().shape[1::-1]
    assert explanation._repr_png_().startswith(b"\x89PNG")
    assert re.fullmatch(r"Explanation\(face 1, happy \d+%\)", repr(explanation))
    with pytest.raises(OptionError, match="unknown picture format"):
        explanation.save(tmp_path / "why.xyz")
