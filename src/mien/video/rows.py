"""Tables of what was read in a video: one row per face and frame, written as they come."""

from __future__ import annotations

from pathlib import Path

from mien.emotions import LABELS
from mien.results import FrameResult
from mien.tables import FACE_COLUMNS, TABLE_SUFFIXES, Layout, Rows, TableWriter, face_values

__all__ = ["COLUMNS", "TABLE_SUFFIXES", "TableWriter", "open_table", "rows"]

COLUMNS: dict[str, str] = {
    "time_s": "float64",
    "frame": "int64",
    "shot": "int64",
    "track": "int64",
    "confirmed": "bool_",
    **FACE_COLUMNS,
    **{f"smoothed_{label}": "float64" for label in LABELS},
    "quality": "string",
}
"""The columns of a table and pyarrow's name for the type of each; see docs/video.md."""


def rows(result: FrameResult) -> Rows:
    """One row per face, keys as `COLUMNS`; of a frame without faces one row with its time, number and shot alone."""
    frame = dict.fromkeys(COLUMNS) | {"time_s": result.time_s, "frame": result.frame, "shot": result.shot}
    if not result.faces:
        yield frame
    for face in result.faces:
        smoothed = face.smoothed or {}
        yield frame | {
            "track": face.track,
            "confirmed": face.confirmed,
            **face_values(face),
            **{f"smoothed_{emotion}": p for emotion, p in smoothed.items()},
            "quality": " ".join(face.quality),
        }


def open_table(path: Path) -> TableWriter:
    """Begin a table: ``.csv``, ``.parquet`` and ``.json`` hold `rows`, ``.jsonl`` one `FrameResult` a line.

    Raises:
        OptionError: If the suffix is unknown or the place cannot be written to.
        MissingExtraError: If the format needs a package that is not installed.
    """
    return TableWriter(path, Layout(COLUMNS, rows))
