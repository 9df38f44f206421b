"""Who the people of a study's videos are: a table made by hand."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from mien.errors import OptionError

_COLUMNS = ("video", "person", "participant")


class Participants:
    """A CSV file with the columns ``video``, ``person`` and ``participant``; others are passed over.

    A video is named by its path as given, its path below the folder that was given, or its file name, each with or
    without suffix.

    Args:
        path: The file.

    Raises:
        OptionError: If it cannot be read, lacks a column, or a row is not possible; the message names its line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._people: dict[str, dict[int, str]] = {}
        for line, row in self._rows():
            video, person, participant = (" ".join((row[name] or "").split()) for name in _COLUMNS)
            if not person.removeprefix("#").isdecimal():
                raise self._error(line, f"expected the number of a person, found {person!r}")
            if not video or not participant:
                raise self._error(line, f"{'video' if not video else 'participant'} is empty")
            people = self._people.setdefault(video.replace("\\", "/").removeprefix("./"), {})
            number = int(person.removeprefix("#"))
            if people.setdefault(number, participant) != participant:
                raise self._error(line, f"person {number} of {video} is both {people[number]} and {participant}")

    def _rows(self) -> Iterator[tuple[int, dict[str, str | None]]]:
        try:
            text = self.path.read_text(encoding="utf-8-sig")
        except OSError as error:
            raise OptionError(f"cannot be read: {error.strerror}", self.path) from error
        except UnicodeDecodeError as error:
            raise OptionError("is not a CSV file in UTF-8; save it again as CSV UTF-8", self.path) from error
        lines = text.splitlines()
        head = lines[0] if lines else ""
        # Spreadsheets write semicolons where the comma is the decimal point.
        reader = csv.DictReader(lines, delimiter=max(",;\t", key=head.count))
        found = [name.strip().lower() for name in reader.fieldnames or ()]
        missing = [name for name in _COLUMNS if name not in found]
        if missing:
            raise OptionError(
                f"has no column {missing[0]!r}; expected {', '.join(_COLUMNS)}, found {', '.join(found) or 'nothing'}",
                self.path,
            )
        reader.fieldnames = found
        try:
            for row in reader:
                yield reader.line_num, row
        except csv.Error as error:
            raise self._error(reader.line_num, str(error)) from error

    def _error(self, line: int, reason: str) -> OptionError:
        return OptionError(f"line {line}: {reason}", self.path)

    def of(self, video: str | os.PathLike[str], relative: Path | None = None) -> dict[int, str]:
        """The participants of a video by number of the person.

        Args:
            video: Its path.
            relative: Its path below the folder that was given, if one was.
        """
        name = self._name_of(video, relative)
        return {} if name is None else self._people[name]

    def _name_of(self, video: str | os.PathLike[str], relative: Path | None) -> str | None:
        path = Path(video)
        places = [path, path.absolute(), *([relative] if relative else []), Path(path.name)]
        names = (name for place in places for name in (place.as_posix(), place.with_suffix("").as_posix()))
        return next((name for name in names if name in self._people), None)

    def check(self, videos: Sequence[tuple[Path, Path]]) -> list[str]:
        """Find out whether it belongs to videos.

        Args:
            videos: Path of each, and its path below the folder that was given.

        Returns:
            Names in the file that are none of these videos.

        Raises:
            OptionError: If it names none of them, or one name may be several.
        """
        named: dict[str, Path] = {}
        for path, relative in videos:
            name = self._name_of(path, relative)
            if name is not None and name in named:
                raise OptionError(f"{name!r} may be {named[name]} or {path}; write the path", self.path)
            if name is not None:
                named[name] = path
        if videos and not named:
            raise OptionError(
                f"names none of the videos; expected {videos[0][1]}, found {', '.join(self._people) or 'nothing'}",
                self.path,
            )
        return [name for name in self._people if name not in named]
