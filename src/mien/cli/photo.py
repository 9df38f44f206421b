"""``mien photo``."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.crops import check_crops, check_crops_folder, write_crops
from mien.cli.inputs import Input, find_pictures
from mien.cli.interrupt import Interruption, interruptible
from mien.cli.options import ForceOption, analyzer_options
from mien.cli.output import check_output_folder, check_outputs, complain, refuse_existing, refuse_same, with_progress
from mien.cli.photo_report import PhotoReport
from mien.errors import ImageError, OptionError
from mien.options import AnalyzerOptions, available_cores

if TYPE_CHECKING:
    from mien.analyzer import Analyzer
    from mien.growing import GrowingTable
    from mien.results import FrameResult
    from mien.tables import TableWriter

# Names of files may have so many bytes.
_LONGEST_NAME = 255


@analyzer_options("smoothing", "reidentify")
def photo(
    paths: Annotated[
        list[str], typer.Argument(help="Pictures, folders (searched recursively), patterns, or - for standard input.")
    ],
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
    no_detect: Annotated[
        bool, typer.Option("--no-detect", help="Take each picture for one face, cut out already.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the table, .csv or .jsonl, of a run that was interrupted.")
    ] = False,
    show_all: Annotated[bool, typer.Option("--all", help="Show all rows, however many they are.")] = False,
    force: ForceOption = False,
    *,
    options: AnalyzerOptions,
) -> None:
    """Read every face in pictures.

    A picture that cannot be read is reported and the others are read all the same; the exit code is then 1.
    A picture without a face is a valid answer. Ctrl-C ends early: what was read is shown and in the table.
    """
    _check_resume(resume, table, force)
    if annotate is not None:
        check_output_folder("--annotate", annotate)
    if crops is not None:
        if no_detect:
            raise OptionError("--crops: the pictures are crops already with --no-detect; leave one of the two out")
        check_crops_folder(crops, force or resume)
    failures: list[str] = []
    pictures = list(find_pictures(paths, failures))
    if not pictures:
        raise typer.Exit(1)
    _check_targets(pictures, annotate, crops, table, resume, force)
    with ExitStack() as stack:
        interrupted = stack.enter_context(interruptible())
        # Before the table is begun: what is wrong with the options is said while the old one is still there.
        analyzer, workers = _open_analyzer(len(pictures), options)
        sinks: list[Callable[[FrameResult], None]] = []
        if table is not None:
            rows = _open_table(table, resume)
            stack.enter_context(rows)
            sinks.append(rows.write)
            pictures = _leave_out_done(pictures, rows)
        report = PhotoReport(show_all)
        sinks.append(_print_json if as_json else report.add)
        read = partial(_read, annotate=annotate, crops=crops, detect=not no_detect)
        unread = _read_all(pictures, analyzer, workers, read, sinks, interrupted)
    if not as_json:
        report.print(len(unread))
    if interrupted.is_set():
        where = f" and in {table}; --resume continues from there" if _is_growing(table) else f" and in {table}"
        complain("interrupted; what was read so far is above" + (where if table else ""))
        raise typer.Exit(interrupted.exit_code)
    if failures or unread:
        raise typer.Exit(1)


def _open_analyzer(pictures: int, options: AnalyzerOptions) -> tuple[Analyzer, int]:
    """What to read pictures with, and how many at a time."""
    from mien.analyzer import load

    workers = max(1, min(pictures, options.threads or available_cores()))
    # Several pictures at a time keep the cores busier than several threads for each, which wait for one another.
    return load(options if workers == 1 else replace(options, threads=1)), workers


def _read_all(
    pictures: list[Input],
    analyzer: Analyzer,
    workers: int,
    read: Callable[[Input, Analyzer], FrameResult],
    sinks: list[Callable[[FrameResult], None]],
    interrupted: Interruption,
) -> list[ImageError]:
    """Read pictures into sinks, until all are read or the program is to end: what could not be read."""
    from mien.parallel import map_ahead

    unread = []
    with closing(map_ahead(partial(_attempt, analyzer=analyzer, read=read), pictures, workers)) as results:
        for result in with_progress(results, len(pictures), "reading"):
            if isinstance(result, ImageError):
                unread.append(result)
                complain(str(result))
            else:
                for sink in sinks:
                    sink(result)
            if interrupted.is_set():
                break
    return unread


def _attempt(
    picture: Input, analyzer: Analyzer, read: Callable[[Input, Analyzer], FrameResult]
) -> FrameResult | ImageError:
    try:
        return read(picture, analyzer)
    except ImageError as error:
        return error if picture.content is None else ImageError(error.reason, picture.path)


def _read(picture: Input, analyzer: Analyzer, annotate: Path | None, crops: Path | None, detect: bool) -> FrameResult:
    from mien.images import color_profile, read_image, write_copy

    source = picture.path if picture.content is None else picture.content
    frame = read_image(source, analyzer.options.max_pixels)
    if detect:
        result = analyzer.analyze_frame(frame, str(picture.path))
    else:
        result = replace(analyzer.analyze_crops([frame])[0], source=str(picture.path))
    if crops is not None:
        write_crops(frame, result, crops, picture.relative)
    if annotate is not None:
        from mien.drawing import draw_copy

        write_copy(draw_copy(frame, result), _target(picture, annotate), color_profile(source))
    return result


def _target(picture: Input, annotate: Path) -> Path:
    """Where the annotated copy of a picture goes."""
    target = annotate / picture.relative
    if target.suffix.lower() in (".jpg", ".jpeg", ".png"):
        return target
    stem = os.fsencode(target.name)[: _LONGEST_NAME - 4].decode(errors="ignore")
    return target.with_name(f"{stem}.png")


def _check_resume(resume: bool, table: Path | None, force: bool) -> None:
    if resume and force:
        raise OptionError("--resume continues the table and --force replaces it; use only one of them")
    if resume and not _is_growing(table):
        raise OptionError("--resume tells by the table which pictures are done; add --table with a .csv or .jsonl file")


def _is_growing(table: Path | None) -> bool:
    from mien.growing import GROWING_SUFFIXES

    return table is not None and table.suffix.lower() in GROWING_SUFFIXES


def _check_targets(
    pictures: list[Input], annotate: Path | None, crops: Path | None, table: Path | None, resume: bool, force: bool
) -> None:
    """Nothing that is there is overwritten, except what an interrupted run has left behind."""
    from mien.copies import is_copy

    read = [picture.path for picture in pictures]
    if annotate is not None:
        targets = [_target(picture, annotate) for picture in pictures]
        refuse_same(f"--annotate {annotate}", targets, read, "annotate them one by one")
        refuse_existing("--annotate", targets, True, read)
        refuse_existing("--annotate", [path for path in targets if not (resume and is_copy(path))], force)
    if crops is not None:
        check_crops(crops, pictures)
    if table is not None:
        check_outputs("--table", [table], force or resume, read)


def _open_table(path: Path, resume: bool) -> TableWriter | GrowingTable:
    from mien.growing import GrowingTable
    from mien.tables import PHOTOS, TableWriter

    return GrowingTable(path, PHOTOS, resume) if _is_growing(path) else TableWriter(path, PHOTOS)


def _leave_out_done(pictures: list[Input], rows: TableWriter | GrowingTable) -> list[Input]:
    from mien.tables import printable

    done = getattr(rows, "done", ())
    waiting = [picture for picture in pictures if printable(str(picture.path)) not in done]
    if len(waiting) < len(pictures):
        complain(f"done already: {len(pictures) - len(waiting)} of {len(pictures)} pictures")
    return waiting


def _print_json(result: FrameResult) -> None:
    print(json.dumps(result.to_dict()), flush=True)
