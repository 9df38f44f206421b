from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mien.analyzer import Analyzer
from mien.detection import DetectedFace
from mien.detection.landmarks import LandmarkAligner
from mien.evaluation.evaluate import on_canvas
from mien.preprocessing import CROP_SCALE, CROP_SHIFT, crop, crop_color, to_tensor


def face_at(left: float, top: float, side: float, roll: float = 0.0) -> DetectedFace:
    """A square face whose eye line is tilted by ``roll`` radians."""
    x, y = left + side / 2, top + side / 2
    dx, dy = side / 4 * math.cos(roll), side / 4 * math.sin(roll)
    middle = ((x, y),) * 3
    return DetectedFace((left, top, side, side), 1.0, ((x - dx, y - dy), (x + dx, y + dy), *middle))


def gradient(width: int, height: int) -> NDArray[np.uint8]:
    """Brightness grows by one per pixel to the right."""
    return np.repeat(np.tile(np.arange(width, dtype=np.uint8), (height, 1))[:, :, None], 3, axis=2)


def test_crop_without_scaling_is_the_exact_region() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (100, 100, 3), np.uint8)
    cut = crop_color(frame, DetectedFace((20, 30, 48, 48), 1.0), 48, scale=1.0, shift=0.0)
    np.testing.assert_array_equal(cut, frame[30:78, 20:68])


@pytest.mark.parametrize("factor", [2, 5, 11])
def test_shrinking_averages_areas(factor: int) -> None:
    rng = np.random.default_rng(1)
    frame = rng.integers(0, 256, (48 * factor, 48 * factor, 3), np.uint8)
    cut = crop_color(frame, DetectedFace((0, 0, 48 * factor, 48 * factor), 1.0), 48, scale=1.0, shift=0.0)
    blocks = frame.reshape(48, factor, 48, factor, 3).mean(axis=(1, 3))
    assert np.abs(cut - blocks).max() <= 1.0


def test_stripes_of_a_large_face_do_not_alias() -> None:
    frame = np.zeros((960, 960, 3), np.uint8)
    frame[:, ::2] = 255
    cut = crop(frame, DetectedFace((0, 0, 960, 960), 1.0), 48)
    assert cut.std() < 6, "stripes that alias would be black and white"
    assert 120 < cut.mean() < 135


def test_beyond_the_edge_the_edge_is_repeated() -> None:
    cut = crop_color(gradient(60, 60), DetectedFace((-24, 0, 48, 48), 1.0), 48, scale=1.0, shift=0.0)
    assert cut[:, :24].max() == 0
    assert cut[0, 47].tolist() == [23, 23, 23]


def test_the_square_takes_the_longer_side_and_moves_along_the_face() -> None:
    frame = gradient(400, 400)
    upright = crop_color(frame, DetectedFace((100, 100, 48, 96), 1.0), 96, scale=1.0, shift=0.0)
    np.testing.assert_array_equal(upright[0, [0, 95], 0], [76, 171])
    # A face tilted by 90 degrees clockwise has its chin on the left, so "below" is to the left.
    lying = face_at(100, 100, 96, roll=math.pi / 2)
    middle = crop_color(frame, lying, 96, 1.0, 0.0).mean()
    lower = crop_color(frame, lying, 96, 1.0, 0.25).mean()
    assert middle - lower == pytest.approx(24, abs=0.5)


@pytest.mark.parametrize("degrees", [-40, -20, 15, 40])
def test_a_tilted_face_is_turned_upright(astronaut: NDArray[np.uint8], degrees: float) -> None:
    box = (178.0, 67.0, 88.0, 116.0)
    center = (box[0] + box[2] / 2, box[1] + box[3] / 2)
    # OpenCV turns counter-clockwise for positive angles, roll counts clockwise.
    matrix = cv2.getRotationMatrix2D(center, -degrees, 1.0)
    turned = np.asarray(cv2.warpAffine(astronaut, matrix, (512, 512), flags=cv2.INTER_CUBIC), np.uint8)
    side = 116.0
    upright = crop(astronaut, face_at(center[0] - 58, center[1] - 58, side), 48).astype(int)
    restored = crop(turned, face_at(center[0] - 58, center[1] - 58, side, math.radians(degrees)), 48).astype(int)
    left_tilted = crop(turned, face_at(center[0] - 58, center[1] - 58, side), 48).astype(int)
    assert np.abs(upright - restored).mean() < 4
    assert np.abs(upright - left_tilted).mean() > 10


@pytest.mark.parametrize("degrees", [-30, 0, 30])
def test_landmarks_follow_the_tilt(analyzer: Analyzer, astronaut: NDArray[np.uint8], degrees: float) -> None:
    matrix = cv2.getRotationMatrix2D((222, 125), -degrees, 1.0)
    turned = np.asarray(cv2.warpAffine(astronaut, matrix, (512, 512)), np.uint8)
    upright_roll = math.degrees(analyzer.detect_faces(astronaut)[0].roll)
    (face,) = analyzer.detect_faces(turned)
    assert math.degrees(face.roll) - upright_roll == pytest.approx(degrees, abs=6)


def test_landmarks_lie_where_they_should(astronaut: NDArray[np.uint8]) -> None:
    box = (178.0, 67.0, 88.0, 116.0)
    (face,) = LandmarkAligner().align(astronaut, [DetectedFace(box, 0.9)])
    assert face.landmarks is not None
    eye_left, eye_right, nose, mouth_left, mouth_right = face.landmarks
    assert eye_left[0] < nose[0] < eye_right[0]
    assert max(eye_left[1], eye_right[1]) < nose[1] < min(mouth_left[1], mouth_right[1])
    assert all(box[0] < x < box[0] + box[2] and box[1] < y < box[1] + box[3] for x, y in face.landmarks)
    assert LandmarkAligner().align(astronaut, []) == []


def test_detected_faces_come_back_in_fer2013_framing(analyzer: Analyzer, astronaut: NDArray[np.uint8]) -> None:
    """A crop laid on a canvas and found again is the crop, within the detector's jitter."""
    original = crop(astronaut, analyzer.detect_faces(astronaut)[0], 48)
    canvas, _ = on_canvas(original)
    (face,) = analyzer.detect_faces(canvas)
    again = crop(canvas, face, 48)
    assert np.corrcoef(original.ravel(), again.ravel())[0, 1] > 0.85
    assert 0.9 < CROP_SCALE < 1.1
    assert abs(CROP_SHIFT) < 0.05


def test_to_tensor_normalizes() -> None:
    crops = np.array([np.full((48, 48), 0), np.full((48, 48), 255)], np.uint8)
    tensor = to_tensor(crops, mean=0.5, std=0.25)
    assert tensor.shape == (2, 1, 48, 48)
    assert tensor.dtype == np.float32
    np.testing.assert_allclose(tensor[:, 0, 0, 0], [-2.0, 2.0])
