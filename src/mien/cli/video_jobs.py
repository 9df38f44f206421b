"""What ``mien video`` is to read, and where it writes to."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mien.cli.inputs import Input
from mien.cli.output import check_outputs, refuse_existing, refuse_same
from mien.cli.video_files import was_written_for
from mien.errors import OptionError

NAME = "{name}"
MANY = f"with several videos put {NAME} into it"


@dataclass(frozen=True, slots=True)
class Job:
    """What to read of each video, and patterns of the files to write."""

    out: str | None = None
    table: str | None = None
    timeline: str | None = None
    summary: str | None = None
    episodes: str | None = None
    report: str | None = None
    start: float = 0.0
    end: float | None = None
    every: int = 1
    fps: float | None = None
    detect_every: int = 1

    @property
    def patterns(self) -> dict[str, str]:
        """The patterns of the files of each video that were given, by option."""
        options = {"--out": self.out, "--table": self.table, "--timeline": self.timeline, "--report": self.report}
        options |= {option: pattern for option, pattern in self._results.items() if not _is_shared(pattern)}
        return {option: pattern for option, pattern in options.items() if pattern is not None}

    @property
    def shared(self) -> dict[str, Path]:
        """The tables of all videos together that were given, by option."""
        return {option: Path(pattern) for option, pattern in self._results.items() if pattern and _is_shared(pattern)}

    @property
    def _results(self) -> dict[str, str | None]:
        return {"--summary": self.summary, "--episodes": self.episodes}

    def targets(self, video: Input) -> list[Path]:
        """The files to write for a video."""
        return [target(pattern, video) for pattern in self.patterns.values()]


def _is_shared(pattern: str | None) -> bool:
    """Whether one file takes in all videos; a document of ELAN is of one video."""
    return pattern is not None and NAME not in pattern and not pattern.lower().endswith(".eaf")


def target(pattern: str, video: Input) -> Path:
    """The file that a pattern names for a video: its path below the folder that was named, without suffix."""
    return Path(pattern.replace(NAME, str(video.relative.with_suffix(""))))


def check_targets(videos: Sequence[Input], job: Job, force: bool) -> None:
    """Refuse what cannot be written, for all videos, before any work is done.

    Args:
        videos: What is to be read.
        job: What is to be written.
        force: Whether files that exist already may be replaced.

    Raises:
        OptionError: If a file cannot be written, exists already, or would be written twice or over a video.
    """
    read = [video.path for video in videos]
    for option, pattern in job.patterns.items():
        targets = [target(pattern, video) for video in videos]
        hint = MANY if NAME not in pattern else "rename one of them"
        refuse_existing(option, targets, True, read)
        refuse_same(f"{option} {pattern}", targets, read, hint)
        check_outputs(option, targets, force)
    for option, path in job.shared.items():
        check_outputs(option, [path], force, read)
    options: dict[str, str] = {}
    for option, path in _all_targets(videos, job):
        other = options.setdefault(os.path.realpath(path), option)
        if other != option:
            raise OptionError(f"{option} {path}: is what {other} writes to; choose another name")


def _all_targets(videos: Sequence[Input], job: Job) -> Iterator[tuple[str, Path]]:
    yield from job.shared.items()
    for option, pattern in job.patterns.items():
        for video in videos:
            yield option, target(pattern, video)


def is_done(video: Input, job: Job) -> bool:
    """Whether all files of a video's own are there, and newer than the video."""
    try:
        made = min((path.stat().st_mtime_ns for path in job.targets(video)), default=math.inf)
        return made >= video.path.stat().st_mtime_ns
    except OSError:
        return False


def has_foreign_files(video: Input, job: Job, force: bool) -> bool:
    """Whether a file of a video's own is there that ``mien video`` did not write for it.

    Args:
        video: The video.
        job: What is to be written.
        force: Whether such a file may be replaced.

    Raises:
        OptionError: If there is such a file, and it may not be replaced.
    """
    for option, pattern in job.patterns.items():
        path = target(pattern, video)
        if path.exists() and not was_written_for(video.path, option, path):
            if force:
                return True
            raise OptionError(
                f"{option} {path}: was not written by mien video for {video.path}; choose another name, or add --force "
                "to replace it"
            )
    return False


def mark_unfinished(video: Input, job: Job) -> None:
    """Make the files of a video older than it is, so that `is_done` does not take them for finished."""
    before = video.path.stat().st_mtime_ns - 1_000_000_000
    for path in job.targets(video):
        if path.exists():
            os.utime(path, ns=(before, before))
