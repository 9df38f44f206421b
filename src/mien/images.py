"""Pictures in, frames out: the only place that knows file formats and color order."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from io import BytesIO, TextIOBase
from numbers import Integral
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from mien.arguments import expect
from mien.copies import mark_as_copy
from mien.detection.base import Frame
from mien.errors import ImageError, OptionError
from mien.files import write_whole
from mien.image_limits import bare_png, check_pixels, check_size, check_work
from mien.options import MAX_PIXELS

ImageSource: TypeAlias = (
    "str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | NDArray[np.generic] | Image.Image"
)
"""A path, an encoded file as bytes, a binary file object, an array or a PIL image; see `read_image`."""

ImageSources: TypeAlias = "ImageSource | Iterable[ImageSource]"
"""One picture, or several; several may be one array, (N, H, W) or (N, H, W, C)."""

# What Pillow decodes by itself. It knows more formats, some of which start other programs, and no one's photos are in.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM")

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff"}
    | {".avif", ".jp2", ".ppm", ".pgm", ".pbm", ".pnm"}
    # These need the extra heic; without it their owners must hear of it.
    | {".heic", ".heif"}
)
"""Suffixes, in lower case, of the files that are taken for pictures."""

# A larger file does not hold a picture within the limit of pixels, whatever its format.
_MAX_BYTES = 8 * MAX_PIXELS

# Pictures become frames piece by piece, so that no second copy of all of them is needed.
_PIECE_PIXELS = 1 << 18

_HINTS: dict[type, str] = {
    **dict.fromkeys((list, tuple), "; mien.analyze_many reads several pictures"),
    type(None): "; cv2.imread gives None for what it cannot read",
}
_AS_TEXT = "is open as text; open it in binary mode: open(path, 'rb')"


@lru_cache(maxsize=1)
def _formats() -> tuple[str, ...]:
    """What can be read: with the extra ``heic`` the photos of iPhones, too."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return _FORMATS
    register_heif_opener()
    return (*_FORMATS, "HEIF")


def read_image(source: ImageSource, max_pixels: int = MAX_PIXELS) -> Frame:
    """Read a picture as a person sees it: turned by its EXIF tag, without alpha, in 8 bits.

    Args:
        source: A path, an encoded file as bytes or as a binary file object, a PIL image, or an array as OpenCV has
            it: uint8 or uint16, (H, W), (H, W, 1), (H, W, 3) in blue, green, red, or (H, W, 4) with alpha. Of an
            animation the first frame is read. What is transparent is laid on white.
        max_pixels: Pictures with more are refused before decoding; of formats that take more memory to decode, fewer
            are allowed.

    Returns:
        uint8 (H, W, 3), blue, green, red; an array that is so already, itself.

    Raises:
        ImageError: If it cannot be read; the message says why.
    """
    expect(Integral, max_pixels=max_pixels)
    if isinstance(source, np.ndarray):
        return _from_array(source, max_pixels)
    if isinstance(source, Image.Image):
        with _refusals("picture", max_pixels):
            return _from_pil(source, "picture", max_pixels)
    if isinstance(source, TextIOBase):
        raise ImageError(_AS_TEXT, "picture")
    if hasattr(source, "read"):
        source = _read_stream(cast(BinaryIO, source))
    if isinstance(source, memoryview):
        source = source.tobytes()
    if isinstance(source, bytes | bytearray):
        name, stream = "picture", BytesIO(source)
        if not source:
            raise ImageError("is empty (0 bytes)", name)
    elif isinstance(source, str | os.PathLike):
        name = os.fspath(source)
        if "://" in name and not Path(name).exists():
            raise ImageError("URLs are not fetched: download the picture first", name)
        stream = _read_file(Path(name))
    else:
        raise ImageError(
            "expected a path, bytes, a binary file object, an array or a PIL image, "
            f"found {type(source).__name__}{_HINTS.get(type(source), '')}"
        )
    try:
        return _decode(stream, name, max_pixels)
    except ImageError:
        bare = bare_png(stream.getvalue())
        if not bare:
            raise
        return _decode(BytesIO(bare), name, max_pixels)


def each_source(sources: ImageSources) -> Iterable[ImageSource]:
    """One picture or several, as several."""
    # Many a single picture can be iterated over, too: letters, bytes, lines, rows of pixels.
    if isinstance(sources, np.ndarray):
        is_one = _is_picture_shape(sources.shape)
    else:
        single = (str, os.PathLike, bytes, bytearray, memoryview, Image.Image)
        is_one = isinstance(sources, single) or hasattr(sources, "read")
    if not is_one and not isinstance(sources, Iterable):
        raise ImageError(f"expected a picture or several of them, found {type(sources).__name__}")
    return [cast(ImageSource, sources)] if is_one else cast(Iterable[ImageSource], sources)


