"""An analyzer that needs no networks, and sources that the tests control."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mien.analyzer import Analyzer
from mien.detection import DetectedFace, Frame
from mien.emotions import Emotion
from mien.errors import CameraError
from mien.results import Face, FrameResult

HAPPY = np.array([0.02, 0.02, 0.02, 0.8, 0.04, 0.05, 0.05], np.float32)


class _Detector:
    """Sees one face in every frame that is not black."""

    def detect(self, frame: Frame) -> list[DetectedFace]:
        return [DetectedFace((20.0, 10.0, 40.0, 50.0), 0.9)] if frame.any() else []


class _Classifier:
    """Finds everybody happy."""

    input_size = 48
    config = SimpleNamespace(uncertain_below=0.4)

    def predict_proba(self, crops: Any, head: str = "photo") -> Any:
        return np.tile(HAPPY, (len(crops), 1))


@pytest.fixture
def analyzer() -> Analyzer:
    return Analyzer(_Detector(), None, _Classifier())  # type: ignore[arg-type]


class FakeSource:
    """Gives so many gray frames of 120x90 pixels, each with its number as gray level; then ends, or fails."""

    name = "fake"

    def __init__(
        self, count: int = 10**9, fps: float = 100.0, waits: bool = False, fails: bool = False, first: int = 1
    ) -> None:
        self.count, self.fps, self.waits, self.fails = count, fps, waits, fails
        self.duration_s = count / fps if waits else None
        self.given, self.closed, self._first = 0, False, first

    def read(self) -> tuple[Frame, float] | None:
        if self.given == self.count:
            if self.fails:
                raise CameraError("fake sends no more pictures")
            return None
        if not self.waits:
            time.sleep(1 / self.fps)
        self.given += 1
        level = (self._first + self.given - 1) % 250
        return np.full((90, 120, 3), level, np.uint8), self.given / self.fps

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def fake_source() -> type[FakeSource]:
    return FakeSource


@pytest.fixture
def until() -> Callable[[Callable[[], object]], None]:
    """Waits until something holds; fails if it does not within ten seconds."""

    def wait(holds: Callable[[], object], timeout_s: float = 10.0) -> None:
        deadline = time.monotonic() + timeout_s
        while not holds():
            assert time.monotonic() < deadline, "did not happen in time"
            time.sleep(0.005)

    return wait


@pytest.fixture
def result_at() -> Callable[..., FrameResult]:
    """Builds the result of a frame at a time, with a face of each given track and emotion."""

    def build(time_s: float, **tracks: Emotion) -> FrameResult:
        faces = []
        for name, emotion in tracks.items():
            probabilities = {e: 0.94 if e is emotion else 0.01 for e in Emotion}
            faces.append(
                Face((0, 0, 10, 10), 0.9, emotion, 0.94, probabilities, False, track=int(name[1:]), smoothed=None)
            )
        return FrameResult("", 100, 100, tuple(faces), frame=0, time_s=time_s)

    return build
