"""Where photos and videos come from: local paths, and addresses that fsspec knows, as ``s3://bucket/photos/``."""

from __future__ import annotations

import glob
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from mien.errors import MissingExtraError, OptionError
from mien.files import is_special, is_video
from mien.images import IMAGE_SUFFIXES, is_picture

LIST_SUFFIX = ".txt"
"""A file with this suffix that is named as a source holds a path or an address per line."""

Complain = Callable[[str, str], None]


class Source(NamedTuple):
    """A photo or a video.

    Attributes:
        path: Its absolute path, or its address.
        found: Whether it was found in a folder or by a pattern, rather than named.
    """

    path: str
    found: bool


def is_url(path: str) -> bool:
    """Whether a path is an address for fsspec."""
    return "://" in path


def is_video_name(path: str) -> bool:
    """Whether a path or an address is that of a video, by its suffix."""
    return is_video(Path(PurePosixPath(path).name))


def filesystem(url: str) -> tuple[Any, str]:
    """The fsspec file system of an address, and the path in it.

    Raises:
        MissingExtraError: If fsspec is not installed.
        OptionError: If the protocol is unknown, or its package is not installed.
    """
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise MissingExtraError("reading addresses", "batch") from error
    try:
        fs, path = url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise OptionError(f"cannot be opened: {str(error).splitlines()[0]}", url) from error
    return fs, path


@contextmanager
def local_video(path: str) -> Iterator[str]:
    """A video as a local file: the file itself, or a copy of what an address names, for as long as the block lasts."""
    if not is_url(path):
        yield path
        return
    fs, remote = filesystem(path)
    with tempfile.TemporaryDirectory(prefix="mien-") as folder:
        copy = os.path.join(folder, f"video{PurePosixPath(path).suffix}")  # noqa: PTH118
        fs.get_file(remote, copy)
        yield copy


def list_sources(
    sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], unreadable: Complain
) -> Iterator[Source]:
    """The photos and videos that paths and addresses name, each once, in a fixed order, as they are found.

    Folders are searched recursively, hidden files and folders left out; a file that is named itself is taken whatever
    its suffix, and a ``.txt`` file is a list. Local paths come out absolute, because workers may run elsewhere.

    Args:
        sources: A file, folder, pattern or list, or several of these.
        unreadable: Called with the name of a folder or list that cannot be read, and the reason.

    Raises:
        OptionError: If a path is empty, or an address cannot be opened.
    """
    paths = [os.fspath(source) for source in ([sources] if isinstance(sources, str | os.PathLike) else sources)]
    if not all(paths):
        raise OptionError("a path is empty; name photos, videos, a folder or a list")
    return _each_once(paths, unreadable)


def _each_once(paths: list[str], unreadable: Complain) -> Iterator[Source]:
    # Hashes take half the memory of the paths; of a million no two agree by chance (1 in 37 million).
    seen: set[int] = set()
    for path in paths:
        for source in _list_url(path, unreadable) if is_url(path) else _list_local(path, unreadable):
            place = hash(source.path if is_url(source.path) else os.path.realpath(source.path))
            if place not in seen:
                seen.add(place)
                yield source


def _list_local(path: str, unreadable: Complain) -> Iterator[Source]:
    matches = []
    if not os.path.lexists(path):
        # Within quotes the shell leaves ~ alone, as it does patterns.
        path = os.path.expanduser(path)  # noqa: PTH111
        matches = sorted(glob.glob(path, recursive=True))
    for match in map(os.path.abspath, matches or [path]):
        if os.path.isdir(match):  # noqa: PTH112
            walk = os.walk(match, onerror=lambda error: unreadable(error.filename, f"folder: {error.strerror}"))
            yield from (Source(name, True) for name in _files(walk, os.path.join) if _is_wanted(name))
        elif match.endswith(LIST_SUFFIX):
            yield from (Source(name, False) for name in _list_file(match, unreadable))
        else:
            # A path that does not exist is reported where it is read.
            yield Source(match, bool(matches))


def _is_wanted(path: str) -> bool:
    return not is_special(path) and (is_video_name(path) or is_picture(Path(path)))


def _list_file(path: str, unreadable: Complain) -> Iterator[str]:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as lines:  # noqa: PTH123
            for line in lines:
                if name := line.rstrip("\r\n"):
                    yield name if is_url(name) else os.path.abspath(name)  # noqa: PTH100
    except OSError as error:
        unreadable(path, f"list: {error.strerror}")


def _list_url(url: str, unreadable: Complain) -> Iterator[Source]:
    fs, path = filesystem(url)
    is_pattern = glob.has_magic(path)
    try:
        for match in sorted(fs.glob(path)) if is_pattern else [path]:
            if fs.isdir(match):
                for name in _files(fs.walk(match), lambda folder, name: f"{folder.rstrip('/')}/{name}"):
                    # By the name alone, because opening takes a request.
                    if PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES or is_video_name(name):
                        yield Source(fs.unstrip_protocol(name), True)
            else:
                yield Source(fs.unstrip_protocol(match), is_pattern)
    except Exception as error:  # Each file system raises errors of its own.
        unreadable(url, f"{type(error).__name__}: {_first_line(error)}")


def _files(walk: Iterable[tuple[str, Any, Any]], join: Callable[[str, str], str]) -> Iterator[str]:
    for folder, folders, names in walk:
        # Changing the folders in place steers the walk. fsspec hands them over as dictionaries or as lists.
        hidden = [name for name in folders if name.startswith(".")]
        for name in hidden:
            folders.pop(name) if isinstance(folders, dict) else folders.remove(name)
        if isinstance(folders, list):
            folders.sort()
        for name in sorted(names):
            if not name.startswith("."):
                yield join(folder, name)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0]