def source_name(source: ImageSource) -> str:
    """What errors and results call a picture: its path, or "picture" where it has none."""
    return os.fspath(source) if isinstance(source, str | os.PathLike) else "picture"


def is_picture(path: Path) -> bool:
    """Whether a file is a picture: by its suffix, or where it has none by its first bytes."""
    if path.suffix:
        return path.suffix.lower() in IMAGE_SUFFIXES
    try:
        with Image.open(path, formats=_formats()):
            return True
    except Exception:  # As in `_refusals`: whatever the parsers raise.
        return False


def _read_stream(stream: BinaryIO) -> bytes:
    try:
        content = stream.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # A closed file is a ValueError.
        raise ImageError(
            f"cannot be read: {' '.join(str(error).split()) or type(error).__name__}", "picture"
        ) from error
    if isinstance(content, str):
        raise ImageError(_AS_TEXT, "picture")
    if not content:
        raise ImageError("has no bytes (left); a file that was read or written needs seek(0) first", "picture")
    return content


def _read_file(path: Path) -> BytesIO:
    try:
        with path.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        raise ImageError("no such file", path) from None
    except IsADirectoryError:
        raise ImageError("is a folder, expected a picture", path) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ImageError(f"cannot be opened: {reason}", path) from error
    if not content:
        raise ImageError("is empty (0 bytes)", path)
    if len(content) > _MAX_BYTES:
        raise ImageError(f"is larger than {_MAX_BYTES / 1e9:.0f} GB, expected a picture", path)
    return BytesIO(content)


def _name_format(start: bytes) -> str:
    """What to say of a file that Pillow does not know, by its first bytes."""
    if start[4:8] == b"ftyp" and start[8:12] in (b"heic", b"heix", b"heim", b"mif1", b"msf1"):
        if "HEIF" in _formats():
            return "is a damaged HEIC picture; save it as JPEG or PNG"
        return "is a HEIC picture; run: pip install 'mien[heic]', or save it as JPEG or PNG"
    if start[4:8] == b"ftyp" and start[8:11] != b"avi":
        return "is a video, expected a picture"
    if start[:4] in (b"II*\0", b"MM\0*"):
        return "is a damaged TIFF, or one with floating-point numbers; save it with 8 or 16 bits per channel"
    return "is not a picture in a known format; save it as JPEG or PNG"


def _decode(stream: BytesIO, name: str, max_pixels: int) -> Frame:
    with _refusals(name, max_pixels, stream), Image.open(stream, formats=_formats()) as image:
        check_size(image, name, max_pixels)
        check_work(image, stream, name)
        return _from_pil(image, name, max_pixels)


@contextmanager
def _refusals(name: str, max_pixels: int, stream: BytesIO | None = None) -> Iterator[None]:
    """Turn what Pillow raises into one clear line."""
    try:
        yield
    except ImageError:
        raise
    except UnidentifiedImageError:
        raise ImageError(f"{_name_format(stream.getvalue()[:12] if stream else b'')}", name) from None
    except Image.DecompressionBombError:
        limit = f"{max_pixels / 1e6:g} megapixels"
        raise ImageError(f"has more pixels than the limit of {limit}; shrink it first", name) from None
    except MemoryError:
        raise ImageError("is too large for the memory of this machine", name) from None
    except Exception as error:  # Pillow's plugins raise whatever their parsers raise on damaged files.
        raise ImageError(
            "is damaged or incomplete, or of a rare kind; if another program shows it, save it as JPEG or PNG", name
        ) from error


