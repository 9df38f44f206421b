"""What ``mien video`` is to read, and where it writes to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mien.cli.inputs import Input
from mien.cli.output import check_outputs, refuse_existing, refuse_same

NAME = "{name}"
MANY = f"with several videos put {NAME} into it"


@dataclass(frozen=True, slots=True)
class Job:
    """What to read of each video, and patterns of the files to write."""

    out: str | None = None
    table: str | None = None
    timeline: str | None = None
    start: float = 0.0
    end: float | None = None
    every: int = 1
    fps: float | None = None
    detect_every: int = 1

    @property
    def patterns(self) -> dict[str, str]:
        """The patterns that were given, by option."""
        options = {"--out": self.out, "--table": self.table, "--timeline": self.timeline}
        return {option: pattern for option, pattern in options.items() if pattern is not None}

    def targets(self, video: Input) -> list[Path]:
        """The files to write for a video."""
        return [target(pattern, video) for pattern in self.patterns.values()]


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


def is_done(video: Input, job: Job) -> bool:
    """Whether all files of a video are there, and newer than the video."""
    try:
        made = min(path.stat().st_mtime_ns for path in job.targets(video))
        return made >= video.path.stat().st_mtime_ns
    except OSError:
        return False


def mark_unfinished(video: Input, job: Job) -> None:
    """Make the files of a video older than it is, so that `is_done` does not take them for finished."""
    before = video.path.stat().st_mtime_ns - 1_000_000_000
    for path in job.targets(video):
        if path.exists():
            os.utime(path, ns=(before, before))
