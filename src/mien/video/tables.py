"""Tables of what was read in a video: one row per face and frame, written as they come."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol, TextIO

from mien.emotions import LABELS
from mien.errors import MissingExtraError, OptionError
from mien.files import FileInMaking, not_written
from mien.results import FrameResult

TABLE_SUFFIXES = (".csv", ".parquet", ".json", ".jsonl")
"""Suffixes of the tables that can be written."""

COLUMNS: dict[str, str] = {
    "time_s": "float64",
    "frame": "int64",
    "track": "int64",
    "x": "int64",
    "y": "int64",
    "width": "int64",
    "height": "int64",
    "score": "float64",
    "emotion": "string",
    "confidence": "float64",
    "uncertain": "bool_",
    **{f"raw_{label}": "float64" for label in LABELS},
    **{f"smoothed_{label}": "float64" for label in LABELS},
    "quality": "string",
}
"""The columns of a table and pyarrow's name for the type of each; see docs/video.md."""


def rows(result: FrameResult) -> Iterator[dict[str, Any]]:
    """One row per face, keys as `COLUMNS`; of a frame without faces one row with nothing but its time and number."""
    frame = dict.fromkeys(COLUMNS) | {"time_s": result.time_s, "frame": result.frame}
    if not result.faces:
        yield frame
    for face in result.faces:
        smoothed = face.smoothed or {}
        yield frame | {
            "track": face.track,
            **dict(zip(("x", "y", "width", "height"), face.box, strict=True)),
            "score": face.score,
            "emotion": face.emotion.value,
            "confidence": face.confidence,
            "uncertain": face.uncertain,
            **{f"raw_{emotion}": p for emotion, p in face.probabilities.items()},
            **{f"smoothed_{emotion}": p for emotion, p in smoothed.items()},
            "quality": " ".join(face.quality),
        }


class _Format(Protocol):
    def add(self, result: FrameResult) -> None: ...

    def close(self) -> None: ...


class TableWriter(FileInMaking):
    """A table on disk; see `open_table` and `FileInMaking`."""

    def __init__(self, path: Path) -> None:
        suffix = path.suffix.lower()
        if suffix not in TABLE_SUFFIXES:
            raise OptionError(f"{path}: unknown table format {path.suffix!r}; use {', '.join(TABLE_SUFFIXES)}")
        super().__init__(path)
        try:
            self._format: _Format = _FORMATS[suffix](self._partial)
        except BaseException:
            self._partial.unlink(missing_ok=True)
            raise

    def _finish(self, complete: bool) -> None:
        self._format.close()

    def write(self, result: FrameResult) -> None:
        """Add what was read in a frame.

        Raises:
            VideoError: If writing failed, for example because the disk is full.
        """
        try:
            self._format.add(result)
        except OSError as error:
            raise not_written(self.path, error) from error


def open_table(path: Path) -> TableWriter:
    """Begin a table: ``.csv``, ``.parquet`` and ``.json`` hold `rows`, ``.jsonl`` one `FrameResult` a line.

    Raises:
        OptionError: If the suffix is unknown or the place cannot be written to.
        MissingExtraError: If the format needs a package that is not installed.
    """
    return TableWriter(path)


def _open(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", newline="")


class _Csv:
    def __init__(self, path: Path) -> None:
        self._file = _open(path)
        self._writer = csv.DictWriter(self._file, list(COLUMNS))
        self._writer.writeheader()

    def add(self, result: FrameResult) -> None:
        self._writer.writerows(rows(result))

    def close(self) -> None:
        self._file.close()


class _Json:
    def __init__(self, path: Path) -> None:
        self._file = _open(path)
        self._between = "[\n"

    def add(self, result: FrameResult) -> None:
        for row in rows(result):
            self._file.write(self._between + json.dumps(row))
            self._between = ",\n"

    def close(self) -> None:
        self._file.write("[]\n" if self._between.startswith("[") else "\n]\n")
        self._file.close()


class _JsonLines:
    def __init__(self, path: Path) -> None:
        self._file = _open(path)

    def add(self, result: FrameResult) -> None:
        self._file.write(json.dumps(result.to_dict()) + "\n")

    def close(self) -> None:
        self._file.close()


class _Parquet:
    # Rows per group: large enough to compress, small enough to hold.
    _GROUP = 8192

    def __init__(self, path: Path) -> None:
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError as error:
            raise MissingExtraError("writing Parquet", "video") from error
        self._schema = pa.schema([(name, getattr(pa, kind)()) for name, kind in COLUMNS.items()])
        self._batch = pa.Table.from_pylist
        self._writer = parquet.ParquetWriter(path, self._schema)
        self._rows: list[dict[str, Any]] = []

    def add(self, result: FrameResult) -> None:
        self._rows.extend(rows(result))
        if len(self._rows) >= self._GROUP:
            self._flush()

    def _flush(self) -> None:
        self._writer.write_table(self._batch(self._rows, schema=self._schema))
        self._rows = []

    def close(self) -> None:
        if self._rows:
            self._flush()
        self._writer.close()


_FORMATS: dict[str, Callable[[Path], _Format]] = {
    ".csv": _Csv,
    ".parquet": _Parquet,
    ".json": _Json,
    ".jsonl": _JsonLines,
}
