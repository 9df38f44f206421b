"""Whether a file is one that ``mien video`` wrote: only such are taken for finished, or replaced, by ``--resume``."""

from __future__ import annotations

from pathlib import Path

from mien.errors import OptionError, VideoError

# The marks of pages and documents stand in their heads.
_HEAD = 1 << 12
_PAGE, _DOCUMENT = b'<meta name="generator" content="mien ', b'AUTHOR="mien"'


def was_written_for(video: Path, option: str, path: Path) -> bool:
    """Whether a file is what ``mien video`` writes for an option and a video, as far as the file tells.

    Videos, pictures, and tables of frames but ``.jsonl`` do not say which video they are of.

    Args:
        video: The video.
        option: The option that asks for the file, ``--table``.
        path: The file, which exists.

    Raises:
        OptionError: If it is to be a table, and the format is unknown.
        MissingExtraError: If its format needs a package that is not installed.
    """
    from mien.video.timeline import DRAWN

    try:
        if option == "--out":
            return _is_written_video(path)
        if option == "--timeline":
            return DRAWN in path.read_bytes()
        if option == "--report":
            return _PAGE in _head(path)
        if option == "--episodes" and path.suffix.lower() == ".eaf":
            return _DOCUMENT in _head(path)
    except OSError:
        return False
    return _is_table(video, option, path)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD)


def _is_written_video(path: Path) -> bool:
    from mien.video.backend import open_input
    from mien.video.writer import WRITTEN

    try:
        with open_input(path) as container:
            return WRITTEN in container.metadata.values()
    except VideoError:
        return False


def _is_table(video: Path, option: str, path: Path) -> bool:
    from mien.tables import FRAMES, TABLE_SUFFIXES, printable, read_head
    from mien.video.episodes import EPISODE_COLUMNS, check_suffix
    from mien.video.summary import SUMMARY_COLUMNS

    suffix = path.suffix.lower()
    check_suffix(path, TABLE_SUFFIXES, option)
    try:
        columns, row = read_head(path)
    except OptionError:
        return False
    name = row.get("source" if suffix == ".jsonl" else "video")
    # The next time the folder may be named otherwise.
    if name is not None and Path(str(name)).name != printable(video.name):
        return False
    if suffix == ".jsonl":
        return columns[:3] == ["source", "frame", "time_s"]
    if suffix == ".json" and not columns:
        return True
    expected = {"--table": FRAMES.columns, "--summary": SUMMARY_COLUMNS, "--episodes": EPISODE_COLUMNS}[option]
    return [column for column in columns if column != "participant"] == list(expected)
