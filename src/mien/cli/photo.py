"""``mien photo``."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.crops import open_crops, write_crops
from mien.cli.inputs import Input, find_pictures
from mien.cli.options import ForceOption, analyzer_options
from mien.cli.output import (
    check_outputs,
    complain,
    refuse_existing,
    refuse_same,
    tables,
    with_progress,
)
from mien.errors import ImageError, OptionError
from mien.options import AnalyzerOptions

if TYPE_CHECKING:
    from rich.table import Table

    from mien.analyzer import Analyzer
    from mien.results import FrameResult

_CAUTION = "A guess about expressions, not about minds. With a ?, the confidence is too low to rely on."
# Characters that the table needs beside the name of the picture.
_OTHER_COLUMNS = 62


@analyzer_options("smoothing", "reidentify")
def photo(
    paths: Annotated[list[str], typer.Argument(help="Pictures, folders (searched recursively) or patterns.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per picture and line.")] = False,
    annotate: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the pictures with boxes and labels to this folder.")
    ] = None,
    table: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a row per face: .csv, .parquet, .json or .jsonl.")
    ] = None,
    crops: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write every face, cut out and upright, to this new folder.")
    ] = None,
    detect: Annotated[
        bool, typer.Option("--detect/--no-detect", help="Look for faces, or take each picture for one face cut out.")
    ] = True,
    force: ForceOption = False,
    *,
    options: AnalyzerOptions,
) -> None:
    """Read every face in pictures.

    A picture that cannot be read is reported and the others are read all the same; the exit code is then 1.
    A picture without a face is a valid answer.
    """
    if annotate is not None:
        _check_folder(annotate)
    if crops is not None:
        if not detect:
            raise OptionError("--crops: the pictures are crops already with --no-detect; leave one of the two out")
        open_crops(crops, force)
    failures: list[str] = []
    pictures = list(find_pictures(paths, failures))
    read = [picture.path for picture in pictures]
    if annotate is not None:
        targets = [_target(picture, annotate) for picture in pictures]
        refuse_same(f"--annotate {annotate}", targets, read, "annotate them one by one")
        refuse_existing("--annotate", targets, force, read)
    if table is not None:
        check_outputs("--table", [table], force, read)
    with ExitStack() as stack:
        sinks: list[Callable[[FrameResult], None]] = []
        if table is not None:
            sinks.append(_open_table(table, stack))
        sinks.append(_print_json if as_json else stack.enter_context(_terminal_table()))
        interrupted = (
            _read_all(pictures, options, partial(_read, annotate=annotate, crops=crops, detect=detect), sinks, failures)
            if pictures
            else False
        )
    if interrupted:
        complain("interrupted; what was read so far is above" + (f" and in {table}" if table else ""))
        raise typer.Exit(130)
    if failures:
        raise typer.Exit(1)


def _read_all(
    pictures: list[Input],
    options: AnalyzerOptions,
    read: Callable[[Input, Analyzer], FrameResult],
    sinks: list[Callable[[FrameResult], None]],
    failures: list[str],
) -> bool:
    """Read pictures into sinks, until all are read or Ctrl-C comes: whether it came."""
    from mien.analyzer import load

    analyzer = load(options)
    try:
        for picture in with_progress(pictures, len(pictures), "reading"):
            try:
                result = read(picture, analyzer)
            except ImageError as error:
                failures.append(str(error))
                complain(str(error))
                continue
            for sink in sinks:
                sink(result)
    except KeyboardInterrupt:
        return True
    return False


def _read(picture: Input, analyzer: Analyzer, annotate: Path | None, crops: Path | None, detect: bool) -> FrameResult:
    from mien.images import read_image, write_image

    frame = read_image(picture.path, analyzer.options.max_pixels)
    if detect:
        result = analyzer.analyze_frame(frame, str(picture.path))
    else:
        result = replace(analyzer.analyze_crops([frame])[0], source=str(picture.path))
    if crops is not None:
        write_crops(frame, result, crops, picture.relative)
    if annotate is not None:
        from mien.drawing import draw

        write_image(draw(frame, result), _target(picture, annotate))
    return result


def _target(picture: Input, annotate: Path) -> Path:
    """Where the annotated copy of a picture goes."""
    target = annotate / picture.relative
    return target if target.suffix.lower() in (".jpg", ".jpeg", ".png") else target.with_name(f"{target.name}.png")


def _check_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(f"--annotate {folder}: folder cannot be made: {error.strerror}") from error
    if not os.access(folder, os.W_OK):
        raise OptionError(f"--annotate {folder}: folder is not writable")


def _open_table(path: Path, stack: ExitStack) -> Callable[[FrameResult], None]:
    from mien.tables import PHOTOS, TableWriter

    return stack.enter_context(TableWriter(path, PHOTOS)).write


def _print_json(result: FrameResult) -> None:
    print(json.dumps(result.to_dict()), flush=True)


@contextmanager
def _terminal_table() -> Iterator[Callable[[FrameResult], None]]:
    """Collects rows and prints them in the end."""
    table = _new_table()
    yield partial(_add_rows, table)
    if table.row_count:
        tables.print(table)
        tables.print(_CAUTION, style="dim italic")


def _new_table() -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("picture", no_wrap=True)
    # Only the name of the picture may be cut, never a figure.
    table.add_column("face", justify="right", no_wrap=True, min_width=4)
    table.add_column("emotion", no_wrap=True, min_width=9)
    table.add_column("confidence", justify="right", no_wrap=True, min_width=10)
    table.add_column("next", no_wrap=True, min_width=12)
    table.add_column("x y w h", no_wrap=True, min_width=17)
    return table


def _add_rows(table: Table, result: FrameResult) -> None:
    from rich.text import Text

    name = Text(_shorten(result.source))
    if not result.faces:
        table.add_row(name, "-", Text("no face", style="dim"), "", "", "")
    for number, face in enumerate(result.faces, start=1):
        second = sorted(face.probabilities, key=lambda key: -face.probabilities[key])[1]
        style = "rgb({},{},{})".format(*face.emotion.color)
        emotion = Text(f"{face.emotion}{'?' if face.uncertain else ''}", style=f"bold {style}")
        table.add_row(
            name if number == 1 else "",
            str(number),
            emotion,
            f"{face.confidence:.0%}",
            Text(f"{second} {face.probabilities[second]:.0%}", style="dim"),
            " ".join(map(str, face.box)),
        )


def _shorten(path: str) -> str:
    """The end of a path that is too long for the terminal: the end tells pictures apart."""
    room = max(18, tables.width - _OTHER_COLUMNS)
    return path if len(path) <= room else f"…{path[1 - room :]}"