def _from_pil(image: Image.Image, name: str, max_pixels: int) -> Frame:
    check_pixels(*image.size, name, max_pixels)
    image.load()
    if image.mode == "F":
        raise ImageError("holds floating-point numbers; save it with 8 or 16 bits per channel", name)
    width, height = image.size
    orientation = _orientation(image)
    frame = np.empty((width, height, 3) if orientation > 4 else (height, width, 3), np.uint8)
    unturned = _unturn(frame, orientation)
    rows = max(1, _PIECE_PIXELS // width)
    for top in range(0, height, rows):
        piece = image.crop((0, top, width, min(height, top + rows)))
        unturned[top : top + rows] = np.asarray(_to_rgb(piece))[:, :, ::-1]
    return frame


def _to_rgb(image: Image.Image) -> Image.Image:
    """In 8 bits, and what is transparent laid on white."""
    if image.mode.startswith("I"):
        # 16-bit gray comes as I;16 or, from older files, as 32-bit numbers.
        image = Image.fromarray((np.asarray(image).clip(0, 65535) // 257).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        overlay = image.convert("RGBA")
        image = Image.new("RGBA", overlay.size, "white")
        image.alpha_composite(overlay)
    return image.convert("RGB")


def _orientation(image: Image.Image) -> int:
    """How the camera was held, 1..8 as EXIF counts; 1 where it says nothing that can be understood."""
    try:
        value = int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # Pillow's parser of EXIF raises all kinds of errors on damaged data; the pixels are still good.
        return 1
    return value if 1 <= value <= 8 else 1


def _unturn(frame: Frame, orientation: int) -> Frame:
    """A frame in the order in which the file has its pixels: a view, by which an upright frame is filled."""
    if orientation > 4:
        frame = frame.swapaxes(0, 1)
    if orientation in (3, 4, 6, 7):
        frame = frame[::-1]
    if orientation in (2, 3, 7, 8):
        frame = frame[:, ::-1]
    return frame


def _is_picture_shape(shape: tuple[int, ...]) -> bool:
    return len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3, 4))


def _from_array(array: NDArray[np.generic], max_pixels: int) -> Frame:
    shape = array.shape
    if not _is_picture_shape(shape) or 0 in shape:
        raise ImageError(f"expected an array of shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), found {shape}")
    check_pixels(shape[1], shape[0], "array", max_pixels)
    if array.dtype.newbyteorder("=") not in (np.uint8, np.uint16):
        advice = "bring it to 0..255 and convert it: array.astype('uint8')"
        raise ImageError(f"expected an array of uint8 or uint16, found {array.dtype}; {advice}")
    if array.dtype == np.uint8 and array.ndim == 3 and shape[2] == 3:
        return np.ascontiguousarray(array, dtype=np.uint8)
    frame = np.empty((*shape[:2], 3), np.uint8)
    rows = max(1, _PIECE_PIXELS // shape[1])
    for top in range(0, shape[0], rows):
        frame[top : top + rows] = _to_bgr(array[top : top + rows])
    return frame


def _to_bgr(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """In 8 bits, with a third axis, and what is transparent laid on white."""
    if array.dtype == np.uint16:
        array = (array // 257).astype(np.uint8)
    if array.ndim == 2:
        return array[:, :, None]
    if array.shape[2] == 4:
        colors, alpha = array[:, :, :3].astype(np.uint16), array[:, :, 3:].astype(np.uint16)
        return (colors * alpha + 255 * (255 - alpha)) // 255
    return array


def write_image(frame: Frame, path: Path) -> None:
    """Write a frame as a picture, in the format that the suffix names; whole or not at all.

    Raises:
        OptionError: If the suffix is unknown.
        OutputError: If the file cannot be written.
    """
    write_whole(path, encode_image(frame, path.suffix, path))


def color_profile(source: str | os.PathLike[str] | bytes) -> bytes:
    """The ICC profile of a picture, a path or an encoded file, that says what its red, green and blue look like.

    Returns:
        Empty without one, and for profiles of gray or of printing inks, which do not suit what is read.
    """
    try:
        with Image.open(BytesIO(source) if isinstance(source, bytes) else source, formats=_formats()) as image:
            profile = image.info.get("icc_profile") or b""
    except Exception:  # As in `_refusals`; the picture itself may be good all the same.
        return b""
    return profile if profile[16:20] == b"RGB " and profile[36:40] == b"acsp" else b""


def encode_image(frame: Frame, suffix: str, path: Path | None = None, profile: bytes = b"") -> bytes:
    """A frame as an encoded picture.

    Args:
        frame: uint8 (H, W, 3) BGR.
        suffix: ``.png``, ``.jpg`` or another that OpenCV knows.
        path: What errors call it.
        profile: An ICC profile to put into a PNG or JPEG; see `color_profile`.

    Raises:
        OptionError: If the suffix is unknown.
    """
    if profile:
        # OpenCV writes no profiles.
        stream, kind = BytesIO(), "PNG" if suffix.lower() == ".png" else "JPEG"
        image = Image.fromarray(frame[:, :, ::-1])
        image.save(stream, kind, icc_profile=profile, quality=95, compress_level=1)
        return stream.getvalue()
    try:
        done, encoded = cv2.imencode(suffix, frame)
    except cv2.error:
        done = False
    if not done:
        raise OptionError(f"unknown picture format {suffix!r}; use .jpg or .png", path)
    return encoded.tobytes()


def write_copy(frame: Frame, path: Path, profile: bytes = b"") -> None:
    """As `write_image`, for an annotated copy of a photo, which is marked as one; see `mien.copies`.

    Args:
        frame: uint8 (H, W, 3) BGR.
        path: With a suffix of PNG or JPEG.
        profile: Color profile of the photo, see `color_profile`.
    """
    write_whole(path, mark_as_copy(encode_image(frame, path.suffix, path, profile)))
