"""From labeled faces to PNG class folders that other programs read: train, val and test."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.emotions import LABELS
from mien.errors import DataError, OptionError
from mien.evaluation.datasets import FaceSet
from mien.files import write_whole

# What `face_paths` calls files.
_FACE_NAME = re.compile(r"\d{5,}(-copy\d+)?\.png")

SPLITS = {"Training": "train", "PublicTest": "val", "PrivateTest": "test"}


def face_paths(faces: FaceSet) -> list[Path]:
    """Where each face goes.

    Its 0-based position in the data names it, for example ``train/disgust/00042.png``; a varied copy is named after its
    original: ``train/disgust/00042-copy3.png`` is the third one of face 42.
    """
    folders = [
        Path(SPLITS[usage], LABELS[label])
        for usage, label in zip(faces.usage.tolist(), faces.labels.tolist(), strict=True)
    ]
    names = [f"{position:05d}" for position in range(len(faces))]
    if faces.originals is not None:
        rows = list(zip(folders, faces.originals.tolist(), strict=True))
        own = (faces.originals == faces.digests()).tolist()
        first = {row: position for position, row in reversed(list(enumerate(rows))) if own[position]}
        copies: Counter[int] = Counter()
        for position, row in enumerate(rows):
            if not own[position] and row in first:
                copies[first[row]] += 1
                names[position] = f"{first[row]:05d}-copy{copies[first[row]]}"
    return [folder / f"{name}.png" for folder, name in zip(folders, names, strict=True)]


def write_faces(
    out: Path,
    pixels: NDArray[np.uint8],
    paths: list[Path],
    progress: Callable[[Iterable[int], int], Iterable[int]] = lambda numbers, total: numbers,
) -> int:
    """Write faces as PNG files; what is there already, whole and the same, is left as it is.

    Args:
        out: Folder to write to.
        pixels: uint8 (N, 48, 48).
        paths: Path of each below ``out``.
        progress: Wraps the loop over the faces, given their number.

    Returns:
        How many were written, the rest having been there.

    Raises:
        DataError: If a file is there that holds another picture.
        OSError: If a file cannot be written.
    """
    written = 0
    for number in progress(range(len(paths)), len(paths)):
        path = out / paths[number]
        content = _encode(pixels[number])
        if path.exists():
            if path.read_bytes() != content:
                raise DataError("holds another picture; write to an empty folder", path)
            continue
        write_whole(path, content)
        written += 1
    return written


def find_others(out: Path, pixels: NDArray[np.uint8], paths: list[Path]) -> list[Path]:
    """Files that stand where `write_faces` would write, and hold something else.

    Args:
        out: Folder to write to.
        pixels: uint8 (N, 48, 48).
        paths: Path of each below ``out``.

    Raises:
        OptionError: If ``out`` is not a folder, or a path in it is a folder.
    """
    if out.exists() and not out.is_dir():
        raise OptionError("is a file, expected a folder", out)
    return [
        out / path
        for path, face in zip(paths, pixels, strict=True)
        if (out / path).exists() and (out / path).read_bytes() != _encode(face)
    ]


def find_strangers(out: Path, paths: list[Path]) -> list[Path]:
    """Faces below ``out`` that another export wrote, and this one does not.

    Args:
        out: Folder to write to.
        paths: Path of each face below it.
    """
    expected = {out / path for path in paths}
    return [
        path
        for split in SPLITS.values()
        for label in LABELS
        for path in sorted((out / split / label).glob("*.png"))
        if _FACE_NAME.fullmatch(path.name) and path not in expected
    ]


def _encode(face: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", face)[1].tobytes()
