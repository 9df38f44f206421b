"""Tables that grow in place: what was read is in them whatever happens next, and a later run can continue them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from types import TracebackType
from typing import Any

from mien.errors import OptionError
from mien.files import not_written, write_whole
from mien.results import FrameResult
from mien.tables import Layout, printable

GROWING_SUFFIXES = (".csv", ".jsonl")
"""Suffixes of the tables that can grow; the others are whole or not there."""

_LINE_START = b'{"source": "'
_LINE_KEYS = FrameResult("", 0, 0, ()).to_dict().keys()
_REPAIR = "repair it, or name another file"


class GrowingTable:
    """A table of photos on disk, ``.csv`` or ``.jsonl``, a context manager: every photo is in the file once written.

    Args:
        path: The file.
        layout: What stands in it.
        resume: Whether to go on with a table that is there. Of a CSV the last photo is taken out to be read again,
            because only part of its rows may have been written.

    Attributes:
        done: Names of the photos that it holds already.

    Raises:
        OptionError: If the suffix is another, or the file cannot be written or continued.
    """

    def __init__(self, path: Path, layout: Layout, resume: bool = False) -> None:
        self.path = path
        self.done: frozenset[str] = frozenset()
        self._layout = layout
        if path.suffix.lower() not in GROWING_SUFFIXES:
            raise OptionError(f"cannot grow; use {' or '.join(GROWING_SUFFIXES)}", path)
        self._is_csv = path.suffix.lower() == ".csv"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if resume and path.exists():
                self._go_on()
                self._file = path.open("a", encoding="utf-8", newline="")
            else:
                self._file = path.open("w", encoding="utf-8", newline="")
                self._append(self._csv([], header=True) if self._is_csv else "")
        except OSError as error:
            raise OptionError(f"cannot be written: {error.strerror}; name another place", path) from error

    def __enter__(self) -> GrowingTable:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, result: FrameResult) -> None:
        """Add what was read in a photo.

        Raises:
            OutputError: If writing failed, for example because the disk is full.
        """
        try:
            self._append(self._csv(self._layout.rows(result)) if self._is_csv else _line(result.to_dict()))
        except OSError as error:
            raise not_written(self.path, error) from error

    def _append(self, text: str) -> None:
        # All of a photo at once, and to the system, where it outlives this program.
        self._file.write(text)
        self._file.flush()

    def _csv(self, rows: Iterable[dict[str, Any]], header: bool = False) -> str:
        text = StringIO()
        writer = csv.DictWriter(text, list(self._layout.columns))
        if header:
            writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()

    def _go_on(self) -> None:
        """Take out what was written in part, and note the rest."""
        content = self.path.read_bytes()
        kept, names = self._whole_rows(content) if self._is_csv else self._whole_lines(content)
        write_whole(self.path, kept)
        self.done = frozenset(names)

    def _whole_rows(self, content: bytes) -> tuple[str, list[str]]:
        text = content.decode(errors="replace")
        if self._csv([], header=True).startswith(text):
            text = ""
        reader = csv.DictReader(StringIO(text, newline=""))
        try:
            rows = list(reader)
            if reader.fieldnames is not None and list(reader.fieldnames) != list(self._layout.columns):
                raise OptionError("has other columns than this version of mien writes; name another file", self.path)
            if rows and not text.endswith("\r\n"):
                rows.pop()
            # A value that is missing comes out as None, one that is empty as "".
            damaged = next((row for row in rows if None in row or None in row.values()), None)
            if damaged is not None:
                raise OptionError(f"has a damaged row of {damaged['source']!r}; {_REPAIR}", self.path)
            # Of the last photo some rows may be missing.
            last = rows[-1]["source"] if rows else None
            rows = [row for row in rows if row["source"] != last]
            return self._csv(rows, header=True), [row["source"] for row in rows]
        except (csv.Error, ValueError) as error:
            if isinstance(error, OptionError):
                raise
            raise OptionError(f"is not a table that mien can continue: {error}", self.path) from error

    def _whole_lines(self, content: bytes) -> tuple[bytes, list[str]]:
        lines = content.splitlines(keepends=True)
        last = lines[-1] if lines else b"\n"
        # Of the last line only the beginning may have been written.
        if not last.endswith(b"\n") and (last.startswith(_LINE_START) or _LINE_START.startswith(last)):
            lines.pop()
        names = []
        for number, line in enumerate(lines, start=1):
            name = _source(line)
            if name is None:
                raise OptionError(f"line {number} is not what mien photo writes of a picture; {_REPAIR}", self.path)
            names.append(name)
        return b"".join(lines), names


def _source(line: bytes) -> str | None:
    """The picture that a line of ``.jsonl`` is about; None if it is no such line."""
    try:
        values = json.loads(line)
        return printable(values["source"]) if values.keys() == _LINE_KEYS else None
    except (ValueError, AttributeError):
        return None


def _line(values: dict[str, Any]) -> str:
    return json.dumps(values) + "\n"
