"""The pipeline: picture in, faces with their emotions out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import fields, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.classification.classifier import EmotionClassifier
from mien.classification.quality import quality_flags
from mien.detection import DetectedFace, FaceDetector, Frame, create_detector
from mien.detection.landmarks import FaceAligner
from mien.emotions import Emotion
from mien.errors import OptionError
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
        self.uncertain_below: float = classifier.config.uncertain_below if threshold is None else threshold

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
        return FrameResult(source, width, height, self.analyze_faces(frame, self.detect_faces(frame)))

    def detect_faces(self, frame: Frame) -> list[DetectedFace]:
        """The faces of a frame, uint8 (H, W, 3) BGR, from left to right, with landmarks if there is an aligner."""
        return self.align(frame, sorted(self.detector.detect(frame), key=lambda face: face.box[0] + face.box[2] / 2))

    def align(self, frame: Frame, faces: Sequence[DetectedFace]) -> list[DetectedFace]:
        """The same faces with landmarks, if there is an aligner."""
        return list(faces) if self.aligner is None else self.aligner.align(frame, faces)

    def analyze_faces(self, frame: Frame, faces: Sequence[DetectedFace]) -> tuple[Face, ...]:
        """What `analyze` says of faces that are found and aligned already, in the same order."""
        answers = self.classify(frame, faces)
        return tuple(self._face(frame, face, row) for face, row in zip(faces, answers, strict=True))

    def classify(self, frame: Frame, faces: Sequence[DetectedFace]) -> NDArray[np.float32]:
        """Calibrated probabilities of the seven emotions, float32 (N, 7), of N aligned faces of a frame."""
        return self.classifier.predict_proba([crop(frame, face, self.classifier.input_size) for face in faces])

    def _face(self, frame: Frame, face: DetectedFace, answer: NDArray[np.float32]) -> Face:
        probabilities = by_emotion(answer)
        emotion = max(probabilities, key=lambda key: probabilities[key])
        confidence = probabilities[emotion]
        return Face(
            box=clip_box(face.box, frame.shape[1], frame.shape[0]),
            score=round(face.score, 4),
            emotion=emotion,
            confidence=confidence,
            probabilities=probabilities,
            uncertain=confidence < self.uncertain_below,
            quality=quality_flags(frame, face),
        )


def by_emotion(answer: NDArray[np.floating]) -> dict[Emotion, float]:
    """Probabilities (7,) as results carry them: by emotion, to four digits."""
    return {emotion: round(float(p), 4) for emotion, p in zip(Emotion, answer, strict=True)}


def clip_box(box: tuple[float, float, float, float], width: int, height: int) -> tuple[int, int, int, int]:
    """Round a box to whole pixels inside a picture of the given size; it keeps at least one pixel."""
    left = min(max(round(box[0]), 0), width - 1)
    top = min(max(round(box[1]), 0), height - 1)
    right = min(max(round(box[0] + box[2]), left + 1), width)
    bottom = min(max(round(box[1] + box[3]), top + 1), height)
    return left, top, right - left, bottom - top


def load(options: AnalyzerOptions | None = None, **values: Any) -> Analyzer:
    """Open the detector and the model that the options name.

    Args:
        options: How to read pictures; None for the defaults.
        **values: Fields of `AnalyzerOptions` to have otherwise, as in ``load(detector="haar", threads=1)``.

    Raises:
        OptionError: If an option is not possible, or there is no such model.
        ModelError: If a model is damaged.
    """
    options = AnalyzerOptions() if options is None else options
    if not isinstance(options, AnalyzerOptions):
        raise OptionError(f"expected options by name, as in load(detector='haar'), found {options!r}")
    names = [field.name for field in fields(AnalyzerOptions)]
    for name in values:
        if name not in names:
            raise OptionError(f"unknown option {name!r}; expected one of {', '.join(names)}")
    options = replace(options, **values)
    return Analyzer(
        create_detector(options.detector, options.device, options.threads),
        FaceAligner(options.device, options.threads),
        EmotionClassifier(options.model, options.device, options.threads, options.precision),
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
    return default_analyzer().analyze(source).largest


@lru_cache(maxsize=1)
def default_analyzer() -> Analyzer:
    """The analyzer with the default options, opened once."""
    return load()
