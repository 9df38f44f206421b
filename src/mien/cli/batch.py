"""``mien batch``."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.options import OneJsonOption, analyzer_options, one_of
from mien.cli.output import complain, errors, tables
from mien.options import AnalyzerOptions

if TYPE_CHECKING:
    from mien.batch import BatchReport


@analyzer_options("threads")
def batch(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SRC...",
            help="Photos, videos, folders (searched recursively), patterns, addresses such as s3://bucket/photos, or "
            ".txt files with one of these per line.",
            show_default=False,
        ),
    ],
    out: Annotated[str, typer.Option(metavar="DIR", help="Folder or address for the results.", show_default=False)],
    engine: Annotated[
        str,
        typer.Option(
            help="local: processes of this machine; ray: a Ray cluster.", autocompletion=one_of("local", "ray")
        ),
    ] = "local",
    workers: Annotated[int, typer.Option(metavar="N", help="Files read at a time; 0 for one per core.")] = 0,
    address: Annotated[
        str | None,
        typer.Option(help="Of the Ray cluster, or auto.  [default: start Ray on this machine]", show_default=False),
    ] = None,
    every: Annotated[int, typer.Option(metavar="N", help="Read every N-th frame of videos.")] = 1,
    detect_every: Annotated[
        int, typer.Option(metavar="N", help="Look for faces in every N-th of these; move them on in between.")
    ] = 1,
    split: Annotated[
        float, typer.Option(metavar="SECONDS", help="Cut longer videos into ranges of this length.")
    ] = 600.0,
    as_json: OneJsonOption = False,
    *,
    options: AnalyzerOptions,
) -> None:
    """Read photos and videos by the thousand or million into Parquet files.

    Run the same command again to continue after an interruption. What cannot be read is listed in _errors.parquet, is
    tried again the next time, and makes the exit code 1.
    """
    from mien.batch import FaceReader, run_batch

    reader = FaceReader(dataclasses.replace(options, threads=1), every=every, detect_every=detect_every, split_s=split)
    try:
        with _progress() as show:
            report = run_batch(
                sources, out, reader=reader, engine=engine, workers=workers, address=address, on_progress=show
            )
    except KeyboardInterrupt:
        complain(f"interrupted; {out} holds what was read so far, and the same command continues from there")
        raise typer.Exit(130) from None
    if as_json:
        print(json.dumps(dataclasses.asdict(report)))
    else:
        _print(report, out)
    if not (report.photos or report.videos or report.failed):
        complain("no photos or videos there")
    if report.failed or not (report.photos or report.videos):
        raise typer.Exit(1)


def _print(report: BatchReport, out: str) -> None:
    resumed = f"; {report.resumed} were done before" if report.resumed else ""
    tables.print(f"{out}: {_counts(report)}, {report.rows} rows{resumed}", markup=False, soft_wrap=True)
    for example in report.examples:
        complain(example)
    if report.failed:
        others = report.failed - len(report.examples)
        more = f" ({others} more)" if others else ""
        complain(f"not read, or not to the end: {report.failed}{more}; see _errors.parquet")
    if report.copies:
        complain(f"files skipped because they are annotated copies that mien made: {report.copies}")


def _counts(report: BatchReport) -> str:
    photos, faces = (
        f"{number} {name}{'' if number == 1 else 's'}"
        for number, name in ((report.photos, "photo"), (report.faces, "face"))
    )
    videos = "1 video or part of one" if report.videos == 1 else f"{report.videos} videos or parts of videos"
    return f"{photos}, {videos}, {faces}"


@contextmanager
def _progress() -> Iterator[Callable[[BatchReport], None]]:
    """A line on stderr, where that is a terminal, with what was read so far. How much is to come is not known."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn()
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        line = bar.add_task("starting")

        def show(report: BatchReport) -> None:
            failed = f", {report.failed} failed" if report.failed else ""
            bar.update(line, description=f"{_counts(report)}{failed}")

        yield show
