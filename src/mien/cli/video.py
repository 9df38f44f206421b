"""``mien video``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.inputs import Input, find_inputs
from mien.cli.interrupt import Interruption, interruptible
from mien.cli.options import ForceOption, analyzer_options
from mien.cli.output import complain
from mien.cli.video_jobs import MANY, Job, check_targets, has_foreign_files, is_done, mark_unfinished, target
from mien.cli.video_report import print_summary, progress
from mien.cli.video_tables import SharedTable
from mien.errors import OptionError, VideoError
from mien.files import is_video
from mien.options import AnalyzerOptions

if TYPE_CHECKING:
    from mien.video.participants import Participants
    from mien.video.summary import Summary


@analyzer_options("rotate")
def video(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...", help="Videos, folders (searched recursively) or patterns.", show_default=False
        ),
    ],
    out: Annotated[
        str | None,
        typer.Option(metavar="FILE", help=f"Write the video with boxes and labels: .mp4, .mov or .mkv ({MANY})."),
    ] = None,
    table: Annotated[
        str | None,
        typer.Option(metavar="FILE", help=f"Write a row per face and frame: .csv, .parquet, .json or .jsonl ({MANY})."),
    ] = None,
    timeline: Annotated[
        str | None,
        typer.Option(metavar="FILE", help=f"Draw each person's emotions over time: .png, .jpg, .svg or .pdf ({MANY})."),
    ] = None,
    summary: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Write a row per video and person, all videos in one: .csv, .parquet, .json."
        ),
    ] = None,
    episodes: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help=f"Write a row per episode, with onset and offset: .csv, .parquet, .json; or .eaf for ELAN ({MANY}).",
        ),
    ] = None,
    report: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help=f"Write a page with the video, a strip per person and the episodes: .html ({MANY})."
        ),
    ] = None,
    participants: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A CSV file with the columns video, person and participant; adds a column to the tables.",
        ),
    ] = None,
    start: Annotated[float, typer.Option(metavar="SECONDS", help="Read from here on.")] = 0.0,
    end: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Read up to here.  [default: the end]", show_default=False)
    ] = None,
    every: Annotated[int, typer.Option(help="Read, and write, only every N-th frame.", metavar="N")] = 1,
    fps: Annotated[
        float | None,
        typer.Option(metavar="N", help="Read about N frames in a second of the video, in place of --every."),
    ] = None,
    detect_every: Annotated[
        int, typer.Option(metavar="N", help="Look for faces in every N-th frame; move them on in between.")
    ] = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="Leave out the videos whose files are all there and newer than the video.")
    ] = False,
    force: ForceOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object per video.")] = False,
    *,
    options: AnalyzerOptions,
) -> None:
    """Read every face in videos: who shows which emotion when.

    People keep their number through a video, and their probabilities are smoothed over time. Ctrl-C ends early and
    leaves valid files of what has been read. A video that cannot be read, or breaks off, is reported and the others are
    read all the same; the exit code is then 1.
    """
    job = Job(out, table, timeline, summary, episodes, report, start, end, every, fps, detect_every)
    failures: list[str] = []
    videos = list(find_inputs(files, failures, is_video, "videos"))
    # What an interrupted run left behind is what --resume replaces.
    check_targets(videos, job, force or resume)
    people = None if participants is None else _open_participants(participants, videos)
    shared = [SharedTable(option, path, people is not None) for option, path in job.shared.items()]
    waiting = _leave_out_done(videos, job, shared, force) if resume else videos
    with interruptible() as interrupted:
        _read_all(waiting, job, options, people, shared, as_json, failures, interrupted)
    if len(videos) > 1 and failures:
        complain(f"not read, or not to the end: {len(failures)} of {len(videos)}")
        for failure in failures:
            complain(f"  {failure}")
    if interrupted.is_set():
        raise typer.Exit(interrupted.exit_code)
    if failures:
        raise typer.Exit(1)


def _open_participants(path: Path, videos: list[Input]) -> Participants:
    from mien.video.participants import Participants

    people = Participants(path)
    strangers = people.check([(video.path, video.relative) for video in videos])
    if strangers:
        complain(f"{path}: names videos that are not read: {', '.join(strangers)}")
    return people


def _leave_out_done(videos: list[Input], job: Job, shared: list[SharedTable], force: bool) -> list[Input]:
    if not job.patterns and not shared:
        raise OptionError(
            "--resume tells by their files which videos are done; add --table, --out, --timeline, --summary or another"
        )
    foreign = {video.path for video in videos if has_foreign_files(video, job, force)}
    done = {video.path for video in videos if is_done(video, job)} - foreign
    for table in shared:
        done &= table.resume(videos, force)
    waiting = [video for video in videos if video.path not in done]
    for table in shared:
        table.leave_out(waiting)
    if len(waiting) < len(videos):
        complain(f"done already: {len(videos) - len(waiting)} of {len(videos)} videos")
    return waiting


def _read_all(
    videos: list[Input],
    job: Job,
    options: AnalyzerOptions,
    people: Participants | None,
    shared: list[SharedTable],
    as_json: bool,
    failures: list[str],
    interrupted: Interruption,
) -> None:
    """Read videos one after the other, and note in ``failures`` what went wrong."""
    for number, video in enumerate(videos, start=1):
        place = f"{number}/{len(videos)} " if len(videos) > 1 else ""
        try:
            summary = _read(video, place, job, options, people, interrupted)
        except VideoError as error:
            failures.append(str(error))
            complain(str(error))
            continue
        if summary.damage:
            failures.append(f"{video.path}: {summary.damage}; what could be read was read")
            complain(failures[-1])
        unseen = sorted(set(summary.participants or ()) - set(summary.tracks))
        if unseen:
            complain(
                f"{video.path}: participants are named for people who were not seen: {', '.join(map(str, unseen))}"
            )
        for table in shared:
            table.add(summary)
        if summary.is_cut_short:
            mark_unfinished(video, job)
        print_summary(summary, as_json)
        if interrupted.is_set():
            writes = bool(job.patterns or shared)
            what = "the files hold what was read so far" if writes else "the summary is of what was read so far"
            if len(videos) == 1:
                complain(f"{video.path}: interrupted; {what}" + ("; --resume reads it again" if writes else ""))
                return
            complain(f"{video.path}: interrupted; {what}")
            again = "; --resume continues with this one" if writes else ""
            complain(f"{number - 1} of {len(videos)} videos were read before{again}")
            return


def _read(
    video: Input,
    place: str,
    job: Job,
    options: AnalyzerOptions,
    people: Participants | None,
    interrupted: Interruption,
) -> Summary:
    from mien.analyzer import cached_analyzer
    from mien.video import open_video
    from mien.video.process import analyze_video, share_cores

    def file(option: str) -> Path | None:
        return target(job.patterns[option], video) if option in job.patterns else None

    table, episodes = file("--table"), file("--episodes")
    with (
        open_video(video.path, job.start, job.end, job.every, options.max_pixels, job.fps) as reader,
        progress(reader, place) as advance,
    ):
        return analyze_video(
            reader,
            table=() if table is None else table,
            video=file("--out"),
            timeline=file("--timeline"),
            summary=file("--summary"),
            episodes=() if episodes is None else episodes,
            report=file("--report"),
            participants=None if people is None else people.of(video.path, video.relative),
            detect_every=job.detect_every,
            on_result=lambda result: advance(result.time_s or 0.0),
            cancelled=interrupted.is_set,
            analyzer=cached_analyzer(share_cores(options)),
        )
