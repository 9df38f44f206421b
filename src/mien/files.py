"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from mien.errors import OptionError, OutputError

_COMMON, _BROADCAST = ("mp4", "m4v", "mov", "mkv", "webm", "avi", "wmv", "3gp"), ("ts", "mts", "m2ts", "mxf")
_OLDER = ("mpg", "mpeg", "m2v", "vob", "flv", "ogv")
VIDEO_FILES = frozenset(f".{kind}" for kind in (*_COMMON, *_BROADCAST, *_OLDER))
"""Suffixes by which videos are known in folders and dialogs; a file that is named may have any."""

_F = TypeVar("_F", bound="AtomicFile")


def is_video(path: Path) -> bool:
    """Whether a file is a video by its name."""
    return path.suffix.lower() in VIDEO_FILES


def is_special(path: str | os.PathLike[str]) -> bool:
    """Whether this is a named pipe, a device or a socket, which may never end; folders are searched without them."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


class AtomicFile:
    """Base of what writes a file bit by bit: a context manager.

    What is written goes to a file of its own beside the target, which takes the target's name when the block ends,
    also if it was cut short by ``KeyboardInterrupt``; if it ends by another error there is no file. Two writers of one
    target never mix: the last to finish wins.

    Args:
        path: The file.

    Raises:
        OptionError: If the place cannot be written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._partial = _begin(path)

    def __enter__(self: _F) -> _F:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(complete=kind is None or issubclass(kind, KeyboardInterrupt), whole=kind is None)

    def close(self) -> None:
        """Complete the file, as leaving the block does."""
        self._end(complete=True, whole=True)

    def _end(self, complete: bool, whole: bool) -> None:
        try:
            self._finish(complete, whole)
            if complete and self._partial.exists():
                self._partial.replace(self.path)
        except OSError as failure:
            # What went wrong first is what there is to say.
            if complete:
                raise not_written(self.path, failure) from failure
        finally:
            self._partial.unlink(missing_ok=True)

    def _finish(self, complete: bool, whole: bool) -> None:
        """Write what is left to write and close the file.

        Args:
            complete: Whether the file is wanted; if not, it only needs closing.
            whole: Whether everything was written that was to be, rather than cut short.
        """
        raise NotImplementedError

    def _discard(self) -> None:
        """There is nothing to keep: leave no file."""
        self._partial.unlink(missing_ok=True)


def check_writable(path: Path) -> None:
    """Find out before any work whether a file can be written, leaving it as it is.

    Raises:
        OptionError: If the place cannot be written to.
    """
    with _unmade(path.parent):
        _begin(path).unlink()


def check_folder(folder: Path) -> None:
    """Find out before any work whether files can be written to a folder, leaving everything as it is.

    Raises:
        OSError: If they cannot.
    """
    with _unmade(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass


@contextmanager
def _unmade(folder: Path) -> Iterator[None]:
    """Take a folder away again that was only made to see whether it can be."""
    made = [one for one in (folder, *folder.parents) if not os.path.exists(one)]  # noqa: PTH110 - names may be too long
    try:
        yield
    finally:
        for one in made:
            with suppress(OSError):
                one.rmdir()


def _begin(path: Path) -> Path:
    """Make a file's folder, and an empty file beside it to be renamed when it is complete."""
    if path.is_dir():
        raise OptionError("is a folder, expected the name of a file", path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _new_partial(path)
    except OSError as error:
        raise OptionError(f"cannot be written: {error.strerror}; name another place", path) from error


def _new_partial(path: Path) -> Path:
    # The suffix stays, because writers tell formats by it. Names of 255 bytes, which may be a third as many characters,
    # leave no room for more.
    start = os.fsencode(path.stem)[:100].decode(errors="ignore")
    handle, name = tempfile.mkstemp(prefix=f".{start}.", suffix=f".partial{path.suffix}", dir=path.parent)
    # mkstemp makes files for their owner alone; what is written for people has the usual rights.
    mask = os.umask(0)
    os.umask(mask)
    os.close(handle)
    Path(name).chmod(0o666 & ~mask)
    return Path(name)


def not_written(path: Path, error: Exception) -> OutputError:
    """What to raise where writing failed, for example because the disk is full.

    Args:
        path: The file the user named; errors themselves name the temporary one.
        error: What was raised.
    """
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return OutputError(f"cannot be written: {reason.splitlines()[0]}", path)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file under a temporary name, then rename it, so that nothing ever reads half of it.

    Raises:
        OutputError: If it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = _new_partial(path)
        try:
            partial.write_bytes(content.encode() if isinstance(content, str) else content)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise not_written(path, error) from error
