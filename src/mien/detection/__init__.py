"""Face detectors, by name."""

from __future__ import annotations

from mien.detection.base import DetectedFace, FaceAligner, FaceDetector, Frame
from mien.errors import OptionError
from mien.options import DETECTORS

__all__ = ["DETECTORS", "DetectedFace", "FaceAligner", "FaceDetector", "Frame", "create_detector"]


def create_detector(name: str, device: str = "auto", threads: int = 0, detect_size: int | str = "auto") -> FaceDetector:
    """Open a detector.

    Args:
        name: ``yunet`` (the default: finds small, tilted and dark faces) or ``haar`` (upright faces only).
        device: See `mien.runtime.create_session`; Haar runs on the CPU whatever is said.
        threads: Likewise.
        detect_size: See `AnalyzerOptions`.

    Raises:
        OptionError: If there is no such detector.
        ModelError: If its weights are missing.
    """
    if name == "yunet":
        from mien.detection.yunet import YuNet

        return YuNet(None if detect_size == "auto" else int(detect_size), device, threads)
    if name == "haar":
        from mien.detection.haar import Haar

        return Haar(None if detect_size == "auto" else int(detect_size))
    raise OptionError(f"unknown detector {name!r}; expected one of {', '.join(DETECTORS)}")
