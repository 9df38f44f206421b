"""Results of frames at times, without a network."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mien.emotions import Emotion
from mien.results import Face, FrameResult


@pytest.fixture
def result_at() -> Callable[..., FrameResult]:
    """Builds the result of a frame at a time, with a face of each given track and emotion."""

    def build(time_s: float, **tracks: Emotion) -> FrameResult:
        faces = []
        for name, emotion in tracks.items():
            probabilities = {e: 0.94 if e is emotion else 0.01 for e in Emotion}
            faces.append(
                Face((10, 10, 30, 40), 0.9, emotion, 0.94, probabilities, False, int(name[1:]), smoothed=probabilities)
            )
        return FrameResult("", 100, 100, tuple(faces), frame=round(time_s * 10), time_s=time_s)

    return build
