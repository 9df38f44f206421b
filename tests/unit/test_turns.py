"""Photos on their side and on their head."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.analyzer import Analyzer, load
from mien.cli.options import make_analyzer_options
from mien.detection.base import DetectedFace
from mien.detection.turns import turned, turned_back
from mien.errors import OptionError
from mien.images import read_image
from mien.results import FrameResult


def assert_same_faces(result: FrameResult, expected: FrameResult, quarters: int) -> None:
    """The faces of a turned photo, where they lie in it, are those of the upright one."""
    boxes = [
        turned_back(DetectedFace(face.box, face.score), quarters, expected.width, expected.height).box
        for face in result
    ]
    order = sorted(range(len(boxes)), key=lambda k: boxes[k][0] + boxes[k][2] / 2)
    assert len(order) == len(expected)
    for k, face in zip(order, expected, strict=True):
        np.testing.assert_allclose(boxes[k], face.box, atol=3)
        assert result[k].emotion == face.emotion
        assert result[k].confidence == pytest.approx(face.confidence, abs=0.06)
        assert result[k].quality == face.quality
        assert face.angles
        assert result[k].angles
        off = (result[k].angles.roll - face.angles.roll - 90 * quarters + 180) % 360 - 180
        assert abs(off) < 3


@pytest.mark.parametrize("quarters", range(4))
def test_boxes_and_points_are_turned_back(quarters: int) -> None:
    frame = np.zeros((60, 100, 3), np.uint8)
    frame[10:30, 20:26] = 255
    seen = turned(frame, quarters)
    rows, columns = np.nonzero(seen[:, :, 0])
    left, top = columns.min(), rows.min()
    box = float(left), float(top), float(np.ptp(columns) + 1), float(np.ptp(rows) + 1)
    corner = (float(left), float(top))
    back = turned_back(DetectedFace(box, 0.5, (corner,) * 5, 0.9), quarters, 100, 60)
    assert back.box == (20, 10, 6, 20)
    assert back.score == 0.5
    assert back.landmarks
    assert back.landmarks[0] in {(20, 10), (26, 10), (26, 30), (20, 30)}


@pytest.mark.parametrize("quarters", range(4))
def test_a_turned_portrait_is_read_as_upright(analyzer: Analyzer, astronaut: NDArray[np.uint8], quarters: int) -> None:
    assert_same_faces(analyzer.analyze(turned(astronaut, quarters)), analyzer.analyze(astronaut), quarters)


@pytest.mark.parametrize("quarters", range(4))
def test_a_turned_group_is_read_as_upright(analyzer: Analyzer, shared: Path, quarters: int) -> None:
    frame = read_image(shared / "media" / "multi_face.jpg")
    assert_same_faces(analyzer.analyze(turned(frame, quarters)), analyzer.analyze(frame), quarters)


def test_upright_photos_stay_as_they_are(analyzer: Analyzer, shared: Path) -> None:
    never = load(rotate=0)
    for path in sorted((shared / "data" / "wild").glob("*.jpg"))[::20]:
        frame = read_image(path)
        assert analyzer.analyze_frame(frame) == never.analyze_frame(frame), path.name


def test_a_given_turn_is_taken(astronaut: NDArray[np.uint8]) -> None:
    upright = load(rotate=0).analyze(astronaut)
    # Turned clockwise by 90 degrees, it takes 270 more to stand upright.
    assert_same_faces(load(rotate=270).analyze(turned(astronaut, 1)), upright, 1)


def test_haar_is_turned_too(astronaut: NDArray[np.uint8]) -> None:
    found = load(detector="haar").analyze(turned(astronaut, 1)).largest
    assert found
    assert found.emotion == "happy"


@pytest.mark.parametrize("value", [45, -90, 360, "90", True, None, "no"])
def test_impossible_turns_are_refused(value: object) -> None:
    with pytest.raises(OptionError, match="rotate must be one of auto, 0, 90, 180, 270"):
        load(rotate=value)  # type: ignore[arg-type]


def test_the_command_line_takes_numbers() -> None:
    assert make_analyzer_options({"rotate": "90"}).rotate == 90
    assert make_analyzer_options({"rotate": "auto"}).rotate == "auto"
