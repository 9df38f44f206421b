"""Tables of what was read in a video: one row per face and frame, written as they come."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mien.results import FrameResult
from mien.tables import FRAMES, TABLE_SUFFIXES, Layout, Rows, TableWriter
from mien.video.episodes import with_participant

__all__ = ["COLUMNS", "TABLE_SUFFIXES", "TableWriter", "open_table", "rows"]

COLUMNS = FRAMES.columns
"""The columns of a table and pyarrow's name for the type of each; see docs/video.md."""

rows = FRAMES.rows
"""Makes the rows of a frame; see `mien.tables.FRAMES`."""


def open_table(path: Path, participants: Mapping[int, str] | None = None) -> TableWriter:
    """Begin a table: ``.csv``, ``.parquet`` and ``.json`` hold `rows`, ``.jsonl`` one `FrameResult` a line.

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
        for row in rows(result):
            yield {**row, "participant": people.get(row["track"])}

    return TableWriter(path, Layout(with_participant(COLUMNS), named))
