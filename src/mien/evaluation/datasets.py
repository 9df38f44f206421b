"""Labeled faces from FER-2013's CSV, class folders or a folder with ``labels.csv``.

Needs numpy only, so that ``mien evaluate`` runs in the base install.
"""

from __future__ import annotations

import csv
import hashlib
import lzma
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from mien.emotions import LABELS, Emotion
from mien.errors import DataError
from mien.images import IMAGE_SUFFIXES

FACE_SIDE = 48
MAX_DAMAGED = 0.01
"""Share of damaged pictures above which a folder is refused."""
USAGES = ("Training", "PublicTest", "PrivateTest")
# Column order of the FER+ vote files (Barsoum et al. 2016, "Training deep networks for facial expression
# recognition with crowd-sourced label distribution").
_VOTE_COLUMNS = (
    "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FaceSet:
    """Gray face crops with labels, held in memory.

    Attributes:
        pixels: uint8 (N, 48, 48).
        labels: int64 (N,), FER-2013's class numbers 0 to 6.
        usage: str (N,), one of `USAGES`.
        votes: float32 (N, 7), share of FER+ votes per emotion (rows add up to 1, or to 0 where nobody
            voted for one of the seven), or None without FER+.
        no_face: bool (N,), rows that most FER+ voters called "not a face", or None without FER+.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    usage: NDArray[np.str_]
    votes: NDArray[np.float32] | None = None
    no_face: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> FaceSet:
        """Some of the faces: where ``which`` (bool, (N,)) is true, or at these 0-based positions (int64)."""
        return FaceSet(
            self.pixels[which],
            self.labels[which],
            self.usage[which],
            None if self.votes is None else self.votes[which],
            None if self.no_face is None else self.no_face[which],
        )

    def of_usage(self, usage: str) -> FaceSet:
        """The faces of one split.

        Raises:
            DataError: If there are none.
        """
        part = self.select(self.usage == usage)
        if not len(part):
            present = ", ".join(sorted(set(self.usage.tolist()))) or "none"
            raise DataError(f"no face has usage {usage!r}; usages present: {present}")
        return part

    def digests(self) -> NDArray[np.str_]:
        """SHA-1 of each face's pixels, str (N,): equal for exact duplicates."""
        return np.array([hashlib.sha1(face.tobytes()).hexdigest() for face in self.pixels])

    def digest(self) -> str:
        """SHA-256 over all pixels, labels and usages: identifies the data a model was trained on."""
        total = hashlib.sha256()
        for array in (self.pixels, self.labels, np.char.encode(self.usage, "ascii")):
            total.update(np.ascontiguousarray(array).tobytes())
        return total.hexdigest()


def read_fer2013(path: str | Path, usage: str | None = None) -> FaceSet:
    """Read FER-2013's CSV with the columns ``emotion,pixels,Usage``.

    Args:
        path: The file, plain or compressed with xz.
        usage: Keep only this split; the other rows are skipped without parsing their pixels.

    Raises:
        DataError: If the file is missing or a row is malformed; the message names file and line.
    """
    if usage is not None and usage not in USAGES:
        raise DataError(f"unknown usage {usage!r}; expected one of {', '.join(USAGES)}")
    pixels, labels, usages = [], [], []
    with open_text(path) as stream:
        header = stream.readline().strip().split(",")
        if header != ["emotion", "pixels", "Usage"]:
            raise DataError(f"{path}:1: expected the columns emotion,pixels,Usage, found {','.join(header)[:80]!r}")
        for number, line in enumerate(stream, start=2):
            if not line.strip():
                continue
            parts = line.strip().split(",")
            if len(parts) != 3:
                raise DataError(f"{path}:{number}: expected 3 columns, found {len(parts)}")
            if parts[2] not in USAGES:
                raise DataError(f"{path}:{number}: unknown usage {parts[2]!r}; expected one of {', '.join(USAGES)}")
            if usage is not None and parts[2] != usage:
                continue
            if parts[0] not in _CLASS_NUMBERS:
                raise DataError(f"{path}:{number}: emotion must be a number from 0 to 6, found {parts[0]!r}")
            pixels.append(_parse_pixels(parts[1], f"{path}:{number}"))
            labels.append(int(parts[0]))
            usages.append(parts[2])
    if not labels:
        raise DataError(f"{path}: no rows" + (f" with usage {usage!r}" if usage else ""))
    return FaceSet(np.stack(pixels), np.array(labels, np.int64), np.array(usages))


def read_votes(path: str | Path, faces: FaceSet) -> FaceSet:
    """Add FER+ votes to the faces of a whole FER-2013 CSV.

    Args:
        path: Either the public ``fer2013new.csv`` (one row per row of the CSV) or a file that has a
            ``row`` column with the 0-based row of the CSV.
        faces: All rows of the CSV in the file's order (`read_fer2013` without ``usage``).

    Raises:
        DataError: If the columns are not FER+'s or the rows do not match the faces.
    """
    table = np.zeros((len(faces), len(_VOTE_COLUMNS)), np.float32)
    seen = np.zeros(len(faces), np.bool_)
    present = set(faces.usage.tolist())
    passed_over = 0
    with open_text(path) as stream:
        reader = csv.DictReader(stream)
        missing = [name for name in _VOTE_COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise DataError(f"{path}:1: FER+ column {missing[0]!r} is missing")
        for position, record in enumerate(reader):
            line = position + 2
            usage = record.get("Usage")
            if "row" not in record and usage in USAGES and usage not in present:
                passed_over += 1
                continue
            try:
                row = int(record["row"]) if "row" in record else position - passed_over
                votes = [float(record[name]) for name in _VOTE_COLUMNS]
            except (TypeError, ValueError):
                raise DataError(f"{path}:{line}: expected numbers in the vote columns") from None
            if not 0 <= row < len(faces):
                raise DataError(f"{path}:{line}: row {row} is outside the {len(faces)} rows of the data")
            if usage in USAGES and usage != faces.usage[row]:
                raise DataError(f"{path}:{line}: votes for a {usage} face, but row {row} is {faces.usage[row]}")
            table[row], seen[row] = votes, True
    if not seen.all():
        raise DataError(f"{path}: no votes for row {int(np.argmin(seen))} of the data ({int((~seen).sum())} missing)")
    order = [_VOTE_COLUMNS.index(name) for name in _FERPLUS_ORDER]
    seven = table[:, order]
    share = seven / np.maximum(seven.sum(axis=1, keepdims=True), 1.0)
    not_face = table.argmax(axis=1) == _VOTE_COLUMNS.index("NF")
    return replace(faces, votes=share.astype(np.float32), no_face=not_face)


def list_pictures(folder: Path, usage: str = "PublicTest") -> list[tuple[Path, int]]:
    """The labeled pictures of a folder.

    Args:
        folder: Either has a ``labels.csv`` with the columns ``file,emotion``; or one folder per emotion, in
            any known spelling; or folders for the splits (train/val/test, or named like the usages) that have
            one folder per emotion each.
        usage: Which split, where there are splits. PublicTest is the folder for validation, or else for testing.

    Returns:
        Path and class number of each picture, in the order of ``labels.csv`` or sorted by path.

    Raises:
        DataError: If there are no labeled pictures, or a label or folder is not an emotion.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder")
    listed = folder / "labels.csv"
    pictures = _list_labels_csv(listed) if listed.is_file() else list_class_folders(_split_folder(folder, usage))
    if not pictures:
        raise DataError(f"{folder}: no labeled pictures; expected labels.csv, or one folder per emotion")
    return pictures


def _list_labels_csv(path: Path) -> list[tuple[Path, int]]:
    pictures = []
    with open_text(path) as stream:
        reader = csv.DictReader(stream)
        if not {"file", "emotion"} <= set(reader.fieldnames or ()):
            raise DataError(f"{path}:1: expected the columns file,emotion")
        for record in reader:
            if not record["file"] or record["emotion"] is None:
                raise DataError(f"{path}:{reader.line_num}: expected a file and an emotion")
            try:
                label = Emotion.parse(record["emotion"]).number
            except DataError as error:
                raise DataError(f"{path}:{reader.line_num}: {error}") from None
            pictures.append((path.parent / record["file"], label))
    return pictures


def _split_folder(folder: Path, usage: str) -> Path:
    if usage not in USAGES:
        raise DataError(f"unknown usage {usage!r}; expected one of {', '.join(USAGES)}")
    present = {child.name.lower(): child for child in sorted(folder.iterdir()) if child.is_dir()}
    splits = {name for names in SPLIT_FOLDERS.values() for name in names}
    if not splits & present.keys():
        return folder
    for name in SPLIT_FOLDERS[usage]:
        if name in present:
            return present[name]
    raise DataError(f"{folder}: no folder for usage {usage!r}; found {', '.join(sorted(present))}")


def list_class_folders(folder: Path) -> list[tuple[Path, int]]:
    """Path and class number of the pictures in a folder that has one folder per emotion, sorted by path.

    Raises:
        DataError: If a folder is not named like an emotion.
    """
    pictures = []
    for child in sorted(folder.iterdir()):
        if not child.is_dir() or child.name.startswith("."):
            continue
        try:
            label = Emotion.parse(child.name).number
        except DataError as error:
            raise DataError(f"{child}: {error}") from None
        pictures += [(path, label) for path in sorted(child.rglob("*")) if path.suffix.lower() in IMAGE_SUFFIXES]
    return pictures


def _parse_pixels(text: str, where: str) -> NDArray[np.uint8]:
    try:
        values = np.array(text.split(), dtype=np.int64)
    except (ValueError, OverflowError):
        raise DataError(f"{where}: pixels must be whole numbers separated by blanks") from None
    if values.size != FACE_SIDE * FACE_SIDE:
        raise DataError(f"{where}: expected {FACE_SIDE * FACE_SIDE} pixels, found {values.size}")
    if values.min() < 0 or values.max() > 255:
        raise DataError(f"{where}: pixels must lie in 0..255, found {values.min()}..{values.max()}")
    return values.astype(np.uint8).reshape(FACE_SIDE, FACE_SIDE)


@contextmanager
def open_text(path: str | Path) -> Iterator[TextIO]:
    """Open a text file, plain or compressed with xz; what goes wrong is a `DataError`."""
    try:
        with (
            lzma.open(path, "rt", encoding="utf-8")
            if str(path).endswith(".xz")
            else Path(path).open(encoding="utf-8", newline="") as stream
        ):
            yield stream
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read: it is no text, or not in UTF-8; expected a CSV file") from error
    except (lzma.LZMAError, EOFError) as error:
        raise DataError(f"{path}: cannot be read: it is damaged or incomplete, or not packed by xz") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error


SPLIT_FOLDERS = {
    "Training": ("train", "training"),
    "PublicTest": ("val", "valid", "validation", "publictest", "test"),
    "PrivateTest": ("privatetest", "test"),
}
_CLASS_NUMBERS = frozenset(str(number) for number in range(len(LABELS)))
_FERPLUS_ORDER = tuple(
    {
        Emotion.ANGRY: "anger",
        Emotion.DISGUST: "disgust",
        Emotion.FEAR: "fear",
        Emotion.HAPPY: "happiness",
        Emotion.SAD: "sadness",
        Emotion.SURPRISE: "surprise",
        Emotion.NEUTRAL: "neutral",
    }[emotion]
    for emotion in Emotion
)
