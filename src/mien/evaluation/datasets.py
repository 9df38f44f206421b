"""Labeled faces from whatever people have: FER-2013's CSV, class folders, or a folder with ``labels.csv``.

The one reader of labeled data: training, ``mien data`` and ``mien evaluate`` take their rows from here. Needs no more
than the base install.
"""

from __future__ import annotations

import csv
import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mien.emotions import Emotion
from mien.errors import DataError, ImageError, OptionError
from mien.evaluation.face_set import FACE_SIDE, USAGES, FaceSet, pixel_digest
from mien.evaluation.fer2013 import open_text, read_fer2013, read_votes
from mien.files import is_special
from mien.images import IMAGE_SUFFIXES, read_image
from mien.preprocessing import frame_to_crop

__all__ = [
    "FACE_SIDE",
    "USAGES",
    "FaceSet",
    "LabeledImage",
    "assigned_usage",
    "check_damaged",
    "list_images",
    "load_faces",
    "read_fer2013",
    "read_votes",
]

logger = logging.getLogger(__name__)

MAX_DAMAGED = 0.01
"""Share of damaged pictures above which a folder is refused."""

# Of pictures without splits, one in VALIDATION_SHARE is kept to choose the best epoch by.
VALIDATION_SHARE = 10

# What systems, archives and network drives put into folders, beside what begins with a dot.
_FOREIGN_FOLDERS = {"__MACOSX", "@eaDir", "lost+found", "$RECYCLE.BIN", "System Volume Information"}

# What `mien data balance` calls a varied copy, and the number of the face beside it that it was made from.
_COPY_NAME = re.compile(r"(\d{5,})-copy\d+\.png")

_SPLIT_NAMES = {
    "train": "Training",
    "training": "Training",
    "val": "PublicTest",
    "valid": "PublicTest",
    "validation": "PublicTest",
    "publictest": "PublicTest",
    "privatetest": "PrivateTest",
    "test": "PrivateTest",
}


class LabeledImage(NamedTuple):
    """A labeled picture of a folder: path, class number 0 to 6, and usage, empty where the folder has no splits."""

    path: Path
    label: int
    usage: str


Progress: TypeAlias = Callable[[Iterable[LabeledImage], int], Iterable[LabeledImage]]


def load_faces(data: Path, votes: Path | None = None, progress: Progress = lambda images, total: images) -> FaceSet:
    """Load labeled faces of all splits.

    Args:
        data: ``fer2013.csv`` (plain or .xz), a tree of class folders, or a folder with ``labels.csv``.
        votes: FER+ votes; see `read_votes`. For a CSV only.
        progress: Wraps the loop over the pictures of a folder, given their number.

    Raises:
        DataError: If the data cannot be read, or more than 1% of the pictures of a folder are damaged.
        OptionError: If there are votes for a folder.
    """
    if not data.is_dir():
        faces = read_fer2013(data)
        return faces if votes is None else read_votes(votes, faces)
    if votes is not None:
        raise OptionError("is a folder, and FER+ votes belong to the rows of fer2013.csv; leave them out", data)
    images = list_images(data)
    kept, pixels, damaged = [], [], []
    for image in progress(images, len(images)):
        try:
            face = frame_to_crop(read_image(image.path), FACE_SIDE)
        except ImageError as error:
            logger.warning("%s; skipped", error)
            damaged.append(error)
            continue
        pixels.append(face)
        kept.append(image._replace(usage=image.usage or assigned_usage(face)))
    check_damaged(data, damaged, len(images))
    if damaged:
        logger.warning("%s: %d of %d pictures skipped", data, len(damaged), len(images))
    labels, usages = [image.label for image in kept], [image.usage for image in kept]
    faces = FaceSet(np.stack(pixels), np.array(labels, np.int64), np.array(usages, dtype="<U11"))
    return replace(faces, originals=_find_originals([image.path for image in kept], faces))


def _find_originals(paths: list[Path], faces: FaceSet) -> NDArray[np.str_] | None:
    """The digest of each face's original; of copies whose original is gone, the first one stands in for it."""
    made_from = [
        path.with_name(f"{name[1]}.png") if (name := _COPY_NAME.fullmatch(path.name)) else path for path in paths
    ]
    if made_from == paths:
        return None
    digests = faces.digests().tolist()
    found = dict(zip(reversed(made_from), reversed(digests), strict=True)) | dict(zip(paths, digests, strict=True))
    return np.array([found[path] for path in made_from])


