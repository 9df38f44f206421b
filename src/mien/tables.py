"""Tables of faces, written row by row, as CSV, Parquet, JSON or JSON lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from mien.emotions import LABELS
from mien.errors import MissingExtraError, OptionError
from mien.files import AtomicFile, not_written

if TYPE_CHECKING:
    from mien.results import Face, FrameResult

TABLE_SUFFIXES = (".csv", ".parquet", ".json", ".jsonl")
"""Suffixes of the tables that can be written."""

# Foreign files may be a single line of any length.
_LONGEST_LINE = 1 << 24

Rows = Iterator[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Layout:
    """What stands in a table.

    Attributes:
        columns: The columns and pyarrow's name for the type of each.
        rows: Makes the rows of a picture or frame: dictionaries with the columns as keys.
    """

    columns: dict[str, str]
    rows: Callable[[FrameResult], Rows]


_BOX_COLUMNS: dict[str, str] = {
    "x": "int64",
    "y": "int64",
    "width": "int64",
    "height": "int64",
    "score": "float64",
    "emotion": "string",
    "confidence": "float64",
    "uncertain": "bool_",
    "ambiguity": "float64",
}


def _face_values(face: Face, prefix: str) -> dict[str, Any]:
    """What tables say of a face, with a prefix for the probabilities."""
    return {
        **dict(zip(("x", "y", "width", "height"), face.box, strict=True)),
        "score": face.score,
        "emotion": face.emotion.value,
        "confidence": face.confidence,
        "uncertain": face.uncertain,
        "ambiguity": face.ambiguity,
        **{f"{prefix}{emotion}": p for emotion, p in face.probabilities.items()},
    }


_PHOTO_COLUMNS = {
    "source": "string",
    "face": "int64",
    **_BOX_COLUMNS,
    **dict.fromkeys(LABELS, "float64"),
    "quality": "string",
}


def printable(name: str) -> str:
    """A name as text; names of files need not be."""
    return name.encode(errors="backslashreplace").decode()


def _photo_rows(result: FrameResult) -> Rows:
    picture = dict.fromkeys(_PHOTO_COLUMNS) | {"source": printable(result.source)}
    if not result.faces:
        yield picture
    for number, face in enumerate(result.faces, start=1):
        yield picture | {"face": number, **_face_values(face, ""), "quality": " ".join(face.quality)}


PHOTOS = Layout(_PHOTO_COLUMNS, _photo_rows)
"""A row per face, numbered from left to right; of a picture without faces a row with nothing but its name."""

_FRAME_COLUMNS: dict[str, str] = {
    "time_s": "float64",
    "frame": "int64",
    "shot": "int64",
    "track": "int64",
    "confirmed": "bool_",
    **_BOX_COLUMNS,
    **{f"raw_{label}": "float64" for label in LABELS},
    **{f"smoothed_{label}": "float64" for label in LABELS},
    "quality": "string",
}


def _frame_rows(result: FrameResult) -> Rows:
    frame = dict.fromkeys(_FRAME_COLUMNS) | {"time_s": result.time_s, "frame": result.frame, "shot": result.shot}
    if not result.faces:
        yield frame
    for face in result.faces:
        smoothed = face.smoothed or {}
        yield frame | {
            "track": face.track,
            "confirmed": face.confirmed,
            **_face_values(face, "raw_"),
            **{f"smoothed_{emotion}": p for emotion, p in smoothed.items()},
            "quality": " ".join(face.quality),
        }


FRAMES = Layout(_FRAME_COLUMNS, _frame_rows)
"""A row per face and frame of a video; of a frame without faces a row with its time, number and shot alone."""


def with_participant(columns: Mapping[str, str]) -> dict[str, str]:
    """The columns of a table with one for the participant, after that for the person."""
    wide: dict[str, str] = {}
    for name, kind in columns.items():
        wide[name] = kind
        if name in ("person", "track"):
            wide["participant"] = "string"
    return wide


def _whole(result: FrameResult) -> Rows:
    """A line of ``.jsonl``: all that is known of a picture or frame."""
    yield result.to_dict()


class _Format(Protocol):
    def add(self, rows: Iterable[Mapping[str, Any]]) -> None: ...

    def close(self) -> None: ...


class TableWriter(AtomicFile):
    """A table on disk: a context manager.

    ``.csv``, ``.parquet`` and ``.json`` hold the layout's rows, ``.jsonl`` one `FrameResult` a line; see
    `AtomicFile` for when the file appears.

    Args:
        path: The file; its suffix tells the format.
        layout: What stands in it.

    Raises:
        OptionError: If the suffix is unknown or the place cannot be written to.
        MissingExtraError: If the format needs a package that is not installed.
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        suffix = path.suffix.lower()
        if suffix not in TABLE_SUFFIXES:
            raise OptionError(f"unknown table format {path.suffix!r}; use {', '.join(TABLE_SUFFIXES)}", path)
        super().__init__(path)
        self._rows = _whole if suffix == ".jsonl" else layout.rows
        try:
            self._format = _FORMATS[suffix](self._partial, layout.columns)
        except BaseException:
            self._partial.unlink(missing_ok=True)
            raise

    def _finish(self, complete: bool, whole: bool) -> None:
        self._format.close()

    def write(self, result: FrameResult) -> None:
        """Add what was read in a frame.

        Raises:
            OutputError: If writing failed, for example because the disk is full.
        """
        try:
            self._format.add(self._rows(result))
        except OSError as error:
            raise not_written(self.path, error) from error


