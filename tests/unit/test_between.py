"""Files are not searched in every frame: what is in between, and when every frame is searched after all."""

from __future__ import annotations

import numpy as np
import pytest

from mien.analyzer import Analyzer
from mien.detection.base import DetectedFace, Frame
from mien.options import AnalyzerOptions
from mien.tracking.between import between, pair
from mien.tracking.stream import FrameDetections, StreamAnalyzer

FRAME = np.random.default_rng(0).integers(90, 160, (240, 320, 3)).astype(np.uint8)
OTHER = np.random.default_rng(1).integers(0, 60, (240, 320, 3)).astype(np.uint8)


def face(x: float, y: float = 50.0, size: float = 60.0) -> DetectedFace:
    return DetectedFace((x, y, size, size), 0.9)


class Places:
    """A detector that knows where everybody is in each frame, and notes which it was shown."""

    def __init__(self, places: list[list[float]]) -> None:
        self.places, self.searched = places, list[int]()

    def detect(self, frame: Frame) -> list[DetectedFace]:
        number = int(frame[0, 0, 0])
        self.searched.append(number)
        return [face(x) for x in self.places[number]]


def read(places: list[list[float]], rate: float = 25.0, cut: int | None = None) -> tuple[list[FrameDetections], Places]:
    detector = Places(places)
    frames = []
    for number in range(len(places)):
        image = (FRAME if cut is None or number < cut else OTHER).copy()
        image[0, 0, 0] = number
        frames.append((image, number / rate, number))
    stream = StreamAnalyzer(Analyzer(detector, None, detector, AnalyzerOptions(min_confidence=0.5)))  # type: ignore[arg-type]
    return list(stream.detect_ahead(frames)), detector


def xs(found: FrameDetections) -> list[float]:
    return [person.box[0] for _, person in found.people]


def test_faces_are_paired_by_place_in_any_order() -> None:
    assert pair([face(10), face(200)], [face(205), face(12)]) == [1, 0]
    assert pair([], []) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([face(10)], []),
        ([face(10)], [face(10), face(200)]),
        ([face(10)], [face(60)]),
        ([face(10)], [face(10, size=90)]),
        ([face(10), face(65)], [face(10), face(65)]),
    ],
    ids=["left", "came", "far", "grown", "close to somebody"],
)
def test_what_is_not_plain_is_not_paired(before: list[DetectedFace], after: list[DetectedFace]) -> None:
    assert pair(before, after) is None


def test_box_score_and_landmarks_are_on_the_way() -> None:
    points = tuple((float(k), 2.0 * k) for k in range(5))
    moved = tuple((x + 8, y - 4) for x, y in points)
    way = between(
        DetectedFace((0, 0, 40, 60), 0.8, points),  # type: ignore[arg-type]
        DetectedFace((8, 4, 44, 64), 0.9, moved),  # type: ignore[arg-type]
        0.25,
    )
    assert way.box == (2, 1, 41, 61)
    assert way.score == pytest.approx(0.825)
    assert way.landmarks == tuple((x + 2, y - 1) for x, y in points)
    assert between(face(0), face(8), 0.5).landmarks is None


@pytest.mark.parametrize("rate", [5.0, 25.0, 60.0])
def test_every_frame_is_given_in_order_and_few_are_searched(rate: float) -> None:
    places = [[50.0 + 10 * number / rate] for number in range(60)]
    found, detector = read(places, rate)
    assert [seen.number for seen in found] == list(range(60))
    assert {track for seen in found for track, _ in seen.people} == {1}
    assert [xs(seen) for seen in found] == [pytest.approx(place) for place in places]
    gaps = np.diff(sorted(detector.searched)) / rate
    assert gaps.max() == pytest.approx(max(1 / rate, 0.12), abs=0.01)


def test_frames_before_a_newcomer_are_searched() -> None:
    # 25 a second: frames 0, 3, 6 … are searched.
    found, detector = read([[50.0]] * 4 + [[50.0, 200.0]] * 8)
    assert [len(seen.people) for seen in found] == [1] * 4 + [2] * 8
    assert {4, 5} <= set(detector.searched)
    assert 1 not in detector.searched


def test_while_somebody_is_lost_every_frame_is_searched() -> None:
    found, detector = read([[50.0, 200.0]] * 4 + [[50.0]] * 5 + [[50.0, 200.0]] + [[50.0]] * 5)
    assert [len(seen.people) for seen in found] == [2] * 4 + [1] * 5 + [2] + [1] * 5
    assert set(range(4, 15)) <= set(detector.searched)


def test_nothing_is_between_two_shots() -> None:
    found, detector = read([[50.0]] * 5 + [[55.0]] * 7, cut=5)
    assert [seen.shot for seen in found] == [1] * 5 + [2] * 7
    assert {4, 5} <= set(detector.searched)
    assert xs(found[4]) == [50.0]
    assert xs(found[5]) == [55.0]


def test_an_end_between_two_searches_is_searched() -> None:
    found, detector = read([[50.0]] * 5)
    assert [xs(seen) for seen in found] == [[50.0]] * 5
    assert 4 in detector.searched
