"""Tables in which ``mien video`` puts the results of all videos together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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
        self._rows: Sequence[_Row] = ()

    _rows_of: Callable[[Summary], Iterable[_Row]]

    def resume(self, videos: Iterable[Input], force: bool) -> set[Path]:
        """Go on with the table that is there, if there is one: keep its rows.

        Args:
            videos: Those that are asked for.
            force: Whether to begin anew if it is no such table.

        Returns:
            The videos that it has rows of, that were not interrupted, and that are not newer than it.

        Raises:
            OptionError: If it is no such table.
        """
        from mien.tables import printable, read_rows
        from mien.video.summary import INTERRUPTED

        if not self.path.exists():
            return set()
        try:
            self._rows = read_rows(self.path, self._columns)
        except OptionError as error:
            if force:
                return set()
            raise OptionError(
                f"{error.reason}; choose another name, or add --force to replace it", self.path
            ) from error
        made = self.path.stat().st_mtime_ns
        done = {
            printable(str(video.path)): video.path
            for video in videos
            if video.path.exists() and video.path.stat().st_mtime_ns <= made
        }
        whole = {row.get("video") for row in self._rows if row.get("remark") != INTERRUPTED}
        return {path for name, path in done.items() if name in whole}

    def leave_out(self, videos: Iterable[Input]) -> None:
        """Leave out the rows of videos that are read again."""
        from mien.tables import printable

        names = {printable(str(video.path)) for video in videos}
        self._rows = [row for row in self._rows if row.get("video") not in names]

    def add(self, summary: Summary) -> None:
        """Take in a video.

        Raises:
            OutputError: If the table cannot be written.
        """
        from mien.tables import RowsFile

        self._rows = [*self._rows, *self._rows_of(summary)]
        RowsFile(self.path, self._columns, lambda: self._rows).close()
