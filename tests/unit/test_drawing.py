from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from mien.drawing import blur_faces, describe, draw, draw_copy
from mien.emotions import Emotion
from mien.results import Face, FrameResult


def face(box: tuple[int, int, int, int], uncertain: bool = False) -> Face:
    return Face(box, 0.9, Emotion.SAD, 0.61, dict.fromkeys(Emotion, 0.1), uncertain)


def test_words() -> None:
    assert describe(face((0, 0, 9, 9))) == "sad 61%"
    assert describe(face((0, 0, 9, 9), uncertain=True)) == "sad? 61%"


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


@pytest.mark.parametrize(("flags", "track", "lines"), [
    ((), None, 1),
    (("too_small",), None, 2),
    (("blurred", "turned_away"), None, 2),
    (("dark", "cut_off"), None, 1),
    (("too_small",), 3, 1),  # in videos labels must not jump
])  # fmt: skip
def test_what_makes_an_answer_uncertain_stands_below_it(flags: tuple[str, ...], track: int | None, lines: int) -> None:
    def height(one: Face) -> int:
        return int(labels_of((one,)).any(axis=1).sum())

    plain = face((200, 150, 60, 70), uncertain=True)
    shown, one_line = height(replace(plain, quality=flags, track=track)), height(plain)
    # A label that is wider than the box hides some of the box's line.
    assert abs(shown - one_line) <= 2 if lines == 1 else 1.6 * one_line < shown < 2.3 * one_line
    small = FrameResult("", 640, 360, (replace(plain, quality=flags, track=track),))
    short = draw(np.zeros((360, 640, 3), np.uint8), small, confidence=False)
    none = draw(
        np.zeros((360, 640, 3), np.uint8), replace(small, faces=(replace(plain, track=track),)), confidence=False
    )
    np.testing.assert_array_equal(short, none)


@pytest.mark.parametrize(("size", "expected"), [
    ((48, 64), (300, 400)),
    ((300, 400), (300, 400)),
    ((20, 4000), (20, 4096)),
    ((1, 5000), (1, 5000)),
])  # fmt: skip
def test_copies_of_small_pictures_are_enlarged(size: tuple[int, int], expected: tuple[int, int]) -> None:
    frame = np.zeros((*size, 3), np.uint8)
    copy = draw_copy(frame, FrameResult("", size[1], size[0], ()))
    assert copy.shape[:2] == expected


def test_boxes_grow_with_the_copy() -> None:
    frame = np.zeros((60, 60, 3), np.uint8)
    copy = draw_copy(frame, FrameResult("", 60, 60, (face((20, 30, 20, 24)),)))
    assert (copy[200:215, 96:106] > 50).any(axis=(1, 2)).all(), "the box's left edge"
    assert not copy[200:215, 110:190].any(), "the face itself stays visible"


def test_no_faces_no_drawing() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8)
    np.testing.assert_array_equal(draw(frame, FrameResult("", 20, 20, ())), frame)


def labels_of(faces: tuple[Face, ...], height: int = 360, width: int = 640) -> np.ndarray:
    """Where something is drawn that is no box: a mask."""
    drawn = draw(np.zeros((height, width, 3), np.uint8), FrameResult("", width, height, faces))
    for one in faces:
        left, top, box_width, box_height = one.box
        edge = np.zeros((height, width), np.uint8)
        cv2.rectangle(edge, (left, top), (left + box_width - 1, top + box_height - 1), 1, 3)
        drawn[edge > 0] = 0
    return drawn.any(axis=2)


@pytest.mark.parametrize("places", [
    [(200, 150), (240, 150), (280, 150)],
    [(200, 100), (205, 140), (210, 180)],
    [(0, 0), (40, 0), (0, 40), (40, 40)],
    [(600, 320), (560, 320), (600, 280)],
])  # fmt: skip
def test_labels_of_neighbours_hide_neither_each_other_nor_faces(places: list[tuple[int, int]]) -> None:
    faces = tuple(face((x, y, 36, 36)) for x, y in places)
    alone = [int(labels_of((one,)).sum()) for one in faces]
    # Numbers make labels a little wider when there are several faces.
    assert labels_of(faces).sum() >= 0.9 * sum(alone)
    mask = labels_of(faces)
    for x, y in places:
        # Crowded into a corner they have no room that is free.
        if min(x, 640 - x) > 100:
            assert not mask[y + 3 : y + 33, x + 3 : x + 33].any()


def test_a_lone_face_has_its_label_above() -> None:
    mask = labels_of((face((100, 80, 60, 70)),))
    rows = np.flatnonzero(mask.any(axis=1))
    assert rows.max() < 80
    assert np.flatnonzero(mask.any(axis=0)).min() >= 98


def test_the_largest_face_keeps_its_label_where_it_is_looked_for() -> None:
    mask = labels_of((face((100, 150, 120, 120)), face((105, 100, 30, 30))))
    # Above the small face; between the two there is no room for the large one's, which stands elsewhere at its side.
    assert not mask[103:127, 108:132].any()


def test_blurred_faces_cannot_be_recognized(analyzer, astronaut) -> None:
    result = analyzer.analyze(astronaut)
    blurred = blur_faces(astronaut, result)
    left, top, width, height = result.faces[0].box
    before = astronaut[top : top + height, left : left + width]
    after = blurred[top : top + height, left : left + width]
    # Hardly any detail is left in the face, and what lies far from it is as it was.
    assert sharpness_of(after) < 0.02 * sharpness_of(before)
    np.testing.assert_array_equal(blurred[top + 2 * height :], astronaut[top + 2 * height :])
    # A head may still be found there, but neither who it is nor what it shows.
    assert all(face.uncertain for face in analyzer.analyze(blurred))


def sharpness_of(picture) -> float:
    return float(cv2.Laplacian(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.CV_64F).var())


def test_labels_without_confidence_and_a_box_that_stands_out(analyzer, astronaut) -> None:
    result = analyzer.analyze(astronaut)
    usual = draw(astronaut, result)
    short = draw(astronaut, result, confidence=False)
    marked = draw(astronaut, result, highlight=1)
    changed = [int((picture != astronaut).any(axis=2).sum()) for picture in (short, usual, marked)]
    assert changed[0] < changed[1] < changed[2]
    np.testing.assert_array_equal(draw(astronaut, result, highlight=7), usual)
