"""The pipeline: picture in, faces with their emotions out."""

from __future__ import annotations

import os
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mien.alignment import FaceAligner
from mien.classifier import EmotionClassifier
from mien.detection import DetectedFace, FaceDetector, Frame, create_detector
from mien.emotions import Emotion
from mien.images import ImageSource, read_image
from mien.options import AnalyzerOptions
from mien.preprocessing import crop
from mien.results import Face, FrameResult


class Analyzer:
    """Runs a detector and a classifier; `load` builds the usual one.

    Safe to use from several threads at once.

    Args:
        detector: Finds the faces.
        aligner: Finds their landmarks, so that they can be turned upright; None reads them as they are tilted.
        classifier: Reads them.
        options: See `AnalyzerOptions`.
    """

    def __init__(
        self,
        detector: FaceDetector,
        aligner: FaceAligner | None,
        classifier: EmotionClassifier,
        options: AnalyzerOptions | None = None,
    ) -> None:
        self.detector = detector
        self.aligner = aligner
        self.classifier = classifier
        self.options = options or AnalyzerOptions()
        threshold = self.options.min_confidence
        self._uncertain_below = classifier.config.uncertain_below if threshold is None else threshold

    def analyze(self, source: ImageSource) -> FrameResult:
        """Find every face of a picture and read its expression.

        Args:
            source: A path, an encoded file as bytes, a PIL image or an array; see `mien.images.read_image`.

        Returns:
            The faces from left to right; none is a valid answer.

        Raises:
            ImageError: If the picture cannot be read.
        """
        name = os.fspath(source) if isinstance(source, str | os.PathLike) else ""
        return self.analyze_frame(read_image(source, self.options.max_pixels), name)

    def analyze_frame(self, frame: Frame, source: str = "") -> FrameResult:
        """As `analyze`, of a frame that is decoded already: uint8 (H, W, 3), blue, green, red."""
        height, width = frame.shape[:2]
        detected = self.find_faces(frame)
        crops = [crop(frame, face, self.classifier.input_size) for face in detected]
        answers = self.classifier.predict_proba(crops)
        faces = tuple(self._face(face, row, width, height) for face, row in zip(detected, answers, strict=True))
        return FrameResult(source, width, height, faces)

    def find_faces(self, frame: Frame) -> list[DetectedFace]:
        """The faces of a frame, uint8 (H, W, 3) BGR, from left to right, with landmarks if there is an aligner."""
        found = sorted(self.detector.detect(frame), key=lambda face: face.box[0] + face.box[2] / 2)
        return found if self.aligner is None else self.aligner.align(frame, found)

    def _face(self, face: DetectedFace, answer: NDArray[np.float32], width: int, height: int) -> Face:
        probabilities = {emotion: round(float(p), 4) for emotion, p in zip(Emotion, answer, strict=True)}
        emotion = max(probabilities, key=lambda key: probabilities[key])
        confidence = probabilities[emotion]
        box = clip_box(face.box, width, height)
        return Face(box, round(face.score, 4), emotion, confidence, probabilities, confidence < self._uncertain_below)


def clip_box(box: tuple[float, float, float, float], width: int, height: int) -> tuple[int, int, int, int]:
    """Round a box to whole pixels inside a picture of the given size; it keeps at least one pixel."""
    left = min(max(round(box[0]), 0), width - 1)
    top = min(max(round(box[1]), 0), height - 1)
    right = min(max(round(box[0] + box[2]), left + 1), width)
    bottom = min(max(round(box[1] + box[3]), top + 1), height)
    return left, top, right - left, bottom - top


def load(options: AnalyzerOptions | None = None) -> Analyzer:
    """Open the detector and the model that the options name.

    Raises:
        OptionError: If an option is not possible.
        ModelError: If a model is missing or damaged.
    """
    options = options or AnalyzerOptions()
    return Analyzer(
        create_detector(options.detector, options.device, options.threads),
        FaceAligner(options.device, options.threads),
        EmotionClassifier(options.model, options.device, options.threads),
        options,
    )


def predict_emotion(source: ImageSource) -> Face | None:
    """Read the largest face of a picture, with the default options.

    Args:
        source: As for `Analyzer.analyze`.

    Returns:
        The face, with ``emotion``, ``confidence`` and ``probabilities``; None if the picture shows no face.

    Raises:
        ImageError: If the picture cannot be read.
    """
    return _default_analyzer().analyze(source).largest


@lru_cache(maxsize=1)
def _default_analyzer() -> Analyzer:
    return load()
