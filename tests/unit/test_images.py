from __future__ import annotations

import io
import struct
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from mien import images
from mien.errors import ImageError, OptionError, OutputError
from mien.images import read_image, write_image
from mien.options import MAX_PIXELS

RED, GREEN, BLUE = (200, 10, 20), (10, 200, 30), (5, 15, 210)


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def solid(mode: str, color: object, size: tuple[int, int] = (6, 4)) -> Image.Image:
    return Image.new(mode, size, color)


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size without having the pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_channels_are_blue_green_red() -> None:
    frame = read_image(encode(solid("RGB", RED), "PNG"))
    assert frame.shape == (4, 6, 3)
    assert frame.dtype == np.uint8
    assert frame[0, 0].tolist() == list(RED[::-1])


def test_all_sources_give_the_same_frame(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    image = Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8))
    content = encode(image, "PNG")
    path = tmp_path / "ünïcode 写真.png"
    path.write_bytes(content)
    expected = np.asarray(image)[:, :, ::-1]
    for source in (path, str(path), content, bytearray(content), image, expected):
        np.testing.assert_array_equal(read_image(source), expected)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("image", "kind", "expected"),
    [
        pytest.param(solid("L", 77), "PNG", (77, 77, 77), id="gray"),
        pytest.param(solid("1", 1), "PNG", (255, 255, 255), id="black-and-white"),
        pytest.param(solid("RGB", BLUE).convert("P"), "PNG", None, id="palette"),
        pytest.param(solid("RGBA", (*GREEN, 255)), "PNG", GREEN, id="opaque alpha"),
        pytest.param(solid("RGBA", (*GREEN, 0)), "PNG", (255, 255, 255), id="transparent is laid on white"),
        pytest.param(solid("LA", (100, 255)), "PNG", (100, 100, 100), id="gray with alpha"),
        pytest.param(solid("I;16", 257 * 90), "PNG", (90, 90, 90), id="16 bit"),
        pytest.param(solid("CMYK", (0, 255, 0, 0)), "TIFF", (255, 0, 255), id="CMYK TIFF"),
        pytest.param(solid("RGB", RED), "AVIF", None, id="AVIF"),
        pytest.param(solid("RGB", RED), "JPEG2000", RED, id="JPEG 2000"),
        pytest.param(solid("RGB", RED), "PPM", RED, id="PPM"),
        pytest.param(solid("CMYK", (0, 0, 0, 0)), "JPEG", (255, 255, 255), id="CMYK"),
        pytest.param(solid("RGB", RED), "WEBP", None, id="WebP"),
        pytest.param(solid("RGB", RED), "BMP", RED, id="BMP"),
        pytest.param(solid("RGB", RED), "TIFF", RED, id="TIFF"),
        pytest.param(solid("RGB", RED, (1, 1)), "PNG", RED, id="1x1"),
    ],
)
def test_kinds_of_pictures(image: Image.Image, kind: str, expected: tuple[int, int, int] | None) -> None:
    frame = read_image(encode(image, kind))
    assert frame.shape == (image.height, image.width, 3)
    wanted = np.array(expected if expected else image.convert("RGB").getpixel((0, 0)))
    assert np.abs(frame[0, 0, ::-1].astype(int) - wanted).max() <= (0 if expected and kind != "JPEG" else 6)


