"""``mien video``."""

from __future__ import annotations

import json
import math
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.options import DEFAULTS, DetectorOption, DeviceOption, MinConfidenceOption, ModelOption, ThreadsOption
from mien.cli.output import complain, errors, tables
from mien.emotions import Emotion
from mien.errors import OptionError, VideoError
from mien.options import AnalyzerOptions

if TYPE_CHECKING:
    from rich.text import Text

    from mien.analyzer import Analyzer
    from mien.results import FrameResult
    from mien.summary import Summary
    from mien.video import VideoFrame, VideoReader

_MANY = "with several videos put {name} into it"


@dataclass(frozen=True, slots=True)
class _Job:
    """What to read of each video, and where to write to."""

    out: str | None
    table: str | None
    timeline: str | None
    start: float
    end: float | None
    every: int
    detect_every: int

    def target(self, pattern: str, video: Path) -> Path:
        """The file that a pattern names for a video."""
        path = Path(pattern.replace("{name}", video.stem))
        if path.exists() and video.exists() and path.samefile(video):
            raise OptionError(f"{path}: would overwrite the video itself; choose another name")
        return path


def video(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Videos.", show_default=False)],
    out: Annotated[
        str | None,
        typer.Option(metavar="FILE", help=f"Write the video with boxes and labels: .mp4, .mov or .mkv ({_MANY})."),
    ] = None,
    table: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help=f"Write a row per face and frame: .csv, .parquet, .json or .jsonl ({_MANY})."
        ),
    ] = None,
    timeline: Annotated[
        str | None,
        typer.Option(metavar="FILE", help=f"Draw everybody's emotions over time: .png, .jpg, .svg or .pdf ({_MANY})."),
    ] = None,
    start: Annotated[float, typer.Option(metavar="SECONDS", help="Read from here on.")] = 0.0,
    end: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Read up to here.  [default: the end]", show_default=False)
    ] = None,
    every: Annotated[int, typer.Option(help="Read, and write, only every N-th frame.", metavar="N")] = 1,
    detect_every: Annotated[
        int, typer.Option(metavar="N", help="Look for faces in every N-th frame; move them on in between.")
    ] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object per video.")] = False,
    smoothing: Annotated[
        float, typer.Option(metavar="SECONDS", help="Time constant of the smoothing; 0 for none.")
    ] = DEFAULTS.smoothing_s,
    detector: DetectorOption = DEFAULTS.detector,
    model: ModelOption = DEFAULTS.model,
    min_confidence: MinConfidenceOption = DEFAULTS.min_confidence,
    device: DeviceOption = DEFAULTS.device,
    threads: ThreadsOption = DEFAULTS.threads,
) -> None:
    """Read every face in videos: who shows which emotion when.

    People keep their number through a video, and their probabilities are smoothed over time. Ctrl-C ends early and
    leaves valid files of what has been read. A video that cannot be read, or breaks off, is reported; the exit code
    is then 1.
    """
    options = AnalyzerOptions(model, detector, min_confidence, device, threads, smoothing_s=smoothing)
    job = _Job(out, table, timeline, start, end, every, detect_every)
    _check_targets(files, job)
    from mien.analyzer import load

    analyzer: Analyzer | None = None
    failures = 0
    with _interrupt() as interrupted:
        for path in files:
            try:
                with ExitStack() as stack:
                    reader, sinks = _open(path, job, stack)
                    analyzer = analyzer or load(options)
                    summary = _read(reader, job, analyzer, sinks, interrupted)
                    if interrupted.is_set():
                        raise _StoppedError
            except _StoppedError:
                pass
            except VideoError as error:
                failures += 1
                complain(str(error))
                continue
            if reader.damage:
                failures += 1
                complain(f"{path}: {reader.damage}; what could be read was read")
            _report(reader, summary, as_json)
            if interrupted.is_set():
                complain(f"{path}: interrupted; the files hold what was read so far")
                raise typer.Exit(130)
    if failures:
        raise typer.Exit(1)


def _check_targets(files: list[Path], job: _Job) -> None:
    """Refuse what cannot be written, for all videos, before any work is done."""
    from mien.files import begin_file

    for option, pattern in (("--out", job.out), ("--table", job.table), ("--timeline", job.timeline)):
        if pattern is None:
            continue
        targets = [job.target(pattern, path) for path in files]
        if len(set(targets)) < len(files):
            hint = "two videos have the same name" if "{name}" in pattern else _MANY
            raise OptionError(f"{option} {pattern}: several videos would be written to one file; {hint}")
        for target in targets:
            begin_file(target).unlink()


