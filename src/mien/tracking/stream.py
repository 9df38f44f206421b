"""The pipeline for frames that follow one another: every face keeps its id, and its emotion does not flicker."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter

from mien.analyzer import Analyzer, by_emotion, clip_box
from mien.classification.quality import is_severe, quality_flags
from mien.detection.base import DetectedFace, Frame, TwoLookDetector
from mien.errors import OptionError
from mien.results import Face, FrameResult
from mien.tracking.smoothing import EmotionSmoother
from mien.tracking.tracker import FaceTracker

LOOK_AGAIN_S = 0.5
"""While nobody is about, seconds between the second looks of a `TwoLookDetector`, which cost more than the first."""


@dataclass(frozen=True, slots=True)
class FrameDetections:
    """A frame and where people were seen in it: what `StreamAnalyzer.detect` hands to `StreamAnalyzer.classify`.

    Attributes:
        frame: uint8 (H, W, 3) BGR.
        time_s: Its time in seconds.
        number: Its number.
        people: The faces with the id of each, from left to right.
        alive: Ids that may still be given to a face.
        stage_s: Seconds that the stages took.
    """

    frame: Frame
    time_s: float
    number: int
    people: tuple[tuple[int, DetectedFace], ...]
    alive: frozenset[int]
    stage_s: Mapping[str, float]


class StreamAnalyzer:
    """Reads the frames of one video or camera in order. Holds state: use one per stream.

    `analyze` does everything at once. It consists of `detect` and `classify`, which share no state, so that one thread
    may find the faces of the next frame while another reads those of the last. Each is for one thread at a time.

    Args:
        analyzer: Detector, classifier and options.
        detect_every: Detect in every n-th frame; in those between the faces are moved on as they moved before.

    Raises:
        OptionError: If ``detect_every`` is not at least 1.
    """

    def __init__(self, analyzer: Analyzer, detect_every: int = 1) -> None:
        if detect_every < 1:
            raise OptionError(f"must be at least 1, found {detect_every}", field="detect_every")
        self._analyzer = analyzer
        self._detect_every = detect_every
        self._tracker = FaceTracker()
        self._smoother = EmotionSmoother(analyzer.options.smoothing_s)
        self._size: tuple[int, ...] = ()
        self._time_s = 0.0
        self._since_detection = 0
        self._looked_again_s = -math.inf
        self._stage_s: Mapping[str, float] = {}

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
        return self.classify(self.detect(frame, time_s, number), source)

    def detect(self, frame: Frame, time_s: float, number: int) -> FrameDetections:
        """Find out who is where in the next frame; arguments as for `analyze`."""
        start = perf_counter()
        if frame.shape[:2] != self._size or time_s < self._time_s:
            self._tracker.forget()
            self._since_detection = 0
            self._looked_again_s = -math.inf
        self._size, self._time_s = frame.shape[:2], time_s
        if self._since_detection % self._detect_every == 0:
            detected = self._detect(frame, time_s)
            found = perf_counter()
            people = self._tracker.update(detected, time_s)
        else:
            found = perf_counter()
            people = self._tracker.predict(time_s)
        self._since_detection += 1
        # Left to right, as results number them.
        people.sort(key=lambda person: person[1].box[0] + person[1].box[2] / 2)
        stages = {"detect": found - start, "track": perf_counter() - found}
        return FrameDetections(frame, time_s, number, tuple(people), self._tracker.alive, stages)

    def classify(self, detections: FrameDetections, source: str = "") -> FrameResult:
        """Read the faces of the next frame that `detect` has been through; ``source`` as for `analyze`."""
        start = perf_counter()
        frame, time_s = detections.frame, detections.time_s
        faces = self._analyzer.align(frame, [face for _, face in detections.people])
        answers = self._analyzer.classify(frame, faces, video=True)
        self._smoother.keep(detections.alive)
        height, width = frame.shape[:2]
        read = []
        for (track, _), face, answer in zip(detections.people, faces, answers, strict=True):
            smoothed, emotion = self._smoother.update(track, answer, time_s)
            smooth = by_emotion(smoothed)
            quality = quality_flags(frame, face)
            read.append(
                Face(
                    box=clip_box(face.box, width, height),
                    score=round(face.score, 4),
                    emotion=emotion,
                    confidence=smooth[emotion],
                    probabilities=by_emotion(answer),
                    uncertain=smooth[emotion] < self._analyzer.uncertain_below or is_severe(quality),
                    track=track,
                    smoothed=smooth,
                    quality=quality,
                )
            )
        self._stage_s = {**detections.stage_s, "classify": perf_counter() - start}
        return FrameResult(source, width, height, tuple(read), detections.number, time_s)

    def _detect(self, frame: Frame, time_s: float) -> list[DetectedFace]:
        """Find faces, with a second look while somebody is about who may have tilted the head, else now and then."""
        detector = self._analyzer.detector
        due = time_s - self._looked_again_s >= LOOK_AGAIN_S
        if not isinstance(detector, TwoLookDetector) or due or self._tracker.alive:
            self._looked_again_s = time_s
            return detector.detect(frame)
        return detector.detect_quickly(frame)
