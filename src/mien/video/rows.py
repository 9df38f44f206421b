"""Tables of what was read in a video: one row per face and frame, written as they come."""

from __future__ import annotations

from pathlib import Path

from mien.tables import FRAMES, TABLE_SUFFIXES, TableWriter

__all__ = ["COLUMNS", "TABLE_SUFFIXES", "TableWriter", "open_table", "rows"]

COLUMNS = FRAMES.columns
"""The columns of a table and pyarrow's name for the type of each; see docs/video.md."""

rows = FRAMES.rows
"""Makes the rows of a frame; see `mien.tables.FRAMES`."""


def open_table(path: Path) -> TableWriter:
    """Begin a table: ``.csv``, ``.parquet`` and ``.json`` hold `rows`, ``.jsonl`` one `FrameResult` a line.

    Raises:
        OptionError: If the suffix is unknown or the place cannot be written to.
        MissingExtraError: If the format needs a package that is not installed.
    """
    return TableWriter(path, FRAMES)
