"""Reading videos that the tests make: what is odd about each is known."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import videos
from PIL import Image

from mien.detection.base import Frame
from mien.errors import OptionError, VideoError
from mien.video import open_video, prefetch


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return videos.write(tmp_path_factory.mktemp("clip") / "clip.mp4", videos.numbered(50), sound="aac")


def brightness(image: np.ndarray) -> float:
    return float(image[-20:, -20:].mean())


def test_frames_have_exact_times_and_numbers(clip: Path) -> None:
    frames = videos.read(clip)
    assert [frame.number for frame in frames] == list(range(50))
    assert [frame.time_s for frame in frames] == pytest.approx([i / 25 for i in range(50)], abs=1e-9)
    assert [brightness(frame.image) for frame in frames] == pytest.approx([40 + 4 * i for i in range(50)], abs=4)


def test_every_start_and_end(clip: Path) -> None:
    assert [frame.number for frame in videos.read(clip, every=7)] == list(range(0, 50, 7))
    part = videos.read(clip, start=0.61, end=1.0)
    assert [frame.number for frame in part] == list(range(16, 25))
    assert part[0].time_s == pytest.approx(0.64)
    assert brightness(part[0].image) == pytest.approx(40 + 4 * 16, abs=4)
    assert [frame.number for frame in videos.read(clip, start=1.0, end=1.5, every=5)] == [25, 30, 35]


@pytest.mark.parametrize(
    ("rate", "fps", "numbers"),
    [
        (25, 5, range(0, 50, 5)),
        (25, 100, range(50)),
        (25, 10, [0, 3, 5, 8, 10, 13, 15, 18, 20, 23]),
        (Fraction(30_000, 1001), 10, range(0, 30, 3)),
        (25, 0.5, [0]),
    ],
)
def test_target_rate(tmp_path: Path, rate: Fraction | int, fps: float, numbers: Sequence[int]) -> None:
    frames = videos.read(videos.write(tmp_path / "clip.mkv", videos.numbered(50), rate=rate), fps=fps)
    assert [frame.number for frame in frames][: len(numbers)] == list(numbers)
    assert len(frames) == pytest.approx(min(fps, float(rate)) * 50 / float(rate), abs=1)


def test_target_rate_of_a_part_and_of_an_uneven_video(tmp_path: Path) -> None:
    path = videos.write(tmp_path / "a.mp4", videos.numbered(8), times=[0.0, 0.1, 0.15, 0.9, 1.0, 1.4, 2.5, 2.6])
    assert [frame.number for frame in videos.read(path, fps=2)] == [0, 3, 4, 6]
    assert [frame.number for frame in videos.read(path, start=0.9, fps=2)] == [3, 5, 6]
    with pytest.raises(OptionError, match="fps does not go with every"):
        open_video(path, every=2, fps=5)
    with pytest.raises(OptionError, match="fps must be more than 0"):
        open_video(path, fps=-1)


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [("mkv", "libx264"), ("webm", "libvpx"), ("wmv", "wmv2"), ("nut", "libx264"), ("ts", "libx264")],
)
def test_a_late_first_frame_is_no_damage(tmp_path: Path, suffix: str, codec: str) -> None:
    """Matroska and some others count their length from zero, not from the first frame."""
    path = tmp_path / f"late.{suffix}"
    videos.write(path, videos.numbered(50), offset_s=5.0, codec=codec, codec_options={}, time_base=Fraction(1, 25))
    frames = videos.read(path)
    assert len(frames) == 50
    assert (frames[0][1], frames[-1][1]) == pytest.approx((0, 49 / 25), abs=0.002)
    assert [frame.number for frame in videos.read(path, start=1.5)] == list(range(38, 50))
    with pytest.raises(VideoError, match="has no frame from 3 s on"):
        open_video(path, start=3.0)


def test_a_late_matroska_that_breaks_off_is_damaged(tmp_path: Path) -> None:
    dice = np.random.default_rng(0)
    noise = [dice.integers(0, 255, (64, 64, 3), np.uint8) for _ in range(100)]
    whole = videos.write(tmp_path / "whole.mkv", noise, offset_s=5.0)
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with open_video(cut) as video:
        assert 30 < len(list(video)) < 70
        assert (video.damage or "").endswith("s of 4.00 s") or "cannot be read beyond" in (video.damage or "")


@pytest.mark.parametrize(("aspect", "width"), [("2/1", 320), ("1/2", 80), ("1/20", 160), ("20/1", 160), ("10/1", 1600)])
def test_pixels_that_are_not_square(tmp_path: Path, aspect: str, width: int) -> None:
    """Beyond 1:10 it is a mistake in the file."""
    path = videos.write(tmp_path / "wide.mp4", videos.numbered(3), aspect=Fraction(aspect))
    assert videos.read(path)[0].image.shape == (120, width, 3)


def test_the_size_as_shown_is_limited(tmp_path: Path) -> None:
    path = videos.write(tmp_path / "wide.mp4", videos.numbered(3), aspect=Fraction(8))
    with pytest.raises(VideoError, match="1280x120 pixels are too many"):
        open_video(path, max_pixels=1280 * 120 - 1)
    with open_video(path, max_pixels=1280 * 120) as video:
        assert (video.width, len(list(video))) == (1280, 3)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"#EXTM3U\n#EXT-X-VERSION:3\nother.mp4\n", "a playlist (HLS)"),
        (b"\xef\xbb\xbf#EXTM3U\n#EXTINF:9,\nhttp://example.com/a.ts\n", "a playlist (HLS)"),
        (b'<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>', "a playlist (DASH)"),
        (b"ffconcat version 1.0\nfile other.mp4\n", "a list of files (concat)"),
        ("Notizen über ein Gespräch\n".encode() * 900, "a text file"),
    ],
)
def test_playlists_and_texts_are_refused_by_content(tmp_path: Path, content: bytes, found: str) -> None:
    videos.write(tmp_path / "other.mp4", videos.numbered(3))
    for name in ("list.mp4", "list.m3u8", "list.mpd", "list.txt"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(VideoError) as refused:
            open_video(tmp_path / name)
        assert refused.value.reason == f"is {found}, expected a video file"
    with pytest.raises(VideoError, match="expected a video file"):
        open_video(io.BytesIO(content))


def test_variable_frame_rate(tmp_path: Path) -> None:
    times = [0.0, 0.1, 0.15, 0.9, 1.0, 2.5]
    path = videos.write(tmp_path / "vfr.mp4", videos.numbered(6), times=times)
    assert [frame.time_s for frame in videos.read(path)] == pytest.approx(times, abs=1e-4)


@pytest.mark.parametrize(("rate", "count"), [(1, 5), (240, 60), (Fraction(30_000, 1001), 10)])
def test_slow_and_fast_videos(tmp_path: Path, rate: Fraction | int, count: int) -> None:
    frames = videos.read(videos.write(tmp_path / "clip.mp4", videos.numbered(count), rate=rate))
    assert [frame.time_s for frame in frames] == pytest.approx(
        [float(i / Fraction(rate)) for i in range(count)], abs=1e-4
    )


@pytest.mark.parametrize(
    ("rotation", "size", "corner"),
    [(0, (160, 120), (0, 0)), (90, (120, 160), (-1, 0)), (180, (160, 120), (-1, -1)), (-90, (120, 160), (0, -1))],
)
def test_rotation_is_honoured(tmp_path: Path, rotation: int, size: tuple[int, int], corner: tuple[int, int]) -> None:
    """By FFmpeg's definition the picture is turned by this angle counter-clockwise."""
    frames = videos.read(videos.write(tmp_path / "turned.mp4", videos.numbered(3), rotation=rotation))
    image = frames[0].image
    assert image.shape[1::-1] == size
    row, column = (5 if part == 0 else -6 for part in corner)
    blue, _, red = image[row, column].astype(int)
    assert red > 180 > 80 > blue


