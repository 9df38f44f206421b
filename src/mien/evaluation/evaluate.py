"""Evaluating a model on labeled faces: FER-2013's CSV, class folders or a folder with ``labels.csv``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.analyzer import Analyzer
from mien.classification.base import PHOTO, Classifier, check_head
from mien.detection import DetectedFace, Frame
from mien.errors import DataError, ImageError
from mien.evaluation.datasets import MAX_DAMAGED, list_pictures, read_fer2013
from mien.evaluation.metrics import Report
from mien.images import read_image
from mien.preprocessing import crop

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answers:
    """What a model answered on labeled faces.

    Attributes:
        names: Where each face came from, N of them.
        crops: What the network saw, uint8 (S, S), or None where no face was found.
        labels: int64 (N,), 0 to 6.
        probabilities: float32 (N, 7), NaN where no face was found.
        head: Which of the model's answers these are, as for `Classifier.predict_proba`.
        searched: Whether faces had to be found first.
        damaged: How many further pictures could not be read.
    """

    names: list[str]
    crops: list[NDArray[np.uint8] | None]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float32]
    head: str = PHOTO
    searched: bool = False
    damaged: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """A labeled picture that is read when its turn comes: its name, class number and how to read it."""

    name: str
    label: int
    read: Callable[[], Frame]


FER2013_HEAD = "fer2013"
_BATCH = 256
Progress: TypeAlias = Callable[[Iterable[Sample], int], Iterable[Sample]]


def answer_data(
    data: Path,
    analyzer: Analyzer,
    usage: str = "PublicTest",
    through_detector: bool = False,
    head: str | None = None,
    progress: Progress = lambda samples, total: samples,
) -> Answers:
    """Let a model answer on labeled faces; `mien.evaluation.metrics.evaluate` makes figures of the answers.

    A picture of a folder that cannot be read is named in the log and left out.

    Args:
        data: ``fer2013.csv`` (plain or .xz), a tree of class folders, or a folder with ``labels.csv``.
        analyzer: The model, and the detector to use with it.
        usage: Which split; see `mien.evaluation.datasets.list_pictures` for class folders.
        through_detector: Find the largest face of each picture, rather than take the picture for a crop. Faces
            of a CSV are laid on a larger canvas first. Faces that are not found count as wrong.
        head: As for `Classifier.predict_proba`. None takes the head trained on FER-2013's labels for
            FER-2013's CSV, and the answer for photos for everything else.
        progress: Wraps the loop over the pictures, given the number of pictures.

    Raises:
        DataError: If the data cannot be read, or more than 1 % of the pictures of a folder are damaged.
        OptionError: If the model has no such head.
    """
    classifier = analyzer.classifier
    if data.is_dir():
        samples, natural = list(_list_folder(data, usage)), PHOTO
    else:
        samples = list(_list_csv(data, usage, through_detector))
        natural = FER2013_HEAD if FER2013_HEAD in classifier.config.heads else PHOTO
    head = head or natural
    check_head(head, classifier.config)
    read: list[Sample] = []
    crops: list[NDArray[np.uint8] | None] = []
    damaged: list[ImageError] = []
    for sample in progress(samples, len(samples)):
        try:
            frame = sample.read()
        except ImageError as error:
            logger.warning("%s; skipped", error)
            damaged.append(error)
            continue
        read.append(sample)
        crops.append(largest_face(frame, analyzer) if through_detector else whole_frame(frame, classifier.input_size))
    if len(damaged) > MAX_DAMAGED * len(samples):
        raise DataError(
            f"{data}: {len(damaged)} of {len(samples)} pictures cannot be read, more than {MAX_DAMAGED:.0%}; "
            f"remove or replace them, first of all {damaged[0]}"
        )
    return Answers(
        [sample.name for sample in read],
        crops,
        np.array([sample.label for sample in read], np.int64),
        answer_crops(crops, classifier, head),
        head,
        through_detector,
        len(damaged),
    )


def _list_folder(folder: Path, usage: str) -> Iterator[Sample]:
    for path, label in list_pictures(folder, usage):
        yield Sample(str(path), label, partial(read_image, path))


def _list_csv(path: Path, usage: str, through_detector: bool) -> Iterator[Sample]:
    faces = read_fer2013(path, usage)
    for number, (pixels, label) in enumerate(zip(faces.pixels, faces.labels, strict=True)):
        yield Sample(
            f"{usage} row {number}", int(label), partial(_lay_out if through_detector else _gray_frame, pixels)
        )


def summarize(report: Report, answers: Answers) -> dict[str, Any]:
    """Figures as plain values, ready for JSON: those of `Report`, with ``damaged``, and ``found`` only where sought."""
    values = report.to_dict() | {"head": answers.head, "damaged": answers.damaged}
    if not answers.searched:
        del values["found"]
    return values


def whole_frame(frame: Frame, side: int) -> NDArray[np.uint8]:
    """A frame that is a face crop already, whatever its proportions, as gray uint8 (side, side)."""
    gray = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    interpolation = cv2.INTER_AREA if max(gray.shape) > side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(gray, (side, side), interpolation=interpolation), np.uint8)


def largest_face(frame: Frame, analyzer: Analyzer) -> NDArray[np.uint8] | None:
    """The crop of the largest face, or None where there is no face."""
    found = analyzer.detect_faces(frame)
    return crop(frame, max(found, key=_area), analyzer.classifier.input_size) if found else None


def on_canvas(pixels: NDArray[np.uint8], side: int = 192) -> tuple[Frame, tuple[int, int, int]]:
    """Lay a face crop on a larger gray canvas, as a photo that a detector can work on.

    Args:
        pixels: uint8 (S, S), gray.
        side: Side in pixels that the crop is enlarged to; the canvas is twice as wide.

    Returns:
        The canvas, uint8 (2 * side, 2 * side, 3), and left, top and side of the crop on it.
    """
    large = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_CUBIC)
    margin = side // 2
    canvas = cv2.copyMakeBorder(large, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=(128.0,))
    return _gray_frame(np.asarray(canvas, np.uint8)), (margin, margin, side)


def _lay_out(pixels: NDArray[np.uint8]) -> Frame:
    return on_canvas(pixels)[0]


def _gray_frame(pixels: NDArray[np.uint8]) -> Frame:
    return np.repeat(pixels[:, :, None], 3, axis=2)


def _area(face: DetectedFace) -> float:
    return face.box[2] * face.box[3]


def answer_crops(crops: Sequence[NDArray[np.uint8] | None], classifier: Classifier, head: str) -> NDArray[np.float32]:
    """Probabilities, float32 (N, 7), of N face crops, NaN where the crop is None; computed in batches."""
    answers = np.full((len(crops), len(classifier.config.labels)), np.nan, np.float32)
    found = [number for number, face in enumerate(crops) if face is not None]
    for start in range(0, len(found), _BATCH):
        batch = found[start : start + _BATCH]
        answers[batch] = classifier.predict_proba([face for k in batch if (face := crops[k]) is not None], head)
    return answers