class _StoppedError(KeyboardInterrupt):
    """Ends what is being written as Ctrl-C would, but between two frames: complete, and with no further sound."""


_Sink = Callable[["VideoFrame", "FrameResult"], None]


def _open(path: Path, job: _Job, stack: ExitStack) -> tuple[VideoReader, list[_Sink]]:
    """Open the video and everything that is to be written, so that what is impossible fails before any work."""
    from mien.video import VideoWriter, open_table, open_video

    reader = stack.enter_context(open_video(path, job.start, job.end, job.every))
    sinks: list[_Sink] = []
    if job.out is not None:
        from mien.drawing import draw

        sound_end = math.inf if job.end is None else job.end
        writer = stack.enter_context(
            VideoWriter(job.target(job.out, path), reader.time_base, path, job.start, sound_end)
        )
        sinks.append(lambda frame, result: writer.write(draw(frame.image, result), frame.time_s))
    if job.table is not None:
        rows = stack.enter_context(open_table(job.target(job.table, path)))
        sinks.append(lambda _, result: rows.write(result))
    if job.timeline is not None:
        from mien.timeline import Timeline

        strips = stack.enter_context(Timeline(job.target(job.timeline, path)))
        sinks.append(lambda _, result: strips.write(result))
    return reader, sinks


def _read(reader: VideoReader, job: _Job, analyzer: Analyzer, sinks: list[_Sink], interrupted: Event) -> Summary:
    from mien.stream import StreamAnalyzer
    from mien.summary import Summary
    from mien.video import ahead

    stream = StreamAnalyzer(analyzer, job.detect_every)
    summary = Summary()
    with _progress(reader) as advance, closing(ahead(reader)) as frames:
        for frame in frames:
            result = stream.analyze(frame.image, frame.time_s, frame.number, str(reader.path))
            for sink in sinks:
                sink(frame, result)
            summary.add(result)
            advance(frame.time_s)
            if interrupted.is_set():
                break
    summary.close()
    return summary


@contextmanager
def _interrupt() -> Iterator[Event]:
    """Note Ctrl-C instead of raising at an arbitrary place; the second one ends the program where it stands."""
    interrupted = Event()
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, stack_frame: object) -> None:
        interrupted.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _progress(reader: VideoReader) -> Iterator[Callable[[float], None]]:
    """A bar on stderr with the speed, as a multiple of real time and in frames a second, and the time left."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(),
    )
    length = reader.end_s - reader.start_s
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task(reader.path.name, total=length if math.isfinite(length) else None, speed="")
        frames, begun = 0, perf_counter()

        def advance(time_s: float) -> None:
            nonlocal frames
            frames += 1
            elapsed, done = perf_counter() - begun, time_s - reader.start_s
            speed = f"{done / elapsed:.1f}x real time, {frames / elapsed:.0f} frames/s"
            bar.update(task, completed=done, speed=speed)

        yield advance


def _report(reader: VideoReader, summary: Summary, as_json: bool) -> None:
    if as_json:
        people = [person.to_dict() for person in summary.tracks.values()]
        values = {"source": str(reader.path), "frames": summary.frames, "damage": reader.damage, "tracks": people}
        print(json.dumps(values), flush=True)
        return
    from rich import box
    from rich.table import Table

    title = f"{reader.path}: {summary.frames} frames, " + (
        f"{len(summary.tracks)} {'person' if len(summary.tracks) == 1 else 'people'}" if summary.tracks else "no face"
    )
    tables.print(title, markup=False, soft_wrap=True)
    if not summary.tracks:
        return
    shown = [emotion for emotion in Emotion if any(person.seconds[emotion] for person in summary.tracks.values())]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption="seconds of each emotion", caption_justify="left")
    for column in ("person", "from", "to", *map(str, shown), "uncertain"):
        table.add_column(column, justify="right")
    for person in summary.tracks.values():
        most = max(shown, key=lambda emotion: person.seconds[emotion], default=None)
        table.add_row(
            f"#{person.track}",
            f"{person.first_s:.1f}",
            f"{person.last_s:.1f}",
            *(_seconds(person.seconds[emotion], emotion is most) for emotion in shown),
            _seconds(person.uncertain_s, False),
        )
    tables.print(table)


def _seconds(seconds: float, strong: bool) -> Text:
    from rich.text import Text

    return Text(f"{seconds:.1f}" if seconds else "-", style="bold" if strong else "" if seconds else "dim")
