"""Tables in which ``mien video`` puts the results of all videos together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.cli.inputs import Input
from mien.errors import OptionError

if TYPE_CHECKING:
    from mien.video.summary import Summary

_Row = Mapping[str, Any]


class SharedTable:
    """One table of all videos, rewritten after each of them, so that it is whole at any time.

    Args:
        option: The option that asks for it: ``--summary`` or ``--episodes``.
        path: The file.
        named: Whether the participants are known.

    Raises:
        OptionError: If its format is unknown.
        MissingExtraError: If the format needs a package that is not installed.
    """

    def __init__(self, option: str, path: Path, named: bool) -> None:
        from mien.tables import with_participant
        from mien.video.episodes import EPISODE_COLUMNS, check_suffix, episode_rows
        from mien.video.summary import SUMMARY_COLUMNS, SUMMARY_SUFFIXES, Summary

        check_suffix(path, SUMMARY_SUFFIXES, option)
        columns, self._rows_of = SUMMARY_COLUMNS, Summary.to_rows
        if option == "--episodes":
            columns, self._rows_of = EPISODE_COLUMNS, episode_rows
        self.path = path
        self._columns = with_participant(columns) if named else columns
        self._rows: list[_Row] = []

    _rows_of: Callable[[Summary], Iterable[_Row]]

    def resume(self, videos: Iterable[Input]) -> set[Path]:
        """Go on with the table that is there, if there is one: keep its rows of these videos.

        Returns:
            The videos that it has rows of, and that are not newer than it.

        Raises:
            OptionError: If it is no such table.
        """
        from mien.tables import printable, read_rows
        from mien.video.summary import INTERRUPTED

        if not self.path.exists():
            return set()
        rows = read_rows(self.path)
        if rows and list(rows[0]) != list(self._columns):
            raise OptionError("has other columns than this command writes; choose another name", self.path)
        made = self.path.stat().st_mtime_ns
        done = {
            printable(str(video.path)): video.path
            for video in videos
            if video.path.exists() and video.path.stat().st_mtime_ns <= made
        }
        self._rows = [row for row in rows if row["video"] in done and row.get("remark") != INTERRUPTED]
        return {done[row["video"]] for row in self._rows}

    def keep(self, videos: Collection[Path]) -> None:
        """Leave out the rows of all videos but these."""
        from mien.tables import printable

        names = {printable(str(video)) for video in videos}
        self._rows = [row for row in self._rows if row["video"] in names]

    def add(self, summary: Summary) -> None:
        """Take in a video.

        Raises:
            OutputError: If the table cannot be written.
        """
        from mien.tables import RowsFile

        self._rows.extend(self._rows_of(summary))
        RowsFile(self.path, self._columns, lambda: self._rows).close()
