"""What ``mien video`` shows while it works, and at the end."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from mien.cli.output import errors, tables
from mien.emotions import Emotion

if TYPE_CHECKING:
    from rich.text import Text

    from mien.video import VideoReader
    from mien.video.summary import Summary


@contextmanager
def progress(reader: VideoReader, place: str) -> Iterator[Callable[[float], None]]:
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
        task = bar.add_task(
            f"{place}{Path(reader.name).name}", total=length if math.isfinite(length) else None, speed=""
        )
        frames, begun = 0, perf_counter()

        def advance(time_s: float) -> None:
            nonlocal frames
            frames += 1
            elapsed, done = perf_counter() - begun, time_s - reader.start_s
            speed = f"{done / elapsed:.1f}x real time, {frames / elapsed:.0f} frames/s"
            bar.update(task, completed=done, speed=speed)

        yield advance


def print_summary(summary: Summary, as_json: bool) -> None:
    """Print the summary of a video, as a table or as one line of JSON."""
    if as_json:
        print(json.dumps(summary.to_dict()), flush=True)
        return
    from rich import box
    from rich.table import Table

    title = f"{summary.source}: {summary.frames} {'frame' if summary.frames == 1 else 'frames'}, " + (
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
