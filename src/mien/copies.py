"""Annotated copies of photos carry a mark, so that the next search of their folder does not take them for photos.

The mark is a comment inside the file: it stays with a copy that is renamed or moved, needs no list beside it, and no
photo has it by chance. Programs that keep comments keep it, too.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

_MARK = b"mien: annotated copy of a photo"
# Comments come before the pixels; what may stand before them, color profiles for example, is rarely longer.
_HEAD = 1 << 16


def mark_as_copy(picture: bytes) -> bytes:
    """An encoded JPEG or PNG with the mark; other formats as they are."""
    if picture.startswith(b"\xff\xd8"):
        # A comment segment right after the start of the image.
        return picture[:2] + b"\xff\xfe" + struct.pack(">H", len(_MARK) + 2) + _MARK + picture[2:]
    if picture.startswith(b"\x89PNG\r\n\x1a\n"):
        # A text chunk after the header, which is 25 bytes long.
        chunk = b"tEXtComment\0" + _MARK
        length, check = struct.pack(">I", len(chunk) - 4), struct.pack(">I", zlib.crc32(chunk))
        return picture[:33] + length + chunk + check + picture[33:]
    return picture


def is_copy(path: Path) -> bool:
    """Whether a file carries the mark; what cannot be opened does not."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return _MARK in file.read(_HEAD)
    except OSError:
        return False
