"""Evaluating a model on labeled faces: FER-2013's CSV, class folders or a folder with ``labels.csv``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.analyzer import Analyzer
from mien.classification.base import PHOTO, Classifier, check_head, predict_mirrored
from mien.detection import DetectedFace, Frame
from mien.errors import DataError, ImageError, OptionError
from mien.evaluation.datasets import assigned_usage, check_damaged, list_images
from mien.evaluation.face_set import FACE_SIDE, USAGES, require_usage
from mien.evaluation.fer2013 import read_fer2013
from mien.evaluation.metrics import Report
from mien.images import read_image
from mien.preprocessing import crop, frame_to_crop

logger = logging.getLogger(__name__)


ALL = "all"
"""Stands for every split together."""

FER2013_HEAD = "fer2013"
_BATCH = 256


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a model predicted for labeled faces.

    Attributes:
        names: Where each face came from, N of them.
        crops: What the network saw, uint8 (S, S), or None where no face was found.
        labels: int64 (N,), 0 to 6.
        probabilities: float32 (N, 7), NaN where no face was found.
        head: Which of the model's answers these are, as for `Classifier.predict_proba`.
        usage: Of which split they are, or ``all``.
        searched: Whether faces had to be found first.
        damaged: How many further pictures could not be read.
        mirrored: Whether they are means over each face and its mirror image.
    """

    names: list[str]
    crops: list[NDArray[np.uint8] | None]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float32]
    head: str = PHOTO
    usage: str = ALL
    searched: bool = False
    damaged: int = 0
    mirrored: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """A labeled picture that is read when its turn comes: its name, class number and how to read it."""

    name: str
    label: int
    read: Callable[[], Frame]


Progress: TypeAlias = Callable[[Iterable[Sample], int], Iterable[Sample]]


def predict_data(
    data: Path,
    analyzer: Analyzer,
    usage: str | None = None,
    through_detector: bool = False,
    head: str | None = None,
    progress: Progress = lambda samples, total: samples,
) -> Predictions:
    """Let a model predict labeled faces; `mien.evaluation.metrics.evaluate` makes figures of the predictions.

    A picture of a folder that cannot be read is named in the log and left out.

    Args:
        data: ``fer2013.csv`` (plain or .xz), a tree of class folders, or a folder with ``labels.csv``.
        analyzer: The model, the detector to use with it, and whether each face is also read mirrored (unless its
            option ``mirror`` is ``off``).
        usage: Which split, as training sees it: Training, PublicTest or PrivateTest; or ``all``. None takes PublicTest
            where the data have splits, and all pictures of a folder without splits, of which training keeps one in
            ten as PublicTest.
        through_detector: Find the largest face of each picture, rather than take the picture for a crop. Faces
            of a CSV are laid on a larger canvas first. Faces that are not found count as wrong.
        head: As for `Classifier.predict_proba`. None takes the head trained on FER-2013's labels for
            FER-2013's CSV, and the answer for photos for everything else.
        progress: Wraps the loop over the pictures, given the number of pictures.

    Raises:
        DataError: If the data cannot be read or have no such split, or more than 1% of the pictures of a folder are
            damaged.
        OptionError: If there is no such usage, or the model has no such head.
    """
    if usage not in (None, ALL, *USAGES):
        raise OptionError(f"must be one of {', '.join((*USAGES, ALL))}, found {usage!r}", field="usage")
    classifier = analyzer.classifier
    natural = FER2013_HEAD if not data.is_dir() and FER2013_HEAD in classifier.config.heads else PHOTO
    head = head or natural
    check_head(head, classifier.config)
    mirror = analyzer.options.mirrors(video=False)
    part = _list_folder(data, usage) if data.is_dir() else _list_csv(data, usage, through_detector)
    read: list[Sample] = []
    crops: list[NDArray[np.uint8] | None] = []
    damaged: list[ImageError] = []
    for sample in progress(part.samples, len(part.samples)):
        try:
            frame = sample.read()
        except ImageError as error:
            logger.warning("%s; skipped", error)
            damaged.append(error)
            continue
        if part.assigned and assigned_usage(frame_to_crop(frame, FACE_SIDE)) != part.usage:
            continue
        read.append(sample)
        crops.append(largest_face(frame, analyzer) if through_detector else frame_to_crop(frame, classifier.input_size))
    check_damaged(data, damaged, len(part.samples))
    if not read:
        raise DataError(f"no face has usage {part.usage!r}; measure all with --usage {ALL}", data)
    return Predictions(
        [sample.name for sample in read],
        crops,
        np.array([sample.label for sample in read], np.int64),
        predict_crops(crops, classifier, head, mirror),
        head,
        part.usage,
        through_detector,
        len(damaged),
        mirror,
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """What is to be measured: the samples, their usage, and whether it has yet to be told by their pixels."""

    samples: list[Sample]
    usage: str
    assigned: bool = False


def _list_folder(folder: Path, usage: str | None) -> _Part:
    images = list_images(folder)
    splits = {image.usage for image in images}
    assigned = splits == {""}
    usage = usage or (ALL if assigned else "PublicTest")
    if usage != ALL:
        require_usage(usage, {"Training", "PublicTest"} if assigned else splits, str(folder))
    samples = [
        Sample(str(image.path), image.label, partial(read_image, image.path))
        for image in images
        if usage == ALL or assigned or image.usage == usage
    ]
    return _Part(samples, usage, assigned and usage != ALL)


def _list_csv(path: Path, usage: str | None, through_detector: bool) -> _Part:
    usage = usage or "PublicTest"
    faces = read_fer2013(path, None if usage == ALL else usage)
    read = _lay_out if through_detector else _gray_frame
    return _Part(
        [
            Sample(f"{usage} row {number}", int(label), partial(read, pixels))
            for number, (pixels, label) in enumerate(zip(faces.pixels, faces.labels, strict=True))
        ],
        usage,
    )


def summarize(report: Report, predictions: Predictions) -> dict[str, Any]:
    """Figures as plain values, ready for JSON: those of `Report`, with ``damaged``, and ``found`` only where sought."""
    values = report.to_dict()
    values |= {"usage": predictions.usage, "head": predictions.head, "mirrored": predictions.mirrored}
    values["damaged"] = predictions.damaged
    if not predictions.searched:
        del values["found"]
    return values


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


def predict_crops(
    crops: Sequence[NDArray[np.uint8] | None], classifier: Classifier, head: str, mirror: bool = False
) -> NDArray[np.float32]:
    """Probabilities, float32 (N, 7), of N face crops, NaN where the crop is None; computed in batches.

    Args:
        crops: uint8 (S, S), gray.
        classifier: What answers.
        head: As for `Classifier.predict_proba`.
        mirror: Average with the answers for the mirrored faces.
    """
    probabilities = np.full((len(crops), len(classifier.config.labels)), np.nan, np.float32)
    found = [number for number, face in enumerate(crops) if face is not None]
    for start in range(0, len(found), _BATCH):
        batch = found[start : start + _BATCH]
        faces = [face for k in batch if (face := crops[k]) is not None]
        probabilities[batch] = (
            predict_mirrored(classifier, faces, head) if mirror else classifier.predict_proba(faces, head)
        )
    return probabilities
