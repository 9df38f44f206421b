from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mien.detection import DetectedFace, create_detector
from mien.detection.haar import Haar
from mien.detection.tiles import TILE_SIDE, Box, Candidate, tiles
from mien.detection.yunet import NMS_THRESHOLD, SCORE_THRESHOLD, WEIGHTS, YuNet
from mien.errors import OptionError
from mien.images import read_image


@pytest.fixture(scope="module")
def yunet() -> YuNet:
    return YuNet()


def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """Intersection over union of two boxes."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    both = max(0.0, width) * max(0.0, height)
    return both / (a[2] * a[3] + b[2] * b[3] - both)


@pytest.mark.parametrize("size", [(640, 480), (512, 512), (224, 352), (1280, 960), (333, 517), (160, 160)])
def test_yunet_agrees_with_opencv(yunet: YuNet, astronaut: NDArray[np.uint8], size: tuple[int, int]) -> None:
    frame = np.asarray(cv2.resize(astronaut, size), np.uint8)
    scale = min(1.0, 640 / max(size))
    small = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else frame
    opencv = cv2.FaceDetectorYN.create(
        str(WEIGHTS), "", (small.shape[1], small.shape[0]), SCORE_THRESHOLD, NMS_THRESHOLD
    )
    _, expected = opencv.detect(small)
    found = yunet.detect(frame)
    assert len(found) == len(expected) == 1
    np.testing.assert_allclose(found[0].box, expected[0, :4] / scale, atol=1.0)
    assert found[0].score == pytest.approx(expected[0, -1], abs=0.01)


@pytest.mark.parametrize(
    "size", [(1, 1), (2, 31), (8, 8), (16, 640), (31, 33), (32, 32), (33, 65), (64, 64), (2000, 3)]
)
@pytest.mark.parametrize("fill", ["noise", "face", "white"])
def test_boxes_of_tiny_frames_are_sane(
    yunet: YuNet, astronaut: NDArray[np.uint8], size: tuple[int, int], fill: str
) -> None:
    width, height = size
    frame = {
        "noise": np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8),
        "face": np.asarray(cv2.resize(astronaut[50:200, 150:300], size, interpolation=cv2.INTER_AREA)),
        "white": np.full((height, width, 3), 255, np.uint8),
    }[fill]
    for face in yunet.detect(np.ascontiguousarray(frame.reshape(height, width, 3))):
        assert np.isfinite(face.box).all()
        assert np.abs(face.box).max() <= 2 * max(size)
        assert face.box[2] > 0 and face.box[3] > 0
        assert SCORE_THRESHOLD <= face.score <= 1


def test_a_box_that_is_not_finite_is_dropped(yunet: YuNet, monkeypatch: pytest.MonkeyPatch) -> None:
    boxes = np.array([[0, 0, 3e25, 10], [5, 5, np.inf, 10], [np.nan, 5, 10, 10], [4, 4, 0, 9], [10, 20, 30, 40]])
    monkeypatch.setattr(yunet, "_run", lambda frame: {})
    monkeypatch.setattr(yunet, "_decode", lambda outputs, width, threshold: (boxes.copy(), np.ones(5)))
    assert [face.box for face in yunet.detect(np.zeros((200, 200, 3), np.uint8))] == [(10, 20, 30, 40)]


@pytest.mark.parametrize("degrees", [-35, 35])
def test_a_second_look_finds_tilted_faces(
    yunet: YuNet, astronaut: NDArray[np.uint8], degrees: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    matrix = cv2.getRotationMatrix2D((222, 125), degrees, 1.0)
    turned = np.asarray(cv2.warpAffine(astronaut, matrix, (512, 512)), np.uint8)
    look, looks = yunet._look, []

    def look_upright_only(
        frame: NDArray[np.uint8], threshold: float | None = None
    ) -> list[tuple[tuple[float, ...], float]]:
        """As a detector that sees nothing tilted: blind in the frame as it is."""
        looks.append(frame)
        return [] if frame is turned else look(frame)

    monkeypatch.setattr(yunet, "_look", look_upright_only)
    (face,) = yunet.detect(turned)
    assert len(looks) == 3
    left, top, width, height = face.box
    assert np.hypot(left + width / 2 - 222, top + height / 2 - 125) < 15


def test_small_pictures_cut_close_around_a_face_are_read(yunet: YuNet, astronaut: NDArray[np.uint8]) -> None:
    face = np.asarray(cv2.resize(astronaut[60:190, 165:280], (48, 54), interpolation=cv2.INTER_AREA), np.uint8)
    assert len(yunet.detect(face)) == 1


@pytest.mark.parametrize("name", ["yunet", "haar"])
def test_both_detectors_mean_the_same_face(astronaut: NDArray[np.uint8], name: str) -> None:
    best = max(create_detector(name).detect(astronaut), key=lambda face: face.box[2])
    assert overlap(best.box, (178, 67, 88, 116)) > 0.6


@pytest.mark.parametrize("name", ["yunet", "haar"])
def test_no_face_is_an_empty_list(name: str) -> None:
    assert create_detector(name).detect(np.full((240, 320, 3), 90, np.uint8)) == []


@pytest.mark.parametrize("size", [(1, 1), (23, 100), (24, 24)])
def test_haar_takes_tiny_frames(size: tuple[int, int]) -> None:
    assert Haar().detect(np.zeros((*size, 3), np.uint8)) == []


def test_unknown_detector() -> None:
    with pytest.raises(OptionError, match="unknown detector 'dlib'; expected one of yunet, haar"):
        create_detector("dlib")


@pytest.mark.parametrize("name", ["yunet.onnx", "onet.onnx"])
def test_weights_are_those_of_the_notice(name: str) -> None:
    digest = hashlib.sha256((WEIGHTS.parent / name).read_bytes()).hexdigest()
    (row,) = [
        line for line in (WEIGHTS.parent / "NOTICE.md").read_text().splitlines() if line.startswith(f"| `{name}`")
    ]
    assert row.endswith(f"| `{digest}` |")


def test_roll_is_the_tilt_of_the_eye_line() -> None:
    flat = DetectedFace((0, 0, 1, 1), 1.0)
    assert flat.roll == 0.0
    nowhere = ((0.0, 0.0),) * 3
    tilted = DetectedFace((0, 0, 1, 1), 1.0, ((10.0, 10.0), (20.0, 20.0), *nowhere))
    assert np.degrees(tilted.roll) == pytest.approx(45)


def test_real_group_photo(shared: object, yunet: YuNet) -> None:
    assert len(yunet.detect(read_image(f"{shared}/media/multi_face.jpg"))) == 5
    assert yunet.detect(read_image(f"{shared}/media/free-mountain-vector-01.jpg")) == []


def test_haar_answers_the_same_from_several_threads(astronaut: NDArray[np.uint8]) -> None:
    haar = Haar()
    frames = [astronaut, np.ascontiguousarray(astronaut[:300, 100:400])]
    expected = [haar.detect(frame) for frame in frames]
    with ThreadPoolExecutor(4) as pool:
        for number, found in enumerate(pool.map(lambda k: haar.detect(frames[k % 2]), range(16))):
            assert found == expected[number % 2]


@pytest.mark.parametrize("side", [180, 110])  # the face is 41 or 25 pixels high
def test_small_faces_of_large_photos_are_found(yunet: YuNet, astronaut: NDArray[np.uint8], side: int) -> None:
    portrait = cv2.resize(astronaut, (side, side), interpolation=cv2.INTER_AREA)
    photo = np.full((2400, 3200, 3), 90, np.uint8)
    places = [(100, 100), (1400, 1210), (3000, 2200), (1190, 600), (2100, 1100)]
    for x, y in places:
        photo[y : y + side, x : x + side] = portrait
    assert yunet.detect_quickly(photo) == []
    found = yunet.detect_in_photo(photo)
    assert len(found) == len(places)
    for x, y in places:
        true = tuple(np.array((178, 67, 88, 116)) * side / 512 + (x, y, 0, 0))
        assert max(overlap(face.box, true) for face in found) > 0.5


@pytest.mark.parametrize("size", [(640, 480), (1280, 1280), (1281, 700), (4000, 3000)])
def test_tiles_cover_a_picture(size: tuple[int, int]) -> None:
    seen = np.zeros(size[::-1], np.bool_)
    for left, top, right, bottom in tiles(*size):
        assert right - left <= TILE_SIDE and bottom - top <= TILE_SIDE
        seen[top:bottom, left:right] = True
    assert seen.all()


@pytest.mark.parametrize("scores", [(0.75, 0.95), (0.95, 0.75)])
def test_the_second_look_keeps_the_better_of_the_two_turns(
    scores: tuple[float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing is found upright; each turn shows one face, in the middle of the frame, which turning leaves in its place.
    looks = iter([[], *([((90.0, 90.0, 20.0, 20.0), score)] for score in scores)])
    detector = YuNet()
    monkeypatch.setattr(detector, "_look", lambda frame: next(looks))
    (face,) = detector.detect(np.zeros((200, 200, 3), np.uint8))
    assert face.score == max(scores)
    assert face.box == pytest.approx((90.0, 90.0, 20.0, 20.0))


def test_what_is_no_face_seen_closely_is_dropped(yunet: YuNet, astronaut: NDArray[np.uint8]) -> None:
    photo = np.full((700, 900, 3), 90, np.uint8)
    portrait = cv2.resize(astronaut, (120, 120), interpolation=cv2.INTER_AREA)
    # More candidates than one sheet shows; two of them are the face, one of these beyond the edge of the picture.
    photo[300:420, 400:520], photo[:100, 780:] = portrait, portrait[20:]
    true = [np.array((178, 67, 88, 116)) * 120 / 512 + (400, 300, 0, 0)]
    true.append(true[0] + (380, -320, 0, 0))
    boxes = [(20.0 + 10 * k, 500.0, 24.0, 30.0) for k in range(70)]
    boxes[66:66] = [tuple(box) for box in true]
    found = yunet._look_closely(photo, boxes, 80 / 128, 128, 0.8)
    assert len(found) == 2
    for box in true:
        assert max(overlap(one, tuple(box)) for one, _ in found) > 0.5


def test_noise_is_no_work_without_end(yunet: YuNet, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = 0
    look = yunet._look_closely

    def count(frame: NDArray[np.uint8], boxes: list[Box], share: float, side: int, threshold: float) -> list[Candidate]:
        nonlocal looked
        looked += len(boxes)
        return look(frame, boxes, share, side, threshold)

    monkeypatch.setattr(yunet, "_look_closely", count)
    noise = np.random.default_rng(0).integers(0, 256, (1000, 1200, 3), np.uint8)
    assert yunet.detect_in_photo(noise) == []
    # Of 1.2 million pixels, and of a smaller copy, one batch each, and what is left of these is looked at once more.
    assert 0 < looked <= 4 * 50


def test_every_face_of_a_crowd_is_found(shared: Path, yunet: YuNet) -> None:
    photos = [read_image(path) for path in sorted((shared / "data/wild").glob("*.jpg"))[:200]]
    crowd = np.full((2500, 4000, 3), 120, np.uint8)
    for number, photo in enumerate(photos):
        row, column = divmod(number, 20)
        crowd[row * 240 : row * 240 + 130, column * 195 : column * 195 + 130] = cv2.resize(
            photo, (130, 130), interpolation=cv2.INTER_AREA
        )
    found = yunet.detect_in_photo(crowd)
    cells = {(int(f.box[1] + f.box[3] / 2) // 240, int(f.box[0] + f.box[2] / 2) // 195) for f in found}
    assert len(cells) >= 195
    assert len(found) <= len(cells) + 2


def test_five_small_faces_of_a_large_photo_are_found(shared: Path, yunet: YuNet) -> None:
    group = cv2.resize(read_image(shared / "media/multi_face.jpg"), (500, 334), interpolation=cv2.INTER_AREA)
    for x, y in ((100, 100), (1700, 1300), (3400, 2500)):
        photo = np.full((3000, 4000, 3), 120, np.uint8)
        photo[y : y + 334, x : x + 500] = group
        assert len(yunet.detect_in_photo(photo)) == 5
