"""Evaluating a model on labelled faces: FER-2013's CSV, class folders or a folder with ``labels.csv``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.analyzer import Analyzer
from mien.classifier import PHOTO, EmotionClassifier
from mien.datasets import list_pictures, read_fer2013
from mien.detection import DetectedFace, Frame
from mien.images import read_image
from mien.metrics import Report, evaluate
from mien.preprocessing import crop


@dataclass(frozen=True, slots=True)
class Answers:
    """What a model answered on labelled faces.

    Attributes:
        names: Where each face came from, N of them.
        crops: What the network saw, uint8 (S, S), or None where no face was found.
        labels: int64 (N,), 0 to 6.
        probabilities: float32 (N, 7), NaN where no face was found.
    """

    names: list[str]
    crops: list[NDArray[np.uint8] | None]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float32]


FER2013_HEAD = "fer2013"
_BATCH = 256
_T = TypeVar("_T")
Progress = Callable[[Iterable[_T], int], Iterable[_T]]


def evaluate_data(
    data: Path,
    analyzer: Analyzer,
    usage: str = "PublicTest",
    through_detector: bool = False,
    head: str | None = None,
    progress: Progress[tuple[Frame, int]] = lambda items, total: items,
) -> Report:
    """Figures of a model on labelled faces; arguments and errors as for `answer_data`."""
    answers = answer_data(data, analyzer, usage, through_detector, head, progress)
    return evaluate(answers.labels, answers.probabilities)


def answer_data(
    data: Path,
    analyzer: Analyzer,
    usage: str = "PublicTest",
    through_detector: bool = False,
    head: str | None = None,
    progress: Progress[tuple[Frame, int]] = lambda items, total: items,
) -> Answers:
    """Let a model answer on labelled faces.

    Args:
        data: ``fer2013.csv`` (plain or .xz), a tree of class folders, or a folder with ``labels.csv``.
        analyzer: The model, and the detector to use with it.
        usage: Which split; see `mien.datasets.list_pictures` for class folders.
        through_detector: Find the largest face of each picture, rather than take the picture for a crop. Faces
            of a CSV are laid on a larger canvas first. Faces that are not found count as wrong.
        head: As for `EmotionClassifier.predict_proba`. None takes the head trained on FER-2013's labels for
            FER-2013's CSV, and the answer for photos for everything else.
        progress: Wraps the loop over the pictures, given the number of pictures.

    Raises:
        DataError: If the data cannot be read.
        ImageError: If a picture cannot be read.
    """
    classifier = analyzer.classifier
    if data.is_dir():
        pictures = list_pictures(data, usage)
        total = len(pictures)
        names = [str(path) for path, _ in pictures]
        samples: Iterator[tuple[Frame, int]] = ((read_image(path), label) for path, label in pictures)
        head = head or PHOTO
    else:
        faces = read_fer2013(data, usage)
        total = len(faces)
        names = [f"{usage} row {number}" for number in range(total)]
        frames = (on_canvas(pixels)[0] if through_detector else _grey_frame(pixels) for pixels in faces.pixels)
        samples = ((frame, int(label)) for frame, label in zip(frames, faces.labels, strict=True))
        head = head or (FER2013_HEAD if FER2013_HEAD in classifier.config.heads else PHOTO)
    labels: list[int] = []
    crops: list[NDArray[np.uint8] | None] = []
    for frame, label in progress(samples, total):
        labels.append(label)
        crops.append(largest_face(frame, analyzer) if through_detector else whole_frame(frame, classifier.input_size))
    rows = [_answers(crops[start : start + _BATCH], classifier, head) for start in range(0, len(crops), _BATCH)]
    return Answers(names, crops, np.array(labels, np.int64), np.concatenate(rows))


def whole_frame(frame: Frame, side: int) -> NDArray[np.uint8]:
    """A frame that is a face crop already, whatever its proportions, as grey uint8 (side, side)."""
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    interpolation = cv2.INTER_AREA if max(grey.shape) > side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, (side, side), interpolation=interpolation), np.uint8)


def largest_face(frame: Frame, analyzer: Analyzer) -> NDArray[np.uint8] | None:
    """The crop of the largest face, or None where there is no face."""
    found = analyzer.find_faces(frame)
    return crop(frame, max(found, key=_area), analyzer.classifier.input_size) if found else None


def on_canvas(pixels: NDArray[np.uint8], side: int = 192) -> tuple[Frame, tuple[int, int, int]]:
    """Lay a face crop on a larger grey canvas, as a photo that a detector can work on.

    Args:
        pixels: uint8 (S, S), grey.
        side: Side in pixels that the crop is enlarged to; the canvas is twice as wide.

    Returns:
        The canvas, uint8 (2 * side, 2 * side, 3), and left, top and side of the crop on it.
    """
    large = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_CUBIC)
    margin = side // 2
    canvas = cv2.copyMakeBorder(large, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=(128.0,))
    return _grey_frame(np.asarray(canvas, np.uint8)), (margin, margin, side)


def _grey_frame(pixels: NDArray[np.uint8]) -> Frame:
    return np.repeat(pixels[:, :, None], 3, axis=2)


def _area(face: DetectedFace) -> float:
    return face.box[2] * face.box[3]


def _answers(crops: list[NDArray[np.uint8] | None], classifier: EmotionClassifier, head: str) -> NDArray[np.float32]:
    """Probabilities (N, 7), NaN where the crop is None."""
    answers = np.full((len(crops), len(classifier.config.labels)), np.nan, np.float32)
    found = [number for number, face in enumerate(crops) if face is not None]
    answers[found] = classifier.predict_proba([face for face in crops if face is not None], head)
    return answers