def test_exif_turns_the_picture() -> None:
    image = solid("RGB", RED, (8, 2))
    image.putpixel((0, 0), BLUE)
    exif = Image.Exif()
    exif[0x0112] = 6  # To be turned clockwise by 90 degrees: the first pixel comes to the top right.
    frame = read_image(encode(image, "PNG", exif=exif))
    assert frame.shape == (8, 2, 3)
    assert frame[0, 1].tolist() == list(BLUE[::-1])


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_per_channel(suffix: str) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (8, 9, 3)).astype(np.uint16)
    np.testing.assert_array_equal(read_image(cv2.imencode(suffix, pixels * 257)[1].tobytes()), pixels)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_first_frame_of_an_animation(kind: str) -> None:
    frames = [solid("RGB", color, (16, 16)) for color in (RED, GREEN)]
    content = encode(frames[0], kind, save_all=True, append_images=frames[1:])
    assert np.abs(read_image(content)[8, 8, ::-1].astype(int) - RED).max() <= 8


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        pytest.param(np.full((2, 3), 9, np.uint8), (9, 9, 9), id="gray"),
        pytest.param(np.full((2, 3, 1), 9, np.uint8), (9, 9, 9), id="one channel"),
        pytest.param(np.full((2, 3, 3), (1, 2, 3), np.uint8), (1, 2, 3), id="color"),
        pytest.param(np.full((2, 3, 4), (1, 2, 3, 0), np.uint8), (255, 255, 255), id="transparent"),
        pytest.param(np.full((2, 3), 65535, np.uint16), (255, 255, 255), id="16 bit"),
        pytest.param(np.full((4, 6, 3), 7, np.uint8)[::2, ::2], (7, 7, 7), id="not contiguous"),
    ],
)
def test_arrays(array: np.ndarray, expected: tuple[int, int, int]) -> None:
    frame = read_image(array)
    assert frame.shape == (2, 3, 3)
    assert frame.flags.c_contiguous
    assert frame[0, 0].tolist() == list(expected)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        pytest.param(b"", "is empty", id="no bytes"),
        pytest.param(b"hello, I am no picture", "not a picture", id="text"),
        pytest.param(encode(Image.effect_noise((64, 64), 50), "JPEG")[:700], "damaged or incomplete", id="cut JPEG"),
        pytest.param(encode(Image.effect_noise((64, 64), 50), "PNG")[:900], "damaged or incomplete", id="cut PNG"),
        pytest.param(np.zeros((2, 2), np.float32), "uint8 or uint16, found float32", id="float array"),
        pytest.param(np.zeros((2, 2, 5), np.uint8), "found (2, 2, 5)", id="five channels"),
        pytest.param(np.zeros((0, 4, 3), np.uint8), "found (0, 4, 3)", id="empty array"),
        pytest.param(42, "found int", id="number"),
        pytest.param(io.StringIO("anything"), "is open as text; open it in binary mode", id="file opened as text"),
        pytest.param("no/such/file.jpg", "no such file", id="missing"),
        pytest.param("https://example.org/a.jpg", "https://example.org/a.jpg: URLs are not fetched", id="URL"),
        pytest.param("nul\0.jpg", "cannot be opened", id="impossible name"),
        pytest.param(Path(), "is a folder", id="folder"),
        pytest.param(png_header(30_000, 30_000), "128 megapixels", id="bomb"),
        pytest.param(png_header(12_000, 12_000), "128 megapixels", id="bomb below Pillow's limit"),
        pytest.param(encode(solid("F", 0.5), "TIFF"), "holds floating-point numbers; save it with", id="float TIFF"),
        pytest.param(
            cv2.imencode(".tif", np.zeros((9, 9, 3), np.float32))[1].tobytes(),
            "is a damaged TIFF, or one with floating-point numbers; save it with 8",
            id="float color TIFF",
        ),
        pytest.param(b"\0\0\0\x18ftypmp42" + bytes(99), "is a video, expected a picture", id="video"),
        pytest.param(b"%!PS-Adobe-3.0 EPSF-3.0", "not a picture in a known format; save it as", id="runs a program"),
    ],
)
def test_refusals_are_one_clear_line(source: object, message: str) -> None:
    with pytest.raises(ImageError) as caught:
        read_image(source)  # type: ignore[arg-type]
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_heic_needs_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    images._formats.cache_clear()
    try:
        with pytest.raises(ImageError, match=r"is a HEIC picture; run: pip install 'mien\[heic\]'"):
            read_image(b"\0\0\0\x18ftypheic" + bytes(99))
    finally:
        images._formats.cache_clear()


def test_heic_is_read_with_its_extra(astronaut: NDArray[np.uint8], tmp_path: Path) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    path = tmp_path / "phone.heic"
    pillow_heif.from_pillow(Image.fromarray(astronaut[:, :, ::-1])).save(path, quality=95)
    for source in (path, path.read_bytes()):
        difference = read_image(source).astype(int) - astronaut
        assert np.abs(difference).mean() < 4
    with pytest.raises(ImageError, match="is a damaged HEIC picture|is damaged or incomplete"):
        read_image(path.read_bytes()[:900])


def test_endless_files_are_not_read_to_their_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien.images._MAX_BYTES", 2000)
    (tmp_path / "long.jpg").write_bytes(bytes(2001))
    with pytest.raises(ImageError, match="is larger than"):
        read_image(tmp_path / "long.jpg")


def test_pixel_limit_is_exact() -> None:
    content = encode(solid("RGB", RED, (10, 10)), "PNG")
    assert read_image(content, max_pixels=100).shape == (10, 10, 3)
    with pytest.raises(ImageError, match="10x10 pixels, more than the limit"):
        read_image(content, max_pixels=99)
    assert MAX_PIXELS < 30_000 * 30_000


