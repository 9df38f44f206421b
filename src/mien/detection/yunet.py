"""YuNet, the default detector, on ONNX Runtime.

The network and its decoding are those of Wu, Peng and Yu 2023, "YuNet: a tiny millisecond-level face
detector"; ``weights/NOTICE.md`` says where its weights come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.detection.base import DetectedFace, Frame
from mien.detection.tiles import Box, Candidate, beside, is_same, is_whole, levels, merge, tiles
from mien.runtime import create_session

WEIGHTS = Path(__file__).with_name("weights") / "yunet.onnx"
# At OpenCV's default of 0.9 a quarter of the faces is lost.
SCORE_THRESHOLD = 0.7
NMS_THRESHOLD = 0.3
MAX_SIDE = 640
# Photos that are larger are searched for small faces, too.
LARGE_ABOVE = 800
# Small faces score low: what might be one is looked at again, enlarged.
CANDIDATE_THRESHOLD = 0.005
# Long side of the face and side of its surroundings, in pixels, and the score to be reached: a quick look that lets
# most faces and one in fifty of the others through, then a look that is right nearly always.
CLOSE_LOOKS = ((48, 80, 0.5), (80, 128, 0.8))
# Candidates are looked at side by side, so many in a row: in a picture of its own the network sees each one worse.
_SHEET = 8
# The likeliest candidates come first, so many a pixel of the tile, and more as long as there are faces among them.
_PER_PIXEL, _LEAST_AT_ONCE = 30e-6, 16
# What is no larger is looked at closely only at the finest size of the photo, where it is larger.
_SURELY_LATER = 24
# Before they are told apart; a picture of noise is full of them.
_MOST_BOXES = 1000
# Smaller frames are enlarged to this long side: on pictures cut close around a face it halves the misses.
MIN_LONG_SIDE = 128
# Below this side the network answers with boxes of 3e25 pixels and a score of 1.0.
MIN_SIDE = 64
# Where no face is found, the frame is looked at again turned this far either way: it finds three of four faces that
# the first look misses for their tilt.
SECOND_LOOK_DEGREES = 30

_STRIDES = (8, 16, 32)
# The network finds no face smaller than this, in pixels.
_LEAST_SIDE = 8


class YuNet:
    """Finds upright and tilted faces from about 10 pixels on.

    Args:
        max_side: Larger frames are shrunk to this long side for detection: larger finds smaller faces, slower. None
            for 640 pixels.
        device: ``cpu``, ``cuda`` or ``auto``.
        threads: Threads of ONNX Runtime; 0 takes all cores.
        score_threshold: Faces scored lower are dropped, 0..1. Lower finds more, and more that are none.

    Raises:
        ModelError: If the weights are missing or damaged.
    """

    def __init__(
        self,
        max_side: int | None = None,
        device: str = "auto",
        threads: int = 0,
        score_threshold: float = SCORE_THRESHOLD,
    ) -> None:
        self.max_side = max_side or MAX_SIDE
        self._photo_side = max_side
        self.score_threshold = score_threshold
        self._session = create_session(WEIGHTS, device=device, threads=threads)

    def detect(self, frame: Frame) -> list[DetectedFace]:
        """Find the faces of a frame; see `FaceDetector.detect`. Where there is none this takes three times as long."""
        resized, scale = self._resize(frame)
        return _enlarge(self._look(resized) or self._look_tilted(resized), scale)

    def detect_quickly(self, frame: Frame) -> list[DetectedFace]:
        """As `detect`, without the second look; see `TwoLookDetector`."""
        resized, scale = self._resize(frame)
        return _enlarge(self._look(resized), scale)

    def detect_in_photo(self, frame: Frame) -> list[DetectedFace]:
        """As `detect`, and a frame that is larger is also searched for small faces; see `PhotoDetector`."""
        long_side = min(max(frame.shape[:2]), self._photo_side or max(frame.shape[:2]))
        # A line of millions of pixels has no room for a face, but very many tiles.
        if long_side <= LARGE_ABOVE or min(frame.shape[:2]) < _LEAST_SIDE:
            return self.detect(frame)
        sides = levels(long_side, MAX_SIDE)
        kept: list[Candidate] = []
        for side in sides:
            resized, scale = _resize(frame, side)
            found = self._look_at_tiles(resized, _scale_boxes(kept, scale), _SURELY_LATER if side < long_side else 0)
            kept = merge(kept, _scale_boxes(found, 1 / scale))
        if not kept:
            first, scale = _resize(frame, sides[0])
            return _enlarge(self._look_tilted(first), scale)
        return _enlarge(kept, 1.0)

    def _look_at_tiles(self, frame: Frame, known: list[Candidate], least: int) -> list[Candidate]:
        """The faces of a frame of any size, of those that are small enough for its tiles, best score first.

        Args:
            frame: uint8 (H, W, 3) BGR.
            known: Faces that were found before; what lies on them is not looked at closely.
            least: Long side of the smallest box that is looked at closely, in pixels.
        """
        height, width = frame.shape[:2]
        found: list[Candidate] = []
        for tile in tiles(width, height):
            left, top, right, bottom = tile
            looked = self._look(frame[top:bottom, left:right], CANDIDATE_THRESHOLD)
            moved = [((x + left, y + top, w, h), score) for (x, y, w, h), score in looked]
            whole = [one for one in moved if is_whole(one[0], tile, width, height)]
            certain = [one for one in whole if one[1] >= self.score_threshold]
            doubtful = [box for box, score in whole if score < self.score_threshold and max(box[2:]) >= least]
            at_once = max(_LEAST_AT_ONCE, round((right - left) * (bottom - top) * _PER_PIXEL))
            found += certain + self._faces_among(frame, beside(doubtful, [*known, *certain]), at_once)
        return merge([], found)

    def _faces_among(self, frame: Frame, boxes: Sequence[Box], at_once: int) -> list[Candidate]:
        """The faces among candidates, the likeliest first: so many at once, until there is none among them."""
        found: list[Candidate] = []
        for start in range(0, len(boxes), at_once):
            near, left = [], boxes[start : start + at_once]
            for face, side, threshold in CLOSE_LOOKS:
                near = self._look_closely(frame, left, face / side, side, threshold)
                left = [box for box, _ in near]
            if not near:
                break
            found += near
        return found

    def _look_closely(
        self, frame: Frame, boxes: Sequence[Box], share: float, side: int, threshold: float
    ) -> list[Candidate]:
        """Those candidates that are faces when they are shown at a size that suits the network, many in one picture.

        Args:
            frame: uint8 (H, W, 3) BGR.
            boxes: The candidates.
            share: Long side of a box over the side of what is shown of its surroundings.
            side: How large that is shown, in pixels.
            threshold: Least score.
        """
        found: list[Candidate] = []
        for start in range(0, len(boxes), _SHEET**2):
            part = boxes[start : start + _SHEET**2]
            cells = [_cut(frame, box, share, side) for box in part]
            sheet = np.zeros((-(-len(part) // _SHEET) * side, min(len(part), _SHEET) * side, 3), np.uint8)
            for number, (picture, *_) in enumerate(cells):
                down, across = (side * place for place in divmod(number, _SHEET))
                sheet[down : down + side, across : across + side] = picture
            best: dict[int, Candidate] = {}
            for (seen_x, seen_y, w, h), score in self._look(sheet, threshold):
                row, column = int((seen_y + h / 2) // side), int((seen_x + w / 2) // side)
                number = row * _SHEET + column
                if 0 <= column < _SHEET and 0 <= number < len(part) and number not in best:
                    _, left, top, zoom = cells[number]
                    x, y = left + (seen_x - column * side) / zoom, top + (seen_y - row * side) / zoom
                    box = x, y, w / zoom, h / zoom
                    if is_same(box, part[number]):
                        best[number] = box, score
            found += best.values()
        return found

    def _resize(self, frame: Frame) -> tuple[Frame, float]:
        """The frame at a size that suits the network, and by what factor its sides changed."""
        return _resize(frame, min(max(*frame.shape[:2], MIN_LONG_SIDE), self.max_side))

    def _look(self, frame: Frame, threshold: float | None = None) -> list[Candidate]:
        """The faces of a frame of suitable size that are scored above a threshold, best score first."""
        threshold = self.score_threshold if threshold is None else threshold
        width = -(-max(frame.shape[1], MIN_SIDE) // 32) * 32
        boxes, scores = self._decode(self._run(frame), width, threshold)
        # Nothing is trusted that cannot be a box of this frame.
        limit = 2.0 * max(frame.shape)
        sane = np.isfinite(boxes).all(axis=1) & (np.abs(boxes) <= limit).all(axis=1) & (boxes[:, 2:] > 1).all(axis=1)
        boxes, scores = boxes[sane], scores[sane]
        best = np.argsort(-scores, kind="stable")[:_MOST_BOXES]
        return _without_doubles(boxes[best].tolist(), scores[best].tolist())

    def _look_tilted(self, frame: Frame) -> list[Candidate]:
        """The faces of a frame turned either way, from the turn that shows the best one."""
        height, width = frame.shape[:2]
        best: list[Candidate] = []
        for degrees in (SECOND_LOOK_DEGREES, -SECOND_LOOK_DEGREES):
            turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
            turned = cv2.warpAffine(frame, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
            found = self._look(np.asarray(turned, np.uint8))
            if found and (not best or found[0][1] > best[0][1]):
                back = np.asarray(cv2.invertAffineTransform(turn), np.float64)
                best = [(_move_center(box, back), score) for box, score in found]
        return best

    def _run(self, frame: Frame) -> dict[str, NDArray[np.float32]]:
        height, width = frame.shape[:2]
        # The coarsest stride needs sides divisible by 32.
        bottom = -(-max(height, MIN_SIDE) // 32) * 32 - height
        right = -(-max(width, MIN_SIDE) // 32) * 32 - width
        padded = cv2.copyMakeBorder(frame, 0, bottom, 0, right, cv2.BORDER_CONSTANT, value=(0, 0, 0))
        tensor = np.ascontiguousarray(padded.transpose(2, 0, 1)[None], dtype=np.float32)
        names = [output.name for output in self._session.get_outputs()]
        return dict(zip(names, self._session.run(names, {"input": tensor}), strict=True))

    def _decode(
        self, outputs: dict[str, NDArray[np.float32]], width: int, threshold: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Boxes (N, 4) as left, top, width, height, and scores (N,), of everything above the threshold.

        Args:
            outputs: The network's answers by name.
            width: Width of the network's input in pixels, which tells the columns of its grids.
            threshold: The threshold.
        """
        boxes, scores = [], []
        for stride in _STRIDES:
            likely = outputs[f"cls_{stride}"][0, :, 0].clip(0, 1) * outputs[f"obj_{stride}"][0, :, 0].clip(0, 1)
            score = np.sqrt(likely)
            chosen = np.flatnonzero(score >= threshold)
            delta = outputs[f"bbox_{stride}"][0, chosen].astype(np.float64)
            row, column = np.divmod(chosen, width // stride)
            center = (delta[:, :2] + np.stack([column, row], axis=1)) * stride
            with np.errstate(over="ignore", invalid="ignore"):
                size = np.exp(delta[:, 2:]) * stride
                boxes.append(np.concatenate([center - size / 2, size], axis=1))
            scores.append(score[chosen].astype(np.float64))
        return np.concatenate(boxes), np.concatenate(scores)


def _resize(frame: Frame, long_side: int) -> tuple[Frame, float]:
    """The frame with another long side in pixels, and by what factor its sides changed."""
    height, width = frame.shape[:2]
    scale = long_side / max(height, width)
    if scale == 1.0:
        return frame, scale
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    interpolation = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(frame, size, interpolation=interpolation), np.uint8), scale


