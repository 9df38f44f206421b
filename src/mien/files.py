"""Files that are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

from mien.errors import OptionError


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