def list_images(folder: Path) -> list[LabeledImage]:
    """The labeled pictures of a folder, of all splits.

    Args:
        folder: Either has a ``labels.csv`` with the columns ``file,emotion`` and perhaps ``usage``; or one folder per
            emotion, in any known spelling; or folders for the splits (train/val/test, or named like the usages) that
            have one folder per emotion each. Where there is nothing else to choose by, test is: PublicTest.

    Returns:
        In the order of ``labels.csv``, or sorted by split and path.

    Raises:
        DataError: If there are no labeled pictures, or a label, a usage or a folder is unknown.
    """
    if not folder.is_dir():
        raise DataError("no such folder", folder)
    listed = folder / "labels.csv"
    images = _list_labels(listed) if listed.is_file() else _list_folders(folder)
    if not images:
        raise DataError("no labeled pictures; expected labels.csv, or one folder per emotion", folder)
    return images


def assigned_usage(face: NDArray[np.uint8]) -> str:
    """The split of a face from data without splits, by a digest of its pixels, so that duplicates stay together.

    Args:
        face: uint8 (48, 48), as `frame_to_crop` makes it.
    """
    # `mien.training.datamodule.split_training` takes the first eight digits; these are others, so that faces kept for
    # calibration and faces kept for validation are chosen independently.
    return "PublicTest" if int(pixel_digest(face)[8:16], 16) % VALIDATION_SHARE == 0 else "Training"


def check_damaged(folder: Path, damaged: list[ImageError], total: int) -> None:
    """Refuse a folder with too many damaged pictures.

    Raises:
        DataError: If more than `MAX_DAMAGED` of ``total`` pictures could not be read.
    """
    if len(damaged) > MAX_DAMAGED * total:
        raise DataError(
            f"{len(damaged)} of {total} pictures cannot be read, more than {MAX_DAMAGED:.0%}; remove or replace them, "
            f"the first is {damaged[0]}",
            folder,
        )


def _list_labels(path: Path) -> list[LabeledImage]:
    images: list[LabeledImage] = []
    splits: list[str] = []
    with open_text(path) as stream:
        reader = csv.DictReader(stream)
        columns = set(reader.fieldnames or ())
        if not {"file", "emotion"} <= columns:
            raise DataError("expected the columns file,emotion and, optionally, usage", f"{path}:1")
        for record in reader:
            where = f"{path}:{reader.line_num}"
            if not record["file"] or record["emotion"] is None:
                raise DataError("expected a file and an emotion", where)
            try:
                label = Emotion.parse(record["emotion"]).number
                if "usage" in columns:
                    splits.append(_check_split(record["usage"] or ""))
            except DataError as error:
                raise DataError(error.reason, where) from None
            if is_special(path.parent / record["file"]):
                raise DataError(f"{record['file'][:80]!r} is a pipe or a device, expected a picture", where)
            images.append(LabeledImage(path.parent / record["file"], label, ""))
    if "usage" not in columns:
        return images
    return [image._replace(usage=usage) for image, usage in zip(images, _to_usages(splits), strict=True)]


def _check_split(text: str) -> str:
    if text.strip().lower() not in _SPLIT_NAMES:
        raise DataError(f"unknown usage {text[:40]!r}; expected train, val or test, or one of {', '.join(USAGES)}")
    return text


def _to_usages(splits: list[str]) -> list[str]:
    """The usages that names of splits stand for: "test" is to choose by where nothing else is."""
    names = [split.strip().lower() for split in splits]
    usages = [_SPLIT_NAMES[name] for name in names]
    if "PublicTest" in usages:
        return usages
    return ["PublicTest" if name == "test" else usage for name, usage in zip(names, usages, strict=True)]


def _list_folders(folder: Path) -> list[LabeledImage]:
    children = _subfolders(folder)
    splits = [child for child in children if child.name.lower() in _SPLIT_NAMES]
    if not splits:
        return _list_classes(folder, "")
    for child in children:
        if child not in splits:
            raise DataError(
                f"is no split, as {splits[0].name} beside it is; call it train, val or test, or move it away", child
            )
    usages = _to_usages([child.name for child in splits])
    return [
        image
        for name in USAGES
        for child, usage in zip(splits, usages, strict=True)
        if usage == name
        for image in _list_classes(child, name)
    ]


def _list_classes(folder: Path, usage: str) -> list[LabeledImage]:
    """The pictures in a folder that has one folder per emotion, sorted by path."""
    images = []
    for child in _subfolders(folder):
        try:
            label = Emotion.parse(child.name).number
        except DataError as error:
            raise DataError(error.reason, child) from None
        images += [
            LabeledImage(path, label, usage)
            for path in sorted(child.rglob("*"))
            # A named pipe would be waited for forever; of an export that was killed half a picture is left, hidden.
            if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file() and not path.name.startswith(".")
        ]
    return images


def _subfolders(folder: Path) -> list[Path]:
    return sorted(
        child
        for child in folder.iterdir()
        if child.is_dir() and not child.name.startswith(".") and child.name not in _FOREIGN_FOLDERS
    )