def _cut(frame: Frame, box: Box, share: float, shown: int) -> tuple[Frame, int, int, float]:
    """A candidate with its surroundings; see `YuNet._look_closely`.

    Returns:
        The picture, where its left and upper edge lie in the frame, and by how much it is enlarged.
    """
    left, top, width, height = box
    side = max(2, round(max(width, height) / share))
    x, y = round(left + (width - side) / 2), round(top + (height - side) / 2)
    beyond = max(0, -y), max(0, y + side - frame.shape[0]), max(0, -x), max(0, x + side - frame.shape[1])
    inside = frame[max(0, y) : max(0, y + side), max(0, x) : max(0, x + side)]
    part = cv2.copyMakeBorder(inside, *beyond, cv2.BORDER_REPLICATE) if any(beyond) else inside
    interpolation = cv2.INTER_AREA if side > shown else cv2.INTER_CUBIC
    picture = cv2.resize(part, (shown, shown), interpolation=interpolation)
    return np.asarray(picture, np.uint8), x, y, shown / side


def _without_doubles(boxes: Sequence[Sequence[float]], scores: Sequence[float]) -> list[Candidate]:
    """Non-maximum suppression, best score first."""
    if not boxes:
        return []
    keep = cv2.dnn.NMSBoxes(boxes, scores, 0.0, NMS_THRESHOLD)
    return [(tuple(boxes[i]), scores[i]) for i in np.asarray(keep, dtype=int).ravel()]


def _scale_boxes(found: list[Candidate], factor: float) -> list[Candidate]:
    return [(tuple(value * factor for value in box), score) for box, score in found]


def _enlarge(found: list[Candidate], scale: float) -> list[DetectedFace]:
    return [DetectedFace((x / scale, y / scale, w / scale, h / scale), score) for (x, y, w, h), score in found]


def _move_center(box: tuple[float, ...], matrix: NDArray[np.float64]) -> tuple[float, ...]:
    """A box of the same size whose center is moved by an affine matrix (2, 3)."""
    left, top, width, height = box
    x, y = matrix @ (left + width / 2, top + height / 2, 1.0)
    return float(x - width / 2), float(y - height / 2), width, height
