"""The pipeline for frames that follow one another: every face keeps its id, and its emotion does not flicker."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter

from mien.analyzer import Analyzer, by_emotion, clip_box
from mien.detection.base import DetectedFace, Frame
from mien.errors import OptionError
from mien.quality import hints
from mien.results import Face, FrameResult
from mien.smoothing import EmotionSmoother
from mien.tracking import FaceTracker


class StreamAnalyzer:
    """Reads the frames of one video or camera in order. Holds state: use one per stream, from one thread at a time.

    Args:
        analyzer: Detector, classifier and options.
        detect_every: Detect in every so-manyth frame; in those between the faces are moved on as they moved before.

    Raises:
        OptionError: If ``detect_every`` is not at least 1.
    """

    def __init__(self, analyzer: Analyzer, detect_every: int = 1) -> None:
        if detect_every < 1:
            raise OptionError(f"detect_every must be at least 1, found {detect_every}")
        self._analyzer = analyzer
        self._detect_every = detect_every
        self._tracker = FaceTracker()
        self._smoother = EmotionSmoother(analyzer.options.smoothing_s)
        self._size: tuple[int, ...] = ()
        self._time_s = 0.0
        self._since_detection = 0
        self._stage_s: dict[str, float] = {}

    @property
    def stage_s(self) -> Mapping[str, float]:
        """Seconds that the stages of the last frame took: ``detect``, ``classify`` and ``track``."""
        return self._stage_s

    def analyze(self, frame: Frame, time_s: float, number: int, source: str = "") -> FrameResult:
        """Read the next frame.

        Args:
            frame: uint8 (H, W, 3) BGR. A change of size begins a new scene, with new ids.
            time_s: Its time in seconds; if before that of the last frame, a new scene begins.
            number: Its number.
            source: Where it comes from; carried into the result.

        Returns:
            The faces, each with ``track`` and ``smoothed``, and ``frame`` and ``time_s`` as given.
        """
        start = perf_counter()
        if frame.shape[:2] != self._size or time_s < self._time_s:
            self._tracker.forget()
            self._since_detection = 0
        self._size, self._time_s = frame.shape[:2], time_s
        if self._since_detection % self._detect_every == 0:
            detected = self._analyzer.detector.detect(frame)
            found = perf_counter()
            faces = self._tracker.update(detected, time_s)
        else:
            found = perf_counter()
            faces = self._tracker.predict(time_s)
        self._since_detection += 1
        tracked = perf_counter()
        result = self._read(frame, faces, time_s)
        self._stage_s = {"detect": found - start, "track": tracked - found, "classify": perf_counter() - tracked}
        height, width = self._size
        return FrameResult(source, width, height, result, number, time_s)

    def _read(self, frame: Frame, tracked: list[tuple[int, DetectedFace]], time_s: float) -> tuple[Face, ...]:
        # Left to right, as results number them.
        tracked = sorted(tracked, key=lambda item: item[1].box[0] + item[1].box[2] / 2)
        faces = self._analyzer.align(frame, [face for _, face in tracked])
        answers = self._analyzer.classify(frame, faces)
        self._smoother.keep(self._tracker.alive)
        read = []
        for (track, _), face, answer in zip(tracked, faces, answers, strict=True):
            smoothed, emotion = self._smoother.update(track, answer, time_s)
            smooth = by_emotion(smoothed)
            read.append(
                Face(
                    box=clip_box(face.box, frame.shape[1], frame.shape[0]),
                    score=round(face.score, 4),
                    emotion=emotion,
                    confidence=smooth[emotion],
                    probabilities=by_emotion(answer),
                    uncertain=smooth[emotion] < self._analyzer.uncertain_below,
                    track=track,
                    smoothed=smooth,
                    quality=hints(frame, face),
                )
            )
        return tuple(read)