def test_write_image_round_trip_and_no_leftovers(tmp_path: Path) -> None:
    frame = np.random.default_rng(2).integers(0, 256, (5, 7, 3), np.uint8)
    write_image(frame, tmp_path / "new" / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "new" / "a.png"), frame)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.png"]


def test_write_image_refuses_unknown_formats_and_keeps_what_is_there(tmp_path: Path) -> None:
    frame = np.zeros((2, 2, 3), np.uint8)
    with pytest.raises(OptionError, match=r"unknown picture format '\.xyz'"):
        write_image(frame, tmp_path / "a.xyz")
    (tmp_path / "file").write_text("kept")
    with pytest.raises(OutputError, match="cannot be written"):
        write_image(frame, tmp_path / "file" / "a.png")
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_as_pillow_turns_it(orientation: int) -> None:
    image = Image.fromarray(np.random.default_rng(1).integers(0, 256, (7, 5, 3), np.uint8))
    exif = Image.Exif()
    exif[274] = orientation
    content = encode(image, "PNG", exif=exif)
    with Image.open(io.BytesIO(content)) as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened))[:, :, ::-1]
    np.testing.assert_array_equal(read_image(content), expected)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "I;16"])
def test_pieces_do_not_show(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(1).integers(0, 256, (50, 30, 4), np.uint8)
    image = Image.fromarray(values).convert("L" if mode == "I;16" else mode)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
    whole = read_image(encode(image, "PNG"))
    monkeypatch.setattr("mien.images._PIECE_PIXELS", 7 * 30)
    np.testing.assert_array_equal(read_image(encode(image, "PNG")), whole)


def chunk(kind: bytes, body: bytes, checksum: int | None = None) -> bytes:
    end = zlib.crc32(kind + body) if checksum is None else checksum
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", end)


@pytest.mark.parametrize(
    "note",
    [
        chunk(b"tEXt", b"a\0b", checksum=1),
        chunk(b"tRNS", b"\0"),
        chunk(b"pHYs", b"\0"),
        chunk(b"cHRM", b"\0"),
        chunk(b"sRGB", b""),
        chunk(b"eXIf", b"nonsense"),
    ],
)
def test_damaged_notes_do_not_cost_the_picture(note: bytes) -> None:
    content = encode(solid("RGB", RED), "PNG")
    header = 8 + 25
    np.testing.assert_array_equal(read_image(content[:header] + note + content[header:]), read_image(content))


def test_damaged_pixels_still_do() -> None:
    content = encode(solid("RGB", RED, (60, 60)), "PNG")
    with pytest.raises(ImageError, match="damaged or incomplete"):
        read_image(content[: len(content) // 2])


def test_damaged_exif_of_a_jpeg_leaves_it_unturned() -> None:
    exif = Image.Exif()
    exif[274] = 1
    content = bytearray(encode(solid("RGB", RED), "JPEG", exif=exif))
    # The type of the tag: from a number to bytes.
    place = content.index(b"\x01\x12") + 2
    content[place : place + 2] = b"\0\x07"
    assert read_image(bytes(content)).shape == (4, 6, 3)


def test_formats_that_take_more_memory_have_a_lower_limit() -> None:
    picture = solid("RGB", RED, (10, 10))
    assert read_image(encode(picture, "JPEG"), max_pixels=100).shape == (10, 10, 3)
    for kind, options in (("WEBP", {}), ("JPEG2000", {}), ("JPEG", {"progressive": True})):
        content = encode(picture, kind, **options)
        assert read_image(content, max_pixels=300).shape == (10, 10, 3)
        with pytest.raises(ImageError, match="megapixels for "):
            read_image(content, max_pixels=100)


def test_jpeg_with_very_many_scans() -> None:
    content = encode(solid("RGB", RED), "JPEG", progressive=True)
    start = content.index(b"\xff\xda")
    scan = content[start : content.index(b"\xff", start + 2)]
    with pytest.raises(ImageError, match="JPEG of 10.. scans"):
        read_image(content[:start] + scan * 1000 + content[start:])


def test_long_picture_written_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"P3 2 1 255 1 2 3 4 5 6"
    assert read_image(content)[0, 1].tolist() == [6, 5, 4]
    monkeypatch.setattr("mien.image_limits._MAX_TEXT", 10)
    with pytest.raises(ImageError, match="written as text"):
        read_image(content)
