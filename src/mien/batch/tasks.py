"""What one worker does at a time, and what it says when it is done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from mien.batch.sources import is_video_name

PHOTOS_PER_TASK = 256
"""Photos that are read at a time and share a file of results: some seconds of work."""

_SMALL_TASKS, _SMALL = 64, 16


@dataclass(frozen=True, slots=True)
class Item:
    """A photo, a video, or a range of a video.

    Attributes:
        path: Path or address.
        start: Where the range begins, in seconds; None for photos and for whole videos.
        end: Where it ends; None for the end of the video.
        found: Whether it was found by a search, which leaves out the copies that mien annotated.
    """

    path: str
    start: float | None = None
    end: float | None = None
    found: bool = False

    @property
    def key(self) -> int:
        """64 bits by which it is known to be done: of a million items no two agree by chance (1 in 37 million)."""
        text = f"{self.path}\0{self.start}\0{self.end}"
        return int.from_bytes(blake2b(text.encode(errors="surrogateescape"), digest_size=8).digest(), "big")

    @property
    def is_video(self) -> bool:
        """Whether it is a video or a range of one."""
        return is_video_name(self.path)

    def to_row(self) -> dict[str, Any]:
        """As `FaceReader` takes it."""
        return {"path": self.path, "start": self.start, "end": self.end}


@dataclass(frozen=True, slots=True)
class Task:
    """Items whose rows share a file: photos, or one video.

    Attributes:
        items: What to read.
        attempt: How often a worker has died over it.
    """

    items: tuple[Item, ...]
    attempt: int = 0

    @property
    def file(self) -> str:
        """Where its rows go, the same for the same items."""
        digest = blake2b(b"".join(item.key.to_bytes(8, "big") for item in self.items), digest_size=8).hexdigest()
        return f"faces/kind={'video' if self.items[0].is_video else 'photo'}/part-{digest}.parquet"


@dataclass(frozen=True, slots=True)
class Failure:
    """A source that could not be read, or not to its end.

    Attributes:
        item: The source.
        error: Kind of error and reason.
    """

    item: Item
    error: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of a task.

    Attributes:
        done: Items whose rows are written.
        photos: How many of them are photos.
        faces: Faces in the rows.
        rows: Number of rows.
        failures: What could not be read; it is tried again in the next run.
        damages: What could not be read to its end; its rows are written.
        more: Items to read in place of this task, which turned out to be too long.
        copies: Photos left out because they are annotated copies.
    """

    done: int = 0
    photos: int = 0
    faces: int = 0
    rows: int = 0
    failures: tuple[Failure, ...] = ()
    damages: tuple[Failure, ...] = ()
    more: tuple[Item, ...] = ()
    copies: int = 0


def make_tasks(items: Iterable[Item]) -> Iterator[Task]:
    """Cut items into tasks, as they come.

    The first tasks are small, so that a few hundred photos occupy many workers.
    """
    photos: list[Item] = []
    made = 0
    for item in items:
        if item.is_video:
            yield Task((item,))
            continue
        photos.append(item)
        if len(photos) >= (_SMALL if made < _SMALL_TASKS else PHOTOS_PER_TASK):
            yield Task(tuple(photos))
            photos, made = [], made + 1
    if photos:
        yield Task(tuple(photos))


def after_crash(task: Task) -> list[Task]:
    """What to try in place of a task over which a worker has died; nothing if it is to blame for it.

    The task is tried once more, then each of its items by itself.
    """
    if task.attempt == 0:
        return [Task(task.items, 1)]
    return [Task((item,), 1) for item in task.items] if len(task.items) > 1 else []
