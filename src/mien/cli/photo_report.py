"""What ``mien photo`` shows in the terminal: a row per face, and a summary."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.cells import cell_len, chop_cells
from rich.text import Text

from mien.cli.output import one_line, tables
from mien.emotions import Emotion
from mien.results import Face, FrameResult

if TYPE_CHECKING:
    from rich.table import Table

MANY, HEAD = 50, 20
"""With more rows than ``MANY`` only the first ``HEAD`` are shown, unless all are asked for."""

_CAUTION = "A guess about expressions, not about minds. With a ?, the answer is not sure enough to rely on."
_COLUMNS = ("picture", "face", "emotion", "confidence", "next", "x y w h", "quality")
# What goes where the terminal is too narrow, in this order, so that no figure is ever cut.
_DISPENSABLE = ("next", "x y w h", "quality", "face")
_LEAST_NAME = 16
_GAP = 2


@dataclass(slots=True)
class PhotoReport:
    """Takes results and prints them in the end.

    Args:
        show_all: Whether to show every row, however many they are.
    """

    show_all: bool = False
    pictures: int = 0
    without: int = 0
    _faces: Counter[Emotion] = field(default_factory=Counter)
    _uncertain: Counter[Emotion] = field(default_factory=Counter)
    _rows: list[dict[str, Text]] = field(default_factory=list)
    _hidden: int = 0

    def add(self, result: FrameResult) -> None:
        """Take what was read in a picture."""
        self.pictures += 1
        self.without += not result.faces
        for face in result:
            self._faces[face.emotion] += 1
            self._uncertain[face.emotion] += face.uncertain
        rows = _rows(result)
        if self.show_all or len(self._rows) + len(rows) <= MANY:
            self._rows += rows
        else:
            self._hidden += len(rows)

    def print(self, unread: int = 0) -> None:
        """Print the table and the summary.

        Args:
            unread: Pictures that could not be read.
        """
        if self._rows:
            shown = self._rows[:HEAD] if self._hidden else self._rows
            tables.print(_table(shown))
            if self._hidden:
                hidden = self._hidden + len(self._rows) - HEAD
                tables.print(f"… {hidden} more rows: --all shows them, --table FILE writes them", style="dim")
        if self.pictures + unread > 1:
            for line in self._summary(unread):
                tables.print(line)
        if self._faces:
            tables.print(_CAUTION, style="dim italic")

    def _summary(self, unread: int) -> list[str]:
        faces, uncertain = self._faces.total(), self._uncertain.total()
        counts = [f"{self.pictures} pictures", f"{faces} {'face' if faces == 1 else 'faces'}"]
        if self.without:
            counts.append(f"{self.without} {'picture' if self.without == 1 else 'pictures'} without a face")
        if uncertain:
            counts.append(f"{uncertain} uncertain")
        if unread:
            counts.append(f"{unread} not read")
        lines = [", ".join(counts)]
        if faces:
            words = [
                f"{emotion} {count}" + (f" ({self._uncertain[emotion]} uncertain)" if self._uncertain[emotion] else "")
                for emotion, count in self._faces.most_common()
            ]
            lines.append(", ".join(words))
        return lines


def _rows(result: FrameResult) -> list[dict[str, Text]]:
    name = Text(one_line(result.source))
    if not result.faces:
        return [{"picture": name, "face": Text("-"), "emotion": Text("no face", style="dim")}]
    return [
        {"picture": name if number == 1 else Text(), "face": Text(str(number)), **_cells(face)}
        for number, face in enumerate(result.faces, start=1)
    ]


def _cells(face: Face) -> dict[str, Text]:
    second = sorted(face.probabilities, key=lambda key: -face.probabilities[key])[1]
    style = "bold rgb({},{},{})".format(*face.emotion.color)
    return {
        "emotion": Text(f"{face.emotion}{'?' if face.uncertain else ''}", style=style),
        "confidence": Text(f"{face.confidence:.0%}"),
        "next": Text(f"{second} {face.probabilities[second]:.0%}", style="dim"),
        "x y w h": Text(" ".join(map(str, face.box))),
        "quality": Text(", ".join(flag.replace("_", " ") for flag in face.quality)),
    }


def _table(rows: list[dict[str, Text]]) -> Table:
    from rich import box
    from rich.table import Table

    widths = {name: max(len(name), *(cell_len(row.get(name, Text()).plain) for row in rows)) for name in _COLUMNS}
    if not any(row.get("quality", Text()).plain for row in rows):
        del widths["quality"]
    longest = widths.pop("picture")

    def room() -> int:
        return tables.width - sum(widths.values()) - _GAP * len(widths)

    for name in _DISPENSABLE:
        if room() < min(longest, _LEAST_NAME):
            widths.pop(name, None)
    widths = {"picture": max(1, min(longest, room())), **widths}
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for name, width in widths.items():
        right = name in ("face", "confidence")
        table.add_column(name, justify="right" if right else "left", no_wrap=True, width=width)
    for row in rows:
        table.add_row(*(_shorten(row.get(name, Text()), width) for name, width in widths.items()))
    return table


def _shorten(cell: Text, width: int) -> Text:
    """The end of a name that is too long: the end tells pictures apart."""
    if cell_len(cell.plain) <= width:
        return cell
    end = chop_cells(cell.plain[::-1], width - 1)[0][::-1] if width > 1 else ""
    return Text(f"…{end}", style=cell.style)
