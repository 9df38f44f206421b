"""``mien photo``."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.options import DEFAULTS, DetectorOption, DeviceOption, MinConfidenceOption, ModelOption, ThreadsOption
from mien.cli.output import complain, tables, with_progress
from mien.errors import ImageError, OptionError
from mien.options import AnalyzerOptions

if TYPE_CHECKING:
    from rich.table import Table

    from mien.analyzer import Analyzer
    from mien.results import FrameResult

# Characters that the table needs beside the name of the picture.
_OTHER_COLUMNS = 62


@dataclass(frozen=True, slots=True)
class _Picture:
    """A picture to read, and its path below the folder that was named (or its file name)."""

    path: Path
    relative: Path


def photo(
    paths: Annotated[list[str], typer.Argument(help="Pictures, folders (searched recursively) or patterns.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per picture and line.")] = False,
    annotate: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the pictures with boxes and labels to this folder.")
    ] = None,
    detector: DetectorOption = DEFAULTS.detector,
    model: ModelOption = DEFAULTS.model,
    min_confidence: MinConfidenceOption = DEFAULTS.min_confidence,
    device: DeviceOption = DEFAULTS.device,
    threads: ThreadsOption = DEFAULTS.threads,
) -> None:
    """Read every face in pictures.

    A picture that cannot be read is reported and the others are read all the same; the exit code is then 1.
    A picture without a face is a valid answer.
    """
    options = AnalyzerOptions(model, detector, min_confidence, device, threads)
    if annotate is not None:
        _check_folder(annotate)
    failures: list[str] = []
    interrupted = False
    pictures = list(find_pictures(paths, failures))
    if annotate is not None:
        _check_targets(pictures, annotate)
    table = None if as_json else _new_table()
    if pictures:
        from mien.analyzer import load

        analyzer = load(options)
        try:
            for picture in with_progress(pictures, len(pictures), "reading"):
                try:
                    result = _read(picture, analyzer, annotate)
                except ImageError as error:
                    failures.append(str(error))
                    complain(str(error))
                    continue
                if table is None:
                    print(json.dumps(result.to_dict()), flush=True)
                else:
                    _add_rows(table, result)
        except KeyboardInterrupt:
            interrupted = True
    if table is not None and table.row_count:
        tables.print(table)
    if interrupted:
        complain("interrupted; what was read so far is above")
        raise typer.Exit(130)
    if failures:
        raise typer.Exit(1)


def find_pictures(paths: list[str], failures: list[str]) -> Iterator[_Picture]:
    """The pictures that the arguments name; what cannot be read is reported and noted in ``failures``."""

    def miss(message: str) -> None:
        failures.append(message)
        complain(message)

    for text in paths:
        if not text:
            raise OptionError("a path is empty; name a picture, a folder or a pattern")
        matches = [text] if os.path.lexists(text) else sorted(glob.glob(text, recursive=True)) or [text]
        for match in matches:
            path = Path(match)
            # Unlike Path.is_dir this is no error for names that are too long or lie behind a locked door.
            if os.path.isdir(match):  # noqa: PTH112
                yield from _find_in_folder(path, miss)
            else:
                # A path that does not exist is reported where it is read.
                yield _Picture(path, Path(path.name))


def _find_in_folder(folder: Path, miss: Callable[[str], None]) -> Iterator[_Picture]:
    from mien.images import IMAGE_SUFFIXES

    count = 0

    def unreadable(error: OSError) -> None:
        miss(f"{error.filename}: folder cannot be read: {error.strerror}")

    for parent, folders, names in os.walk(folder, onerror=unreadable):
        folders.sort()
        for name in sorted(names):
            path = Path(parent, name)
            if path.suffix.lower() in IMAGE_SUFFIXES and not name.startswith("."):
                count += 1
                yield _Picture(path, path.relative_to(folder))
    if not count:
        miss(f"{folder}: no pictures in this folder")


def _read(picture: _Picture, analyzer: Analyzer, annotate: Path | None) -> FrameResult:
    from mien.images import read_image, write_image

    frame = read_image(picture.path, analyzer.options.max_pixels)
    result = analyzer.analyze_frame(frame, str(picture.path))
    if annotate is not None:
        from mien.drawing import draw

        write_image(draw(frame, result), _target(picture, annotate))
    return result


def _target(picture: _Picture, annotate: Path) -> Path:
    """Where the annotated copy of a picture goes."""
    target = annotate / picture.relative
    return target if target.suffix.lower() in (".jpg", ".jpeg", ".png") else target.with_name(f"{target.name}.png")


def _check_targets(pictures: list[_Picture], annotate: Path) -> None:
    """Nothing that is there is overwritten, neither pictures of the user's nor one copy by the next."""
    sources: dict[Path, Path] = {}
    for picture in pictures:
        target = _target(picture, annotate)
        if target in sources:
            both = f"{sources[target]} and {picture.path}"
            raise OptionError(f"--annotate {annotate}: {both} would be written to one file; annotate them one by one")
        if target.exists():
            raise OptionError(f"--annotate {annotate}: {target} exists already; remove it or choose another folder")
        sources[target] = picture.path


def _check_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(f"--annotate {folder}: folder cannot be made: {error.strerror}") from error
    if not os.access(folder, os.W_OK):
        raise OptionError(f"--annotate {folder}: folder is not writable")


def _new_table() -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, caption_justify="left")
    table.caption = "A guess about expressions, not about minds. With a ?, the confidence is too low to rely on."
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
