"""A whole video from its file to results: the one loop behind every door that reads videos."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from mien.analyzer import Analyzer, cached_analyzer
from mien.arguments import expect, found
from mien.drawing import blur_faces, draw
from mien.errors import OptionError
from mien.options import AnalyzerOptions, OptionValues, available_cores, make_options
from mien.results import FrameResult
from mien.tables import open_table
from mien.tracking.lookahead import LookAhead
from mien.tracking.stream import FrameDetections, StreamAnalyzer
from mien.video.backend import VideoSource
from mien.video.episodes import open_episodes
from mien.video.participants import Participants
from mien.video.prefetch import prefetch
from mien.video.reader import VideoFrame, VideoReader, open_video
from mien.video.report import Report
from mien.video.summary import Summary, open_summary
from mien.video.timeline import Timeline
from mien.video.writer import VideoWriter

if TYPE_CHECKING:
    from typing_extensions import Unpack

OutputPath: TypeAlias = "str | os.PathLike[str]"
_Sink: TypeAlias = Callable[[VideoFrame, FrameResult], None]


HOLD_BYTES = 1_280_000_000
"""Pictures that wait for what comes after them take no more memory than this, enough for 4K at 30 frames a second; of
larger ones fewer wait. Nothing is held where only what was read is wanted."""

_NO_PICTURE = np.empty((0, 0, 3), np.uint8)

BATCH, BATCH_BYTES = 8, 64_000_000
"""Frames whose faces the network reads at once, and how much memory these frames may take together."""

FULL_SEARCH_S = 0.25
"""Seconds between searches of the whole frame, see `StreamAnalyzer`."""


class _Stop(KeyboardInterrupt):
    """Ends what is being written as Ctrl-C would, but between two frames: complete, and with no further sound."""


def analyze_video(
    source: VideoSource | VideoReader,
    *,
    table: OutputPath | Sequence[OutputPath] | None = None,
    video: OutputPath | None = None,
    timeline: OutputPath | None = None,
    summary: OutputPath | None = None,
    episodes: OutputPath | Sequence[OutputPath] | None = None,
    report: OutputPath | None = None,
    participants: Mapping[int, str] | OutputPath | None = None,
    sound: bool = True,
    blur: bool = False,
    start: float = 0.0,
    end: float | None = None,
    every: int = 1,
    fps: float | None = None,
    detect_every: int = 1,
    on_frame: _Sink | None = None,
    on_result: Callable[[FrameResult], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    analyzer: Analyzer | None = None,
    **values: Unpack[OptionValues],
) -> Summary:
    """Read every face of a video: who shows which emotion when.

    Decoding, finding and reading faces, and encoding run side by side. Smoothing looks ahead as far as it looks back,
    so that nothing shows late. Files that exist are replaced.

    Args:
        source: As for `open_video`; or a `VideoReader`, which is left open, and knows its own ``start``, ``end``,
            ``every`` and ``fps``.
        table: Write a row per face and frame to this file or these files: .csv, .parquet, .json or .jsonl.
        video: Write the video with boxes and labels: .mp4, .mov or .mkv.
        timeline: Draw each person's emotions over time: .png, .jpg, .svg or .pdf.
        summary: Write a row per person, see docs/video.md: .csv, .parquet or .json.
        episodes: Write a row per episode to this file or these files: .csv, .parquet or .json; or .eaf for ELAN.
        report: Write a page with the video, a strip per person and the episodes: .html.
        participants: Who the people are, by id, or a CSV file with the columns video, person and participant; adds a
            column to the tables.
        sound: Copy the sound into ``video``.
        blur: Make the faces in ``video`` and ``report`` unrecognizable.
        start: Read from this second on.
        end: Read up to this second; None reads to the end.
        every: Read every n-th frame only.
        fps: Read so many frames in a second of the video, in place of ``every``.
        detect_every: Look for faces in every n-th of these; in between they are moved on as they moved before.
        on_frame: Called with each frame and what was read in it, in order, for progress or results of your own, up to
            1.3 seconds of the video after it was read. What it raises ends the reading, and no file is written.
        on_result: As ``on_frame``, with what was read alone, which takes less memory.
        cancelled: Asked after each frame; once it is true, reading ends, and the files hold what was read so far.
        analyzer: What to read with; None opens one.
        **values: As for `mien.load`, in place of ``analyzer``.

    Returns:
        Who showed what for how long, and whether the video was damaged.

    Raises:
        VideoError: If the video cannot be read.
        OptionError: If an argument is not possible, or a file cannot be written.
        OutputError: If writing fails, for example because the disk is full.
        MissingExtraError: If a package for a format is not installed.
    """
    expect(Analyzer | None, analyzer=analyzer)
    expect(str | os.PathLike | None, video=video, timeline=timeline, summary=summary, report=report)
    expect(str | os.PathLike | Mapping | None, participants=participants)
    expect(bool, sound=sound, blur=blur)
    expect(Integral, detect_every=detect_every)
    expect(Callable | None, on_frame=on_frame, on_result=on_result)
    expect(Callable, cancelled=cancelled)
    for number in participants if isinstance(participants, Mapping) else ():
        if not isinstance(number, Integral):
            raise OptionError(f"must go by number, as in {{1: 'Ann'}}, found {found(number)}", field="participants")
    tables, episode_files = _paths("table", table), _paths("episodes", episodes)
    if analyzer is not None and values:
        raise OptionError(f"goes with no other options, found {', '.join(values)}", field="analyzer")
    with ExitStack() as stack:
        if isinstance(source, VideoReader):
            reader = source
        else:
            max_pixels = analyzer.options.max_pixels if analyzer else make_options(**values).max_pixels
            reader = stack.enter_context(open_video(source, start, end, every, max_pixels, fps))
        if isinstance(participants, str | os.PathLike):
            participants = Participants(Path(participants)).of(reader.name)
        seen = Summary(reader.name, participants)
        try:
            # Everything that is to be written opens first, so that what is impossible fails before any work.
            with ExitStack() as outputs:
                sinks = _open_sinks(reader, tables, video, timeline, sound, blur, seen.participants, outputs)
                sinks += _open_results(reader, seen, summary, episode_files, report, blur, outputs)
                analyzer = analyzer or cached_analyzer(share_cores(make_options(**values)))
                _read(
                    reader,
                    StreamAnalyzer(analyzer, detect_every, FULL_SEARCH_S),
                    [*sinks, *([on_frame] if on_frame else []), *([_ignore_frame(on_result)] if on_result else [])],
                    seen,
                    cancelled,
                    bool(video or report or on_frame),
                )
        except _Stop:
            pass
    return seen


def _paths(name: str, paths: OutputPath | Sequence[OutputPath] | None) -> list[Path]:
    several: Any = paths if isinstance(paths, list | tuple) else [] if paths is None else [paths]
    for path in several:
        expect(str | os.PathLike, **{name: path})
    return [Path(path) for path in several]


def share_cores(options: AnalyzerOptions) -> AnalyzerOptions:
    """Options for reading videos: unless told otherwise, half the cores for each network.

    Faces are found in one frame while those of another are read; with all cores each would slow the other.
    """
    return make_options(options, threads=options.threads or max(1, available_cores() // 2))


def _open_sinks(
    reader: VideoReader,
    tables: Sequence[Path],
    video: OutputPath | None,
    timeline: OutputPath | None,
    sound: bool,
    blur: bool,
    participants: Mapping[int, str] | None,
    stack: ExitStack,
) -> list[_Sink]:
    sinks: list[_Sink] = []
    if video is not None:
        sound_of = reader.source if sound else None
        sound_end = reader.until_s if math.isfinite(reader.until_s) else math.inf
        writer = stack.enter_context(VideoWriter(Path(video), reader.time_base, sound_of, reader.start_s, sound_end))

        def write(frame: VideoFrame, result: FrameResult) -> None:
            image = blur_faces(frame.image, result) if blur else frame.image
            writer.write(draw(image, result), frame.time_s)

        sinks.append(write)
    writers = [stack.enter_context(open_table(path, participants)) for path in tables]
    sinks.extend(_ignore_frame(rows.write) for rows in writers)
    if timeline is not None:
        strips = stack.enter_context(Timeline(Path(timeline)))
        sinks.append(_ignore_frame(strips.write))
    return sinks


def _open_results(
    reader: VideoReader,
    seen: Summary,
    summary: OutputPath | None,
    episodes: Sequence[Path],
    report: OutputPath | None,
    blur: bool,
    stack: ExitStack,
) -> list[_Sink]:
    """Open what is written from the summary once all has been read."""
    file = Path(reader.source) if isinstance(reader.source, str | os.PathLike) else None
    if summary is not None:
        stack.enter_context(open_summary(Path(summary), seen))
    for path in episodes:
        stack.enter_context(open_episodes(path, seen, file))
    if report is None:
        return []
    page = stack.enter_context(Report(Path(report), seen, file))
    return [lambda frame, result: page.write(blur_faces(frame.image, result) if blur else frame.image, result)]


def _ignore_frame(write: Callable[[FrameResult], None]) -> _Sink:
    return lambda _, result: write(result)


def _read(
    reader: VideoReader,
    stream: StreamAnalyzer,
    sinks: list[_Sink],
    summary: Summary,
    cancelled: Callable[[], bool],
    with_pictures: bool,
) -> None:
    # Three frames at a time: one thread decodes, one finds faces, this one reads them; a fourth encodes.
    try:
        with closing(prefetch(reader)) as frames:
            for frame, result in read_frames(frames, stream, reader.name, cancelled, with_pictures):
                summary.add(result)
                for sink in sinks:
                    sink(frame, result)
                if cancelled():
                    raise _Stop
    except _Stop:
        summary.is_cut_short = True
        raise
    finally:
        summary.close(reader.step_s, reader.end_s)
        summary.damage = reader.damage


def read_frames(
    frames: Iterable[VideoFrame],
    stream: StreamAnalyzer,
    source: str = "",
    cancelled: Callable[[], bool] = lambda: False,
    with_pictures: bool = True,
) -> Iterator[tuple[VideoFrame, FrameResult]]:
    """Read the frames of a file, in order, each with what comes after it in mind.

    Args:
        frames: The frames.
        stream: What to read them with.
        source: Name of the video; carried into the results.
        cancelled: Asked after each frame that is given out, or read while none is; once true, reading ends.
        with_pictures: Whether the frames that are given out are to have their pictures, which are held until then.

    Yields:
        Each frame and what was read in it, up to 1.3 seconds of the video later.
    """

    def find() -> Iterator[FrameDetections]:
        return stream.detect_ahead((frame.image, frame.time_s, frame.number) for frame in frames)

    ahead: LookAhead[VideoFrame] | None = None
    with closing(prefetch(find())) as found:
        for batch in _batches(found):
            if ahead is None:
                most = HOLD_BYTES // batch[0].frame.nbytes if with_pictures else sys.maxsize
                ahead = LookAhead(stream.smoothing_s, stream.uncertain_below, stream.is_confirmed, most)
            for seen, result in zip(batch, stream.classify_together(batch, source), strict=True):
                frame = VideoFrame(seen.number, seen.time_s, seen.frame if with_pictures else _NO_PICTURE)
                done = list(ahead.add(frame, result, seen.renamed))
                yield from done
                if not done and cancelled():
                    raise _Stop
    stream.close()
    if ahead is not None:
        yield from ahead.finish()


def _batches(found: Iterable[FrameDetections]) -> Iterator[list[FrameDetections]]:
    """Frames whose faces are read at once: `BATCH` of them, fewer where they are large."""
    batch: list[FrameDetections] = []
    for seen in found:
        batch.append(seen)
        if len(batch) >= min(BATCH, max(1, BATCH_BYTES // seen.frame.nbytes)):
            yield batch
            batch = []
    if batch:
        yield batch
