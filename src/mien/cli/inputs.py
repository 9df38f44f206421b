"""Which files the arguments of a command name: files, folders and patterns."""

from __future__ import annotations

import glob
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mien.cli.output import complain
from mien.errors import OptionError
from mien.files import is_special

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Input:
    """A file to read, and its path below the folder that was named (or its file name).

    Attributes:
        path: The file.
        relative: Its path below the folder.
        content: What came through standard input, of which ``path`` is then ``-``.
    """

    path: Path
    relative: Path
    content: bytes | None = None


def find_pictures(paths: list[str], failures: list[str]) -> Iterator[Input]:
    """The pictures that the arguments name, ``-`` for standard input; see `find_inputs`."""
    from mien.copies import is_copy
    from mien.images import is_picture

    return find_inputs(paths, failures, is_picture, "pictures", is_copy, _read_stdin)


def find_inputs(
    paths: list[str],
    failures: list[str],
    is_wanted: Callable[[Path], bool],
    what: str,
    is_copy: Callable[[Path], bool] = lambda path: False,
    read_stdin: Callable[[], bytes] | None = None,
) -> Iterator[Input]:
    """The files that the arguments name, each once; what cannot be read is reported and noted in ``failures``.

    Args:
        paths: Files, folders, which are searched recursively, and patterns.
        failures: Receives the messages about folders that cannot be read or have nothing in them.
        is_wanted: Tells by its name whether a file in a folder is one to read.
        what: The wanted files in words and in the plural, ``pictures``.
        is_copy: Tells whether a file was made by an earlier run; such are passed over unless they are named.
        read_stdin: What ``-`` stands for; None for a file of that name.

    Raises:
        OptionError: If a path is empty or a URL.
    """

    def miss(message: str) -> None:
        failures.append(message)
        complain(message)

    seen: set[str] = set()
    for text in paths:
        if text == STDIN and read_stdin is not None and STDIN not in seen:
            seen.add(STDIN)
            yield Input(Path(STDIN), Path("stdin"), read_stdin())
    files = [text for text in paths if text != STDIN or read_stdin is None]
    for found in _find(files, miss, is_wanted, what, is_copy):
        place = os.path.realpath(found.path)
        if place not in seen:
            seen.add(place)
            yield found


def _find(
    paths: list[str],
    miss: Callable[[str], None],
    is_wanted: Callable[[Path], bool],
    what: str,
    is_copy: Callable[[Path], bool],
) -> Iterator[Input]:
    for text in paths:
        for match in _matches(text, what, is_copy):
            path = Path(match)
            # Unlike Path.is_dir this is no error for names that are too long or lie behind a locked door.
            if os.path.isdir(match):  # noqa: PTH112
                yield from _find_in_folder(path, miss, is_wanted, what, is_copy)
            else:
                # A path that does not exist is reported where it is read.
                yield Input(path, Path(path.name))


def _matches(text: str, what: str, is_copy: Callable[[Path], bool]) -> list[str]:
    """The files and folders that an argument names."""
    if not text:
        raise OptionError(f"a path is empty; name {what}, a folder or a pattern")
    if os.path.lexists(text):
        return [text]
    if re.match("[A-Za-z][A-Za-z0-9+.-]+://", text):
        raise OptionError(f"URLs are not fetched: download the {what.removesuffix('s')} first", text)
    # Within quotes the shell leaves ~ alone, as it does patterns.
    text = os.path.expanduser(text)  # noqa: PTH111
    found = sorted(match for match in glob.glob(text, recursive=True) if not is_copy(Path(match)))
    return found or [text]


def _find_in_folder(
    folder: Path,
    miss: Callable[[str], None],
    is_wanted: Callable[[Path], bool],
    what: str,
    is_copy: Callable[[Path], bool],
) -> Iterator[Input]:
    count = copies = 0
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
            elif not is_wanted(path):
                others[path.suffix.lower() or "no suffix"] += 1
            elif is_copy(path):
                copies += 1
            else:
                count += 1
                yield Input(path, path.relative_to(folder))
    if copies:
        complain(f"{folder}: files skipped because they are annotated copies that mien made: {copies}")
    if not count:
        miss(f"{folder}: no {what} in this folder")
    elif others:
        kinds = ", ".join(kind for kind, _ in others.most_common(5))
        complain(f"{folder}: files skipped because they are not {what}: {others.total()} ({kinds})")


def _read_stdin() -> bytes:
    if sys.stdin is None or sys.stdin.isatty():
        raise OptionError("- stands for a picture through standard input, as in: mien photo - < photo.jpg")
    return sys.stdin.buffer.read()
