"""Facial landmarks, so that a tilted head can be turned upright before it is read.

The network is O-Net, the last stage of MTCNN (Zhang et al. 2016, "Joint face detection and alignment using
multi-task cascaded convolutional networks"), run on the detector's box. YuNet's own points stay level when a head
tilts: their eye line is 17 degrees off on a head tilted by 20; O-Net's is 1 degree off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.detection.base import DetectedFace, Frame
from mien.preprocessing import crop_color
from mien.runtime import create_session

WEIGHTS = Path(__file__).with_name("weights") / "onet.onnx"
_SIDE = 48


class LandmarkAligner:
    """Finds five landmarks of each face.

    Args:
        device: See `mien.runtime.create_session`.
        threads: Likewise.

    Raises:
        ModelError: If the weights are missing or damaged.
    """

    def __init__(self, device: str = "auto", threads: int = 0) -> None:
        self._session = create_session(WEIGHTS, device=device, threads=threads)
        outputs = self._session.get_outputs()
        self._outputs = [outputs[1].name, outputs[2].name]

    def align(self, frame: Frame, faces: Sequence[DetectedFace]) -> list[DetectedFace]:
        """Add landmarks to faces.

        Args:
            frame: uint8 (H, W, 3) BGR, the frame in which they were detected.
            faces: The faces.

        Returns:
            The faces in the same order, with landmarks.
        """
        if not faces:
            return []
        points, upright = self._run(_crops(frame, faces))
        return [
            replace(_with_landmarks(face, row), upright=float(certainty))
            for face, row, certainty in zip(faces, points, upright, strict=True)
        ]

    def upright_when_turned(self, frame: Frame, faces: Sequence[DetectedFace]) -> NDArray[np.float32]:
        """See `TurnAligner`."""
        crops = _crops(frame, faces)
        turned = [np.rot90(crop, -quarters) for quarters in (1, 2, 3) for crop in crops]
        return self._run(turned)[1].reshape(3, len(faces))

    def _run(self, crops: Sequence[Frame]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Points (N, 10), and the certainty that it is an upright face, (N,)."""
        points, shares = self._session.run(self._outputs, {self._session.get_inputs()[0].name: _to_tensor(crops)})
        return points, shares[:, 1]


def _crops(frame: Frame, faces: Sequence[DetectedFace]) -> list[Frame]:
    return [crop_color(frame, replace(face, landmarks=None), _SIDE, 1.0, 0.0) for face in faces]


def _to_tensor(crops: Sequence[Frame]) -> NDArray[np.float32]:
    """O-Net reads RGB in -1..1, with x before y: float32 (N, 48, 48, 3)."""
    rgb = np.stack([cv2.cvtColor(face, cv2.COLOR_BGR2RGB) for face in crops])
    return np.asarray((rgb.transpose(0, 2, 1, 3) - 127.5) / 128, np.float32)


def _with_landmarks(face: DetectedFace, points: NDArray[np.float32]) -> DetectedFace:
    """Place O-Net's points (five x, then five y, in 0..1 of the square around the box) in the frame."""
    left, top, width, height = face.box
    across, down = (points.astype(float).reshape(2, 5) - 0.5) * max(width, height)
    x, y = left + width / 2 + across, top + height / 2 + down
    eye_left, eye_right, nose, mouth_left, mouth_right = zip(x.tolist(), y.tolist(), strict=True)
    return replace(face, landmarks=(eye_left, eye_right, nose, mouth_left, mouth_right))
