"""Which pictures the arguments of a command name."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mien.cli.output import complain
from mien.errors import OptionError


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture to read, and its path below the folder that was named (or its file name)."""

    path: Path
    relative: Path


def find_pictures(paths: list[str], failures: list[str]) -> Iterator[Picture]:
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
                yield Picture(path, Path(path.name))


def _find_in_folder(folder: Path, miss: Callable[[str], None]) -> Iterator[Picture]:
    from mien.images import is_picture

    count = 0
    others: Counter[str] = Counter()

    def unreadable(error: OSError) -> None:
        miss(f"{error.filename}: folder cannot be read: {error.strerror}")

    for parent, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent, name)
            if name.startswith("."):
                continue
            if is_picture(path):
                count += 1
                yield Picture(path, path.relative_to(folder))
            else:
                others[path.suffix.lower() or "no suffix"] += 1
    if not count:
        miss(f"{folder}: no pictures in this folder")
    elif others:
        kinds = ", ".join(kind for kind, _ in others.most_common(5))
        complain(f"{folder}: files skipped because they are no pictures: {others.total()} ({kinds})")
