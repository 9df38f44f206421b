"""Reading FER-2013's CSV and FER+'s votes."""

from __future__ import annotations

import csv
import lzma
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from mien.emotions import LABELS, Emotion
from mien.errors import DataError
from mien.evaluation.face_set import FACE_SIDE, USAGES, FaceSet, require_usage

# Column order of the FER+ vote files (Barsoum et al. 2016, "Training deep networks for facial expression
# recognition with crowd-sourced label distribution").
_VOTE_COLUMNS = (
    "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF",
)  # fmt: skip
# FER+ has ten voters; whatever a file counts, more than this is a damaged number.
_MAX_VOTES = 1e6
_CLASS_NUMBERS = frozenset(str(number) for number in range(len(LABELS)))


def read_fer2013(path: str | Path, usage: str | None = None) -> FaceSet:
    """Read FER-2013's CSV with the columns ``emotion,pixels,Usage``.

    Args:
        path: The file, plain or compressed with xz.
        usage: Keep only this split; the other rows are skipped without parsing their pixels.

    Raises:
        DataError: If the file is missing, has no such split or a row is malformed; the message names file and line.
    """
    if usage is not None and usage not in USAGES:
        raise DataError(f"unknown usage {usage!r}; expected one of {', '.join(USAGES)}")
    pixels, labels, usages = [], [], []
    present: set[str] = set()
    with open_text(path) as stream:
        header = stream.readline().strip().split(",")
        if header != ["emotion", "pixels", "Usage"]:
            raise DataError(f"expected the columns emotion,pixels,Usage, found {','.join(header)[:80]!r}", f"{path}:1")
        for number, line in enumerate(stream, start=2):
            if not line.strip():
                continue
            where, parts = f"{path}:{number}", line.strip().split(",")
            if len(parts) != 3:
                raise DataError(f"expected 3 columns, found {len(parts)}", where)
            if parts[2] not in USAGES:
                raise DataError(f"unknown usage {parts[2][:40]!r}; expected one of {', '.join(USAGES)}", where)
            present.add(parts[2])
            if usage is not None and parts[2] != usage:
                continue
            if parts[0] not in _CLASS_NUMBERS:
                raise DataError(f"emotion must be a number from 0 to 6, found {parts[0][:40]!r}", where)
            pixels.append(_parse_pixels(parts[1], where))
            labels.append(int(parts[0]))
            usages.append(parts[2])
    if not present:
        raise DataError("has no rows", path)
    if usage is not None:
        require_usage(usage, present, str(path))
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
    skipped = 0
    with open_text(path) as stream:
        reader = csv.DictReader(stream)
        missing = [name for name in _VOTE_COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise DataError(f"FER+ column {missing[0]!r} is missing", f"{path}:1")
        for position, record in enumerate(reader):
            where = f"{path}:{position + 2}"
            usage = record.get("Usage")
            if "row" not in record and usage in USAGES and usage not in present:
                skipped += 1
                continue
            try:
                row = int(record["row"]) if "row" in record else position - skipped
                votes = [float(record[name]) for name in _VOTE_COLUMNS]
            except (TypeError, ValueError):
                raise DataError("expected numbers in the vote columns", where) from None
            for name, count in zip(_VOTE_COLUMNS, votes, strict=True):
                # The comparison is false for NaN, too.
                if not 0 <= count <= _MAX_VOTES:
                    raise DataError(f"{name} must be a number of votes, 0 or more, found {count:g}", where)
            if not 0 <= row < len(faces):
                raise DataError(f"row {row} is outside the {len(faces)} rows of the data", where)
            if usage in USAGES and usage != faces.usage[row]:
                raise DataError(f"votes for a {usage} face, but row {row} is {faces.usage[row]}", where)
            table[row], seen[row] = votes, True
    if not seen.all():
        raise DataError(f"no votes for row {int(np.argmin(seen))} of the data ({int((~seen).sum())} missing)", path)
    order = [_VOTE_COLUMNS.index(name) for name in _FERPLUS_ORDER]
    seven = table[:, order]
    share = seven / np.maximum(seven.sum(axis=1, keepdims=True), 1.0)
    not_face = table.argmax(axis=1) == _VOTE_COLUMNS.index("NF")
    return replace(faces, votes=share.astype(np.float32), no_face=not_face)


def _parse_pixels(text: str, where: str) -> NDArray[np.uint8]:
    try:
        values = np.array(text.split(), dtype=np.int64)
    except (ValueError, OverflowError):
        raise DataError("pixels must be whole numbers separated by spaces", where) from None
    if values.size != FACE_SIDE * FACE_SIDE:
        raise DataError(f"expected {FACE_SIDE * FACE_SIDE} pixels, found {values.size}", where)
    if values.min() < 0 or values.max() > 255:
        raise DataError(f"pixels must lie in 0..255, found {values.min()}..{values.max()}", where)
    return values.astype(np.uint8).reshape(FACE_SIDE, FACE_SIDE)


@contextmanager
def open_text(path: str | Path) -> Iterator[TextIO]:
    """Open a CSV file, plain or compressed with xz, with or without a byte order mark.

    Raises:
        DataError: If it cannot be opened, or what is read from it is not text.
    """
    try:
        # Spreadsheet programs write a byte order mark, which utf-8-sig leaves out.
        with (
            lzma.open(path, "rt", encoding="utf-8-sig")
            if str(path).endswith(".xz")
            else Path(path).open(encoding="utf-8-sig", newline="") as stream
        ):
            yield stream
    except FileNotFoundError:
        raise DataError("no such file", path) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError("cannot be read: it is not text, or not in UTF-8; expected a CSV file", path) from error
    except (lzma.LZMAError, EOFError) as error:
        raise DataError("cannot be read: it is damaged or incomplete, or not compressed with xz", path) from error
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", path) from error


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