@pytest.mark.parametrize(
    ("matrix", "stored"),
    [
        ((-1, 0, 0, 1), lambda image: image[:, ::-1]),
        ((1, 0, 0, -1), lambda image: image[::-1]),
        ((0, 1, 1, 0), lambda image: image.swapaxes(0, 1)),
        ((0, -1, -1, 0), lambda image: image[::-1, ::-1].swapaxes(0, 1)),
        ((0, 1, -1, 0), np.rot90),
    ],
)
def test_mirrored_pictures_are_brought_back(
    tmp_path: Path, matrix: tuple[int, int, int, int], stored: Callable[[Frame], Frame]
) -> None:
    shown = videos.numbered(1)[0]
    path = videos.write(tmp_path / "mirrored.mp4", [np.ascontiguousarray(stored(shown))])
    content = bytearray(path.read_bytes())
    # The track header's matrix: a b u, c d v, x y w, in fixed-point numbers.
    place = content.index(b"tkhd") + 44
    a, b, c, d = (part << 16 for part in matrix)
    struct.pack_into(">9i", content, place, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(content)
    image = videos.read(path)[0].image
    assert image.shape == shown.shape
    assert np.abs(image.astype(int) - shown).mean() < 5


def test_a_start_time_other_than_zero_is_the_players_zero(tmp_path: Path) -> None:
    path = videos.write(tmp_path / "late.ts", videos.numbered(10), offset_s=7.0)
    assert videos.read(path)[0].time_s == 0


@pytest.mark.parametrize("ticks", [630_010, 630_020, 630_040])
def test_the_first_of_rounded_times_is_zero(ticks: int, tmp_path: Path) -> None:
    """FFmpeg tells the start of a file in microseconds, rounded up or down; the frames count in 90,000ths."""
    path = videos.write(
        tmp_path / "late.ts", videos.numbered(10), offset_s=ticks / 90_000, time_base=Fraction(1, 90_000)
    )
    assert [frame.time_s for frame in videos.read(path)[:2]] == [0, 0.04]
    assert videos.read(path, start=0.04)[0].number == 1


def test_a_change_of_size_in_the_stream(tmp_path: Path) -> None:
    first = videos.write(tmp_path / "a.ts", videos.numbered(10, 160, 120))
    second = videos.write(tmp_path / "b.ts", videos.numbered(10, 320, 240), offset_s=0.4)
    path = tmp_path / "both.ts"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    frames = videos.read(path)
    assert len(frames) >= 18
    assert {frame.image.shape for frame in frames} == {(120, 160, 3)}


def test_a_frame_that_the_decoder_had_to_guess_is_damage(tmp_path: Path) -> None:
    path = videos.write(tmp_path / "clip.mp4", videos.numbered(60), codec="mpeg4", codec_options={"g": "20"})
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3] = b"\x55" * 3
    path.write_bytes(content)
    with open_video(path) as video:
        assert len(list(video)) == 60
        assert (video.damage or "").startswith("has damaged frames near 1.")


