"""Face detectors, by name."""

from __future__ import annotations

from mien.detection.base import DetectedFace, FaceAligner, FaceDetector, Frame
from mien.errors import OptionError

__all__ = ["DETECTORS", "DetectedFace", "FaceAligner", "FaceDetector", "Frame", "create_detector"]

DETECTORS = ("yunet", "haar")


def create_detector(name: str, device: str = "auto", threads: int = 0) -> FaceDetector:
    """Open a detector.

    Args:
        name: ``yunet`` (the default: finds small, tilted and dark faces) or ``haar`` (upright faces only).
        device: See `mien.runtime.create_session`; Haar runs on the CPU whatever is said.
        threads: Likewise.

    Raises:
        OptionError: If there is no such detector.
        ModelError: If its weights are missing.
    """
    if name == "yunet":
        from mien.detection.yunet import YuNet

        return YuNet(device=device, threads=threads)
    if name == "haar":
        from mien.detection.haar import Haar

        return Haar()
    raise OptionError(f"unknown detector {name!r}; expected one of {', '.join(DETECTORS)}")