def open_table(path: Path, participants: Mapping[int, str] | None = None) -> TableWriter:
    """Begin a table of a video; see `TableWriter`.

    Args:
        path: The file; its suffix tells the format.
        participants: Who the people are, by id, for a column ``participant``; None leaves that out.

    Raises:
        OptionError: If the suffix is unknown or the place cannot be written to.
        MissingExtraError: If the format needs a package that is not installed.
    """
    if participants is None:
        return TableWriter(path, FRAMES)
    people = participants

    def named(result: FrameResult) -> Rows:
        for row in FRAMES.rows(result):
            yield {**row, "participant": people.get(row["track"])}

    return TableWriter(path, Layout(with_participant(FRAMES.columns), named))


class RowsFile(AtomicFile):
    """A small table whose rows are asked for when the block ends, as ``.csv``, ``.parquet`` or ``.json``.

    Args:
        path: The file; its suffix tells the format.
        columns: As in `Layout`.
        rows: Gives the rows, each with the columns as keys.

    Raises:
        OptionError: If the place cannot be written to.
    """

    def __init__(self, path: Path, columns: Mapping[str, str], rows: Callable[[], Iterable[Mapping[str, Any]]]) -> None:
        super().__init__(path)
        self._columns, self._rows = columns, rows

    def _finish(self, complete: bool, whole: bool) -> None:
        if not complete:
            return
        table = _FORMATS[self.path.suffix.lower()](self._partial, self._columns)
        table.add(self._rows())
        table.close()


def read_head(path: Path) -> tuple[list[str], dict[str, Any]]:
    """Columns and first row of a table that was written here, without reading the others; of CSV as text.

    Returns:
        The columns, and the row, empty if there is none. A ``.json`` without rows has no columns.

    Raises:
        OptionError: If it is no such table.
    """
    suffix = path.suffix.lower()
    with _reading(path):
        if suffix == ".parquet":
            from pyarrow import parquet

            file = parquet.ParquetFile(path)
            rows = next(file.iter_batches(1), None)
            return file.schema_arrow.names, rows.to_pylist()[0] if rows else {}
        with path.open(encoding="utf-8", newline="") as lines:
            if suffix == ".csv":
                reader = csv.DictReader(lines)
                return list(reader.fieldnames or ()), next(reader, {})
            line = lines.readline(_LONGEST_LINE)
            if suffix == ".json":
                # Rows stand on lines of their own between the brackets.
                line = "{}" if line == "[]\n" else lines.readline(_LONGEST_LINE).rstrip(",\n")
            row = json.loads(line)
            return list(row.keys()), row


def read_rows(path: Path, columns: Iterable[str] | None = None) -> list[dict[str, Any]]:
    """The rows of a table that `RowsFile` wrote; of CSV as text, with None for what is empty.

    Args:
        path: The file.
        columns: Those that it must have; None for any.

    Raises:
        OptionError: If it is no such table.
    """
    with _reading(path):
        found, rows = _read(path)
    if columns is not None and found is not None and found != list(columns):
        raise OptionError("has other columns than this command writes", path)
    return rows


def _read(path: Path) -> tuple[list[str] | None, list[dict[str, Any]]]:
    """Columns, None where no row tells them, and rows."""
    if path.suffix.lower() == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            rows = [{name: value or None for name, value in row.items()} for row in reader]
            if any(None in row for row in rows):
                raise ValueError("a row has more values than there are columns")
            return list(reader.fieldnames or ()), rows
    if path.suffix.lower() == ".json":
        rows = [dict(row) for row in json.loads(path.read_text(encoding="utf-8"))]
        return list(rows[0]) if rows else None, rows
    from pyarrow import parquet

    table = parquet.read_table(path)
    return table.column_names, table.to_pylist()


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, TypeError, AttributeError, csv.Error) as error:
        raise OptionError(f"cannot be read to continue it: {str(error).splitlines()[0]}", path) from error


def _open(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", newline="")


class _Csv:
    def __init__(self, path: Path, columns: Mapping[str, str]) -> None:
        self._file = _open(path)
        self._writer = csv.DictWriter(self._file, list(columns))
        self._writer.writeheader()

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._writer.writerows(rows)

    def close(self) -> None:
        self._file.close()


class _Json:
    def __init__(self, path: Path, columns: Mapping[str, str]) -> None:
        self._file = _open(path)
        self._between = "[\n"

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        for row in rows:
            self._file.write(self._between + json.dumps(row))
            self._between = ",\n"

    def close(self) -> None:
        self._file.write("[]\n" if self._between.startswith("[") else "\n]\n")
        self._file.close()


class _JsonLines:
    def __init__(self, path: Path, columns: Mapping[str, str]) -> None:
        self._file = _open(path)

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._file.writelines(json.dumps(row) + "\n" for row in rows)

    def close(self) -> None:
        self._file.close()


class _Parquet:
    # Rows per group: large enough to compress, small enough to hold.
    _GROUP = 8192

    def __init__(self, path: Path, columns: Mapping[str, str]) -> None:
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError as error:
            raise MissingExtraError("writing Parquet", "tables") from error
        self._schema = pa.schema([(name, getattr(pa, kind)()) for name, kind in columns.items()])
        self._batch = pa.Table.from_pylist
        self._writer = parquet.ParquetWriter(path, self._schema)
        self._rows: list[Mapping[str, Any]] = []

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._rows.extend(rows)
        if len(self._rows) >= self._GROUP:
            self._flush()

    def _flush(self) -> None:
        self._writer.write_table(self._batch(self._rows, schema=self._schema))
        self._rows = []

    def close(self) -> None:
        if self._rows:
            self._flush()
        self._writer.close()


_FORMATS: dict[str, Callable[[Path, Mapping[str, str]], _Format]] = {
    ".csv": _Csv,
    ".parquet": _Parquet,
    ".json": _Json,
    ".jsonl": _JsonLines,
}
