"""PyAV, opened the same way everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mien.errors import MissingExtraError, VideoError

try:
    import av
    from av.video.reformatter import ColorRange, Colorspace
except ImportError as error:
    raise MissingExtraError("reading videos", "video") from error

if TYPE_CHECKING:
    from av.container import InputContainer

__all__ = ["ColorRange", "Colorspace", "av", "open_input"]


def open_input(path: Path) -> InputContainer:
    """Open a video file for reading.

    Raises:
        VideoError: If it cannot be opened or is no video; the message says why.
    """
    if path.is_dir():
        raise VideoError(f"{path}: is a folder, expected a video")
    if path.is_file() and not path.stat().st_size:
        raise VideoError(f"{path}: is empty (0 bytes)")
    try:
        # The prefix and the list keep names such as "http://..." and playlists from reaching out to the network.
        return av.open(f"file:{path}", options={"protocol_whitelist": "file"})
    except FileNotFoundError:
        raise VideoError(f"{path}: no such file") from None
    except PermissionError:
        raise VideoError(f"{path}: cannot be opened: permission denied") from None
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise VideoError(f"{path}: is not a video in a known format, or breaks off before its index") from error
