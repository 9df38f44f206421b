"""Hints on faces whose faults are known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mien.analyzer import Analyzer
from mien.classification.quality import QUALITY_FLAGS, quality_flags, turn, words
from mien.detection.base import DetectedFace, Frame

FACE = DetectedFace((178.0, 63.0, 90.0, 113.0), 0.9)
"""Where Eileen Collins' face is in the picture."""


def scaled(face: DetectedFace, factor: float) -> DetectedFace:
    left, top, width, height = (value * factor for value in face.box)
    return DetectedFace((left, top, width, height), face.score)


def with_nose(x: float) -> DetectedFace:
    landmarks = ((200.0, 100.0), (240.0, 100.0), (x, 120.0), (205.0, 145.0), (235.0, 145.0))
    return DetectedFace(FACE.box, 0.9, landmarks)


def test_a_good_face_has_no_hints(astronaut: Frame) -> None:
    assert quality_flags(astronaut, FACE) == ()
    assert quality_flags(astronaut, with_nose(220.0)) == ()


def test_a_small_face(astronaut: Frame) -> None:
    small = cv2.resize(astronaut, None, fx=0.15, fy=0.15, interpolation=cv2.INTER_AREA)
    assert quality_flags(small, scaled(FACE, 0.15)) == ("too_small",)


def test_a_blurred_face(astronaut: Frame) -> None:
    assert quality_flags(cv2.GaussianBlur(astronaut, (0, 0), 6), FACE) == ("blurred",)


def test_blur_is_judged_alike_in_large_and_dim_pictures(astronaut: Frame) -> None:
    large = cv2.resize(astronaut, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    assert "blurred" not in quality_flags(large, scaled(FACE, 3))
    assert "blurred" in quality_flags(cv2.GaussianBlur(large, (0, 0), 18), scaled(FACE, 3))
    assert "blurred" not in quality_flags(cv2.convertScaleAbs(astronaut, alpha=0.3), FACE)


def test_a_dark_face(astronaut: Frame) -> None:
    assert quality_flags(cv2.convertScaleAbs(astronaut, alpha=0.15), FACE) == ("dark",)


@pytest.mark.parametrize(("nose_x", "turned"), [(220.0, False), (228.0, False), (245.0, True), (195.0, True)])
def test_a_face_turned_away(astronaut: Frame, nose_x: float, turned: bool) -> None:
    assert ("turned_away" in quality_flags(astronaut, with_nose(nose_x))) is turned


def test_turn_has_a_sign_and_ignores_tilt() -> None:
    assert turn(with_nose(200.0)) == pytest.approx(-0.5)
    angle = np.deg2rad(30)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = np.array(with_nose(210.0).landmarks) @ rotation.T
    tilted = DetectedFace(FACE.box, 0.9, tuple((float(x), float(y)) for x, y in points))  # type: ignore[arg-type]
    assert turn(tilted) == pytest.approx(-0.25)
    assert turn(FACE) == 0.0


@pytest.mark.parametrize(
    ("box", "cut"),
    [
        ((0.0, 0.0, 100.0, 100.0), False),
        ((-5.0, 50.0, 100.0, 100.0), False),
        ((-30.0, 50.0, 100.0, 100.0), True),
        ((450.0, 50.0, 100.0, 100.0), True),
        ((100.0, -40.0, 100.0, 100.0), True),
        ((100.0, 480.0, 100.0, 100.0), True),
    ],
)
def test_a_face_cut_off(astronaut: Frame, box: tuple[float, float, float, float], cut: bool) -> None:
    assert ("cut_off" in quality_flags(astronaut, DetectedFace(box, 0.9))) is cut


@pytest.mark.parametrize("box", [(-500.0, -500.0, 90.0, 90.0), (900.0, 900.0, 90.0, 90.0), (5.0, 5.0, 0.2, 0.2)])
def test_odd_boxes_do_no_harm(astronaut: Frame, box: tuple[float, float, float, float]) -> None:
    assert set(quality_flags(astronaut, DetectedFace(box, 0.9))) <= set(QUALITY_FLAGS)
    assert set(quality_flags(astronaut[:1, :1], DetectedFace(box, 0.9))) <= set(QUALITY_FLAGS)


def test_words_for_people() -> None:
    assert words(()) == ""
    assert words(("dark", "cut_off")) == "dark: turn on a light; cut off: move into the picture"


def test_severe_flags_make_an_answer_uncertain(analyzer: Analyzer, astronaut: Frame) -> None:
    (sure,) = analyzer.analyze(astronaut)
    (small,) = analyzer.analyze(cv2.resize(astronaut, None, fx=0.18, fy=0.18, interpolation=cv2.INTER_AREA))
    assert not sure.uncertain
    assert "too_small" in small.quality
    assert small.confidence >= analyzer.uncertain_below
    assert small.uncertain
