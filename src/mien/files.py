"""Files that are written whole or not at all."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TypeVar

from mien.errors import OptionError, VideoError

_COMMON, _BROADCAST = ("mp4", "m4v", "mov", "mkv", "webm", "avi", "wmv", "3gp"), ("ts", "mts", "m2ts", "mxf")
_OLDER = ("mpg", "mpeg", "m2v", "vob", "flv", "ogv")
VIDEO_FILES = frozenset(f".{kind}" for kind in (*_COMMON, *_BROADCAST, *_OLDER))
"""Suffixes by which videos are known in folders and dialogs; a file that is named may have any."""

_F = TypeVar("_F", bound="AtomicFile")


def is_video(path: Path) -> bool:
    """Whether a file is a video by its name."""
    return path.suffix.lower() in VIDEO_FILES


def begin_file(path: Path) -> Path:
    """Prepare to write a file: make its folder and an empty file beside it, to be renamed when it is complete.

    Args:
        path: The file to write in the end.

    Returns:
        The file to write for now.

    Raises:
        OptionError: If the place cannot be written to.
    """
    partial = path.with_name(f".{path.name}.partial")
    if path.is_dir():
        raise OptionError(f"{path}: is a folder, expected the name of a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(b"")
    except OSError as error:
        raise OptionError(f"{path}: cannot be written: {error.strerror}; name another place") from error
    return partial


class AtomicFile:
    """Base of what writes a file bit by bit: a context manager.

    The file appears under its name when the block ends, also if it was cut short by ``KeyboardInterrupt``; if it ends
    by another error there is no file.

    Args:
        path: The file.

    Raises:
        OptionError: If the place cannot be written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._partial = begin_file(path)

    def __enter__(self: _F) -> _F:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        complete = kind is None or issubclass(kind, KeyboardInterrupt)
        try:
            self._finish(complete)
            if complete:
                self._partial.replace(self.path)
        except OSError as failure:
            # What went wrong first is what there is to say.
            if complete:
                raise not_written(self.path, failure) from failure
        finally:
            self._partial.unlink(missing_ok=True)

    def _finish(self, complete: bool) -> None:
        """Write what is left to write, unless the file is not wanted any more, and close it."""
        raise NotImplementedError


def not_written(path: Path, error: Exception) -> VideoError:
    """What to raise where writing failed, for example because the disk is full.

    Args:
        path: The file the user named; errors themselves name the temporary one.
        error: What was raised.
    """
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return VideoError(f"{path}: cannot be written: {reason.splitlines()[0]}")


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file under a temporary name, then rename it, so that nobody ever reads half of it.

    Raises:
        OSError: If it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
