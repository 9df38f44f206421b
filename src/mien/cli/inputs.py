"""Which files the arguments of a command name: files, folders and patterns."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mien.cli.output import complain
from mien.errors import OptionError
from mien.files import is_special


@dataclass(frozen=True, slots=True)
class Input:
    """A file to read, and its path below the folder that was named (or its file name)."""

    path: Path
    relative: Path


def find_pictures(paths: list[str], failures: list[str]) -> Iterator[Input]:
    """The pictures that the arguments name; see `find_inputs`."""
    from mien.images import is_picture

    return find_inputs(paths, failures, is_picture, "pictures")


def find_inputs(paths: list[str], failures: list[str], is_wanted: Callable[[Path], bool], what: str) -> Iterator[Input]:
    """The files that the arguments name; what cannot be read is reported and noted in ``failures``.

    Args:
        paths: Files, folders, which are searched recursively, and patterns.
        failures: Receives the messages about folders that cannot be read or have nothing in them.
        is_wanted: Tells by its name whether a file in a folder is one to read.
        what: The wanted files in words and in the plural, ``pictures``.

    Raises:
        OptionError: If a path is empty.
    """

    def miss(message: str) -> None:
        failures.append(message)
        complain(message)

    for text in paths:
        if not text:
            raise OptionError(f"a path is empty; name {what}, a folder or a pattern")
        matches = [text] if os.path.lexists(text) else sorted(glob.glob(text, recursive=True)) or [text]
        for match in matches:
            path = Path(match)
            # Unlike Path.is_dir this is no error for names that are too long or lie behind a locked door.
            if os.path.isdir(match):  # noqa: PTH112
                yield from _find_in_folder(path, miss, is_wanted, what)
            else:
                # A path that does not exist is reported where it is read.
                yield Input(path, Path(path.name))


def _find_in_folder(
    folder: Path, miss: Callable[[str], None], is_wanted: Callable[[Path], bool], what: str
) -> Iterator[Input]:
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
            if is_special(path):
                others["pipe or device"] += 1
            elif is_wanted(path):
                count += 1
                yield Input(path, path.relative_to(folder))
            else:
                others[path.suffix.lower() or "no suffix"] += 1
    if not count:
        miss(f"{folder}: no {what} in this folder")
    elif others:
        kinds = ", ".join(kind for kind, _ in others.most_common(5))
        complain(f"{folder}: files skipped because they are no {what}: {others.total()} ({kinds})")
