"""PyAV, opened the same way everywhere."""

from __future__ import annotations

import io
import os
from codecs import getincrementaldecoder
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from mien.errors import MissingExtraError, VideoError

try:
    import av
    from av.video.reformatter import ColorRange, Colorspace
except ImportError as error:
    raise MissingExtraError("reading videos", "video") from error

if TYPE_CHECKING:
    from av.container import InputContainer

__all__ = ["ColorRange", "Colorspace", "VideoSource", "av", "open_input", "video_name"]

# The prefix "file:" and these lists keep addresses and playlists from reaching out to the network or to other files:
# FFmpeg's formats that are lists of files (HLS, DASH, concat) are not among them. Pictures and sound are, so that they
# can be called by their names.
_VIDEO = "mov,mp4,m4a,3gp,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,ogg,asf,gif,mxf,nut,h264,hevc,m4v,ivf,obu,dv,wtv"
_OTHER = "image2,png_pipe,jpeg_pipe,bmp_pipe,webp_pipe,tiff_pipe,gif_pipe,wav,mp3,aac,flac"
_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": f"{_VIDEO},{_OTHER}"}

VideoSource: TypeAlias = "str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO"
"""A path, an encoded file as bytes, or a binary file object that can seek."""


def video_name(source: VideoSource) -> str:
    """What errors and results call a video: its path, or "video" where it has none."""
    return os.fspath(source) if isinstance(source, str | os.PathLike) else "video"


def open_input(source: VideoSource) -> InputContainer:
    """Open a video for reading. One file object may be open several times at once.

    Raises:
        VideoError: If it cannot be opened or is not a video; the message says why.
    """
    name = video_name(source)
    path = Path(source) if isinstance(source, str | os.PathLike) else None
    if path is not None and path.is_dir():
        raise VideoError("is a folder, expected a video", name)
    in_memory = isinstance(source, bytes | bytearray | memoryview)
    if (path is not None and path.is_file() and not path.stat().st_size) or (in_memory and not source):
        raise VideoError("is empty (0 bytes)", name)
    if path is not None and "://" in name and not path.exists():
        raise VideoError("URLs are not fetched: download the video first", name)
    file = f"file:{path}" if path is not None else _view(source)
    found = _listing(_head(path, file))
    if found is not None:
        raise VideoError(f"is {found}, expected a video file", name)
    try:
        container: InputContainer = av.open(file, "r", options=_OPTIONS)
        return container
    except FileNotFoundError:
        raise VideoError("no such file", name) from None
    except PermissionError:
        raise VideoError("cannot be opened: permission denied", name) from None
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise VideoError("is not a video in a known format, or breaks off before its index", name) from error


_HEAD = 4096


def _head(path: Path | None, file: str | io.IOBase) -> bytes:
    """The beginning of a file; nothing where it cannot be read, which opening it reports."""
    if isinstance(file, io.IOBase):
        head: bytes = file.read(_HEAD)
        file.seek(0)
        return head
    # A named pipe would wait for its writer.
    if path is None or not path.is_file():
        return b""
    try:
        with path.open("rb") as opened:
            return opened.read(_HEAD)
    except OSError:
        return b""


def _listing(head: bytes) -> str | None:
    """What a file is, by its beginning, that names other files or holds text instead of pictures; None if neither."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"#EXTM3U"):
        return "a playlist (HLS)"
    if start.startswith(b"<") and b"<MPD" in start:
        return "a playlist (DASH)"
    if start.startswith(b"ffconcat version"):
        return "a list of files (concat)"
    # Control characters but those that set text. The head may end in the middle of a character.
    if not head or any(byte < 32 and byte not in b"\t\n\v\f\r" for byte in head):
        return None
    try:
        getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return None
    return "a text file"


_ONE_AT_A_TIME = Lock()


class _View(io.RawIOBase):
    """A file object seen from a place of its own, so that several containers can read it in turns."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._place = file, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        with _ONE_AT_A_TIME:
            if whence == io.SEEK_CUR:
                offset += self._place
            elif whence == io.SEEK_END:
                offset += self._file.seek(0, io.SEEK_END)
        self._place = offset
        return self._place

    def tell(self) -> int:
        return self._place

    def read(self, size: int = -1) -> bytes:
        with _ONE_AT_A_TIME:
            self._file.seek(self._place)
            content = self._file.read(size)
            self._place = self._file.tell()
        return content


def _view(source: object) -> io.IOBase:
    if isinstance(source, bytes | bytearray | memoryview):
        return io.BytesIO(source)
    if isinstance(source, io.TextIOBase):
        raise VideoError("is open as text; open it in binary mode: open(path, 'rb')", "video")
    if hasattr(source, "read") and hasattr(source, "seek"):
        return _View(source)  # type: ignore[arg-type]
    raise VideoError(f"expected a path, bytes or a binary file object, found {type(source).__name__}")
