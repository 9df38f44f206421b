"""OpenCV's Haar cascade for frontal faces (Viola and Jones 2001)."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

import cv2
import numpy as np

from mien.detection.base import DetectedFace, Frame
from mien.errors import ModelError

# The cascade frames forehead to chin more tightly than wide; this lets its boxes mean what YuNet's mean.
_NARROWER, _TALLER = 0.82, 1.07


class Haar:
    """Finds upright frontal faces. Much slower than `YuNet`, and misses tilted and small faces.

    Args:
        max_side: Larger frames are shrunk to this long side; None searches them as they are.

    Raises:
        ModelError: If the installed OpenCV has no Haar cascades (OpenCV 5 dropped them).
    """

    def __init__(self, max_side: int | None = None) -> None:
        if not hasattr(cv2, "CascadeClassifier"):
            raise ModelError("this OpenCV has no Haar cascades; run: pip install 'opencv-python-headless>=4.10,<5'")
        path = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"
        self.max_side = max_side
        self._lock = Lock()
        self._cascade = cv2.CascadeClassifier(str(path))
        if self._cascade.empty():
            raise ModelError("cannot be loaded; reinstall opencv-python-headless>=4.10,<5", path)

    def detect(self, frame: Frame) -> list[DetectedFace]:
        """Find the faces of a frame; see `FaceDetector.detect`. Every score is 1.0."""
        gray = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        scale = min(1.0, (self.max_side or max(gray.shape)) / max(gray.shape))
        if scale < 1.0:
            gray = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        gray = cv2.equalizeHist(gray)
        if min(gray.shape) < 24:
            return []
        # The cascade keeps state during a call.
        with self._lock:
            found = np.asarray(self._cascade.detectMultiScale(gray, scaleFactor=1.1, minNeighbors=5, minSize=(24, 24)))
        faces = []
        for left, top, side in sorted(
            ((int(x), int(y), int(w)) for x, y, w, _ in found.reshape(-1, 4)), key=lambda f: -f[2]
        ):
            width, height = side * _NARROWER, side * _TALLER
            box = (left + (side - width) / 2, top + (side - height) / 2, width, height)
            box = (box[0] / scale, box[1] / scale, box[2] / scale, box[3] / scale)
            faces.append(DetectedFace(box, 1.0))
        return faces
