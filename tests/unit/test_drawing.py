from __future__ import annotations

import numpy as np
import pytest

from mien.drawing import describe, draw
from mien.emotions import Emotion
from mien.results import Face, FrameResult


def face(box: tuple[int, int, int, int], uncertain: bool = False) -> Face:
    return Face(box, 0.9, Emotion.SAD, 0.61, dict.fromkeys(Emotion, 0.1), uncertain)


def test_words() -> None:
    assert describe(face((0, 0, 9, 9))) == "sad 61 %"
    assert describe(face((0, 0, 9, 9), uncertain=True)) == "sad? 61 %"


def test_draws_on_a_copy_around_the_face() -> None:
    frame = np.zeros((200, 300, 3), np.uint8)
    drawn = draw(frame, FrameResult("", 300, 200, (face((100, 80, 60, 70)),)))
    assert frame.max() == 0
    assert drawn.shape == frame.shape
    blue_green_red = list(Emotion.SAD.color[::-1])
    assert (drawn[115, 95:105] > 50).any(), "the box's left edge"
    assert drawn[110:120, 120:140].max() == 0, "the face itself stays visible"
    assert (drawn[40:80, 100:160] == blue_green_red).all(axis=2).sum() > 100, "the label stands above the box"


@pytest.mark.parametrize("size", [(1, 1), (10, 10), (40, 24), (64, 2000)])
@pytest.mark.parametrize("place", ["whole", "corner"])
def test_labels_stay_inside_any_frame(size: tuple[int, int], place: str) -> None:
    height, width = size
    box = (0, 0, width, height) if place == "whole" else (width - 1, height - 1, 1, 1)
    frame = np.zeros((height, width, 3), np.uint8)
    faces = (face(box), face(box))
    drawn = draw(frame, FrameResult("", width, height, faces))
    assert drawn.shape == frame.shape
    assert drawn.max() > 0


def test_no_faces_no_drawing() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8)
    np.testing.assert_array_equal(draw(frame, FrameResult("", 20, 20, ())), frame)