def test_a_truncated_video_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    noise = [random.integers(0, 255, (120, 160, 3), np.uint8) for _ in range(60)]
    whole = videos.write(tmp_path / "whole.mp4", noise, options={"movflags": "faststart"})
    path = tmp_path / "cut.mp4"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with open_video(path) as video:
        frames = list(video)
        assert video.damage is not None
        assert "\n" not in video.damage
    assert 20 <= len(frames) <= 40


def test_a_video_without_its_index_is_refused(tmp_path: Path, clip: Path) -> None:
    path = tmp_path / "cut.mp4"
    path.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    with pytest.raises(VideoError, match="breaks off before its index"):
        open_video(path)


def test_a_video_is_read_once(clip: Path) -> None:
    with open_video(clip) as video:
        assert len(list(video)) == 50
        with pytest.raises(VideoError, match="has been read already; open it again"):
            list(video)


def test_a_file_that_is_open_as_text(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_text("anything")
    with path.open() as file, pytest.raises(VideoError, match="is open as text; open it in binary mode"):
        open_video(file)  # type: ignore[arg-type]


def test_files_that_are_no_videos(tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("no video" * 100)
    noise = tmp_path / "noise.mp4"
    noise.write_bytes(bytes(range(256)) * 40)
    empty = tmp_path / "empty.mp4"
    empty.touch()
    picture = tmp_path / "picture.png"
    Image.new("RGB", (64, 48)).save(picture)
    for path, message in (
        (text, "is a text file, expected a video file"),
        (noise, "not a video in a known format"),
        (empty, "is empty"),
        (picture, "is a picture, expected a video"),
        (tmp_path, "is a folder"),
        (tmp_path / "none.mp4", "no such file"),
        (videos.write_sound(tmp_path / "sound.m4a"), "only sound"),
        (Path("http://localhost/clip.mp4"), "no such file"),
    ):
        with pytest.raises(VideoError, match=message) as caught:
            open_video(path)
        assert "\n" not in str(caught.value)


def test_a_video_without_frames_is_refused(tmp_path: Path, clip: Path) -> None:
    """A stream whose every packet is damaged beyond use."""
    content = bytearray(clip.read_bytes())
    start = content.index(b"mdat") + 4
    end = content.index(b"moov") - 4
    content[start:end] = bytes(end - start)
    path = tmp_path / "blank.mp4"
    path.write_bytes(content)
    with pytest.raises(VideoError, match="has no frames"):
        open_video(path)


def test_an_unknown_codec_is_refused(tmp_path: Path, clip: Path) -> None:
    path = tmp_path / "unknown.mp4"
    path.write_bytes(clip.read_bytes().replace(b"avc1", b"zzzz").replace(b"avcC", b"zzzC"))
    with pytest.raises(VideoError) as caught:
        open_video(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": 0}, "every must be at least 1"),
        ({"start": -1.0}, "start must be 0"),
        ({"start": 2.0, "end": 1.0}, "end must come after start"),
        ({"end": float("nan")}, "end must come after start"),
    ],
)
def test_impossible_options(clip: Path, options: dict[str, float], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        open_video(clip, **options)  # type: ignore[arg-type]


def test_a_start_behind_the_end(clip: Path) -> None:
    with pytest.raises(VideoError, match="ends at"):
        open_video(clip, start=60.0)


def test_reading_ahead_keeps_the_order_and_passes_errors_on() -> None:
    def failing() -> Iterator[int]:
        yield from range(5)
        raise ZeroDivisionError

    assert list(prefetch(range(100))) == list(range(100))
    seen = []
    with pytest.raises(ZeroDivisionError):
        for item in prefetch(failing()):
            seen.append(item)  # noqa: PERF402
    assert seen == list(range(5))


def test_reading_ahead_can_be_left() -> None:
    taken: list[int] = []

    def take() -> Iterator[int]:
        for item in range(10_000):
            taken.append(item)
            yield item

    frames = prefetch(take())
    assert next(frames) == 0
    frames.close()
    assert len(taken) < 20
