"""From labeled faces to PNG class folders that other programs read: train, val and test."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.emotions import LABELS
from mien.errors import DataError, OptionError
from mien.evaluation.datasets import FaceSet
from mien.files import write_whole

SPLITS = {"Training": "train", "PublicTest": "val", "PrivateTest": "test"}


def face_paths(faces: FaceSet) -> list[Path]:
    """Where each face goes, for example ``train/happy/00042.png``: its 0-based position in the data names it."""
    return [
        Path(SPLITS[usage], LABELS[label], f"{position:05d}.png")
        for position, (usage, label) in enumerate(zip(faces.usage.tolist(), faces.labels.tolist(), strict=True))
    ]


def copy_paths(faces: FaceSet, positions: NDArray[np.int64]) -> list[Path]:
    """Where varied copies of training faces go: ``train/disgust/00042-copy3.png`` is the third one of face 42."""
    seen: dict[int, int] = {}
    paths = []
    for position in positions.tolist():
        seen[position] = seen.get(position, 0) + 1
        name = f"{position:05d}-copy{seen[position]}.png"
        paths.append(Path(SPLITS["Training"], LABELS[int(faces.labels[position])], name))
    return paths


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


def _encode(face: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", face)[1].tobytes()
