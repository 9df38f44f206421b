"""Labeled faces from whatever people have: FER-2013's CSV, class folders, or a folder with ``labels.csv``."""

from __future__ import annotations

import csv
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias

import numpy as np

from mien.emotions import Emotion
from mien.errors import DataError, ImageError, OptionError
from mien.evaluation.datasets import (
    FACE_SIDE,
    MAX_DAMAGED,
    SPLIT_FOLDERS,
    USAGES,
    FaceSet,
    list_class_folders,
    open_text,
    read_fer2013,
    read_votes,
)
from mien.evaluation.evaluate import whole_frame
from mien.images import read_image

logger = logging.getLogger(__name__)

# Of pictures that nobody split, one in VALIDATION_SHARE is kept to choose the best epoch by.
VALIDATION_SHARE = 10

LabeledPicture: TypeAlias = tuple[Path, int, str]
Progress: TypeAlias = Callable[[Iterable[LabeledPicture], int], Iterable[LabeledPicture]]


def read_faces(data: Path, votes: Path | None = None, progress: Progress = lambda pictures, total: pictures) -> FaceSet:
    """Read labeled faces of all splits.

    Args:
        data: ``fer2013.csv`` (plain or .xz), a tree of class folders, or a folder with ``labels.csv``.
        votes: FER+ votes; see `mien.evaluation.datasets.read_votes`. For a CSV only.
        progress: Wraps the loop over the pictures of a folder, given their number.

    Raises:
        DataError: If the data cannot be read, or more than 1 % of the pictures of a folder are damaged.
        OptionError: If there are votes for a folder.
    """
    if data.is_dir():
        if votes is not None:
            raise OptionError(f"FER+ votes belong to the rows of fer2013.csv; {data} is a folder")
        return _read_folder(data, progress)
    faces = read_fer2013(data)
    return faces if votes is None else read_votes(votes, faces)


def _read_folder(folder: Path, progress: Progress) -> FaceSet:
    pictures = _list(folder)
    if not pictures:
        raise DataError(f"{folder}: no labeled pictures; expected labels.csv, or one folder per emotion")
    kept, pixels, damaged = [], [], []
    for picture in progress(pictures, len(pictures)):
        try:
            face = whole_frame(read_image(picture[0]), FACE_SIDE)
        except ImageError as error:
            logger.warning("%s; skipped", error)
            damaged.append(picture[0])
            continue
        pixels.append(face)
        kept.append(picture)
    if len(damaged) > MAX_DAMAGED * len(pictures):
        raise DataError(
            f"{folder}: {len(damaged)} of {len(pictures)} pictures cannot be read, more than {MAX_DAMAGED:.0%}; "
            f"the first is {damaged[0]}"
        )
    if damaged:
        logger.warning("%s: %d of %d pictures skipped", folder, len(damaged), len(pictures))
    faces = FaceSet(
        np.stack(pixels),
        np.array([label for _, label, _ in kept], np.int64),
        np.array([usage for _, _, usage in kept], dtype="<U11"),
    )
    return faces if faces.usage[0] else _split(faces)


def _list(folder: Path) -> list[LabeledPicture]:
    """Path, class number and usage of each picture; the usage is empty where the folder is not split."""
    if (folder / "labels.csv").is_file():
        return _list_labels(folder / "labels.csv")
    present = {child.name.lower(): child for child in sorted(folder.iterdir()) if child.is_dir()}
    pictures: list[LabeledPicture] = []
    taken: set[Path] = set()
    for usage in USAGES:
        split = next((present[name] for name in SPLIT_FOLDERS[usage] if name in present), None)
        # With train/ and test/ alone, test/ is what to choose by, and nothing is left for a final exam.
        if split is not None and split not in taken:
            taken.add(split)
            pictures += [(path, label, usage) for path, label in list_class_folders(split)]
    return pictures if taken else [(path, label, "") for path, label in list_class_folders(folder)]


def _list_labels(path: Path) -> list[LabeledPicture]:
    pictures: list[LabeledPicture] = []
    with open_text(path) as stream:
        reader = csv.DictReader(stream)
        columns = set(reader.fieldnames or ())
        if not {"file", "emotion"} <= columns:
            raise DataError(f"{path}:1: expected the columns file,emotion and, if you like, usage")
        for record in reader:
            if not record["file"] or record["emotion"] is None:
                raise DataError(f"{path}:{reader.line_num}: expected a file and an emotion")
            try:
                label = Emotion.parse(record["emotion"]).number
                usage = _parse_usage(record["usage"] or "") if "usage" in columns else ""
            except DataError as error:
                raise DataError(f"{path}:{reader.line_num}: {error}") from None
            pictures.append((path.parent / record["file"], label, usage))
    return pictures


def _parse_usage(text: str) -> str:
    names = {"test": "PrivateTest"}
    for usage in USAGES:
        names |= {name: usage for name in SPLIT_FOLDERS[usage] if name != "test"} | {usage.lower(): usage}
    if text.strip().lower() not in names:
        raise DataError(f"unknown usage {text!r}; expected train, val or test, or one of {', '.join(USAGES)}")
    return names[text.strip().lower()]


def _split(faces: FaceSet) -> FaceSet:
    """Deal out faces that nobody split, by a digest of their pixels so that duplicates stay together."""
    # `split_training` looks at the first eight digits; these are others, so that the two are independent.
    aside = np.array([int(digest[8:16], 16) % VALIDATION_SHARE == 0 for digest in faces.digests()])
    return FaceSet(faces.pixels, faces.labels, np.where(aside, "PublicTest", "Training"))
