"""Writing videos: times, pictures, colors and sound that come back as they were."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import videos

from mien.errors import OptionError
from mien.video import VideoWriter


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return videos.write(tmp_path_factory.mktemp("clip") / "clip.mp4", videos.numbered(50), sound="aac")


def test_written_frames_keep_their_times_and_pictures(tmp_path: Path) -> None:
    times = [0.0, 0.1, 0.15, 0.9, 1.0, 2.5]
    frames = videos.numbered(6)
    with VideoWriter(tmp_path / "out.mkv", Fraction(1, 1000)) as writer:
        for frame, time_s in zip(frames, times, strict=True):
            writer.write(frame, time_s)
        writer.write(frames[0], 2.5)
    again = videos.read(tmp_path / "out.mkv")
    assert [frame.time_s for frame in again] == pytest.approx(times, abs=1e-9)
    for frame, original in zip(again, frames, strict=True):
        assert np.abs(frame.image.astype(int) - original)[10:50, 10:70].mean() < 8


@pytest.mark.parametrize("size", [(101, 75), (64, 63), (1, 1)])
def test_odd_sizes_can_be_written(tmp_path: Path, size: tuple[int, int]) -> None:
    with VideoWriter(tmp_path / "odd.mp4") as writer:
        for number in range(3):
            writer.write(np.full((size[1], size[0], 3), 90, np.uint8), number / 10)
    assert len(videos.frame_times(tmp_path / "odd.mp4")) == 3


def sound_packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def test_sound_is_copied_unaltered(tmp_path: Path, clip: Path) -> None:
    with VideoWriter(tmp_path / "out.mp4", sound_of=clip) as writer:
        for frame in videos.read(clip):
            writer.write(frame.image, frame.time_s)
    assert sound_packets(tmp_path / "out.mp4") == sound_packets(clip)
    assert len(videos.frame_times(tmp_path / "out.mp4")) == 50


def test_sound_is_cut_with_the_pictures(tmp_path: Path, clip: Path) -> None:
    with VideoWriter(tmp_path / "out.mp4", sound_of=clip, start_s=0.8, end_s=1.6) as writer:
        for frame in videos.read(clip, start=0.8, end=1.6):
            writer.write(frame.image, frame.time_s)
    assert videos.frame_times(tmp_path / "out.mp4")[0] == pytest.approx(0, abs=0.03)
    assert len(sound_packets(tmp_path / "out.mp4")) * 1024 / 44_100 == pytest.approx(0.8, abs=0.06)


def test_an_interruption_leaves_a_valid_video_and_a_failure_none(tmp_path: Path, clip: Path) -> None:
    path = tmp_path / "out.mp4"
    with pytest.raises(ZeroDivisionError), VideoWriter(path, sound_of=clip) as writer:
        writer.write(videos.numbered(1)[0], 0.0)
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(KeyboardInterrupt), VideoWriter(path, sound_of=clip) as writer:
        for number, frame in enumerate(videos.numbered(5)):
            writer.write(frame, number / 25)
        raise KeyboardInterrupt
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.mp4"]
    assert len(videos.frame_times(path)) == 5
    assert len(sound_packets(path)) < 12


@pytest.mark.parametrize("color", [(0, 0, 200), (0, 200, 0), (200, 0, 0), (60, 120, 180)])
def test_written_colors_are_what_players_show(color: tuple[int, int, int], tmp_path: Path) -> None:
    path = tmp_path / "color.mp4"
    with VideoWriter(path) as writer:
        for number in range(5):
            writer.write(np.full((64, 96, 3), color, np.uint8), number / 25)
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        # A player converts by the matrix that the file names: ITU-R 601, which FFmpeg calls SMPTE 170M or BT.470 BG.
        assert frame.colorspace in (5, 6)
        planes = [
            plane.mean() for plane in (frame.to_ndarray()[:64], frame.to_ndarray()[64:80], frame.to_ndarray()[80:])
        ]
    luma, blue, red = planes[0] - 16, planes[1] - 128, planes[2] - 128
    shown = (1.164 * luma + 2.017 * blue, 1.164 * luma - 0.392 * blue - 0.813 * red, 1.164 * luma + 1.596 * red)
    assert shown == pytest.approx(color, abs=4)


def test_sound_that_the_format_cannot_hold_is_refused_before_any_work(tmp_path: Path) -> None:
    source = videos.write(tmp_path / "pcm.avi", videos.numbered(3), sound="adpcm_ms")
    with pytest.raises(OptionError, match=r"name the file \.mkv"):
        VideoWriter(tmp_path / "out.mp4", sound_of=source)
    assert not list(tmp_path.glob("*out*"))


def test_unwritable_videos_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name, message in (("out.gif", "unknown video format"), ("file/out.mp4", "cannot be written")):
        with pytest.raises(OptionError, match=message):
            VideoWriter(tmp_path / name)
