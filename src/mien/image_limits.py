"""What one picture may cost: limits that are checked before it is decoded.

Pillow holds a color picture in 4 bytes a pixel and mien's frame takes 3: within these 7 most formats are decoded. Some
decoders need more; of their formats fewer pixels are read, so that no picture takes more than 7 bytes times the limit
of pixels. ``benchmarks/picture_memory.py`` measures them all.
"""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from mien.errors import ImageError

_USUAL = 7
_COSTS = {"WEBP": 18, "JPEG2000": 20, "AVIF": 12}
_PROGRESSIVE = 10
"""Bytes a pixel while it is decoded, as measured; a progressive JPEG is kept as coefficients until its last scan."""

_NAMES = {"JPEG2000": "JPEG 2000", "WEBP": "WebP"}

_MAX_SCANS = 100
"""A progressive JPEG of cameras and programs has about ten; each one passes over the whole picture again."""

_MAX_TEXT = 8_000_000
"""Bytes of a PPM, PGM or PBM that is written as text, which Pillow reads number by number, 2 MB a second."""


def pixel_limit(image: Image.Image, max_pixels: int) -> int:
    """How many pixels a picture of this kind may have, so that it takes no more memory than others of ``max_pixels``.

    Args:
        image: A picture whose head was read.
        max_pixels: The limit for the usual formats.
    """
    cost = _PROGRESSIVE if image.info.get("progressive") else _COSTS.get(image.format or "", _USUAL)
    return max_pixels * _USUAL // cost


def check_size(image: Image.Image, name: str | None, max_pixels: int) -> None:
    """Refuse a picture that has no pixels, or more than its kind may have.

    Raises:
        ImageError: It says which limit is in force.
    """
    limit, kind = pixel_limit(image, max_pixels), ""
    if limit < max_pixels:
        name_of_kind = _NAMES.get(image.format or "", image.format)
        kind = f" for {'progressive JPEG' if image.info.get('progressive') else name_of_kind}"
    check_pixels(*image.size, name, limit, kind)


def check_pixels(width: int, height: int, name: str | None, limit: int, kind: str = "") -> None:
    """Refuse a size that is nothing, or too large.

    Args:
        width: In pixels.
        height: In pixels.
        name: What the picture is called.
        limit: Pixels that are allowed.
        kind: Words to follow the limit, with a blank before them.

    Raises:
        ImageError: It names the limit.
    """
    if not width or not height:
        raise ImageError(f"has no pixels ({width}x{height})", name)
    if width * height > limit:
        megapixels = f"{limit / 1e6:.3g}" if limit >= 10**6 else f"{limit / 1e6:g}"
        reason = f"has {width}x{height} pixels, more than the limit of {megapixels} megapixels{kind}; shrink it first"
        raise ImageError(reason, name)


def check_work(image: Image.Image, stream: BytesIO, name: str) -> None:
    """Refuse a file that is small but takes very long to decode.

    Args:
        image: Its head.
        stream: The file.
        name: What it is called.

    Raises:
        ImageError: It says what there is too much of.
    """
    if image.info.get("progressive"):
        # Within the data of a scan a byte of 255 is always followed by 0, so this finds their heads alone.
        scans = stream.getvalue().count(b"\xff\xda")
        if scans > _MAX_SCANS:
            raise ImageError(f"is a JPEG of {scans} scans (limit {_MAX_SCANS}); save it again", name)
    if image.format == "PPM" and stream.getvalue()[:2] in (b"P1", b"P2", b"P3"):
        size = stream.getbuffer().nbytes
        if size > _MAX_TEXT:
            limit = f"{_MAX_TEXT // 10**6} MB"
            raise ImageError(
                f"is a picture of {size / 1e6:.0f} MB written as text (limit {limit}); save it as PNG", name
            )


def bare_png(content: bytes) -> bytes:
    """A PNG without what is said about the picture: only its size, palette, transparency and pixels.

    Pillow refuses a whole picture for a damaged note about it; other programs pass over such notes.

    Args:
        content: A file that may be a PNG.

    Returns:
        The shorter file; empty if this is not a PNG, or says nothing more.
    """
    if content[:8] != b"\x89PNG\r\n\x1a\n":
        return b""
    parts, place = [content[:8]], 8
    while place + 12 <= len(content):
        size = int.from_bytes(content[place : place + 4], "big")
        kind = content[place + 4 : place + 8]
        # Of a transparent color fewer bytes than two cannot be meant.
        if kind in (b"IHDR", b"PLTE", b"IDAT", b"IEND") or (kind == b"tRNS" and size > 1):
            parts.append(content[place : place + 12 + size])
        place += 12 + size
    bare = b"".join(parts)
    return bare if len(bare) < len(content) else b""
