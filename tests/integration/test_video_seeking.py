"""A part of a video is what a full read has there, in every container: same numbers, same times, same pictures."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import videos

from mien.errors import VideoError
from mien.video import VideoFrame, open_video

COUNT = 60
PER_FRAME = Fraction(1, 25)
B_FRAMES = {"preset": "ultrafast", "g": "12", "bf": "2"}
OPEN_GOP = {**B_FRAMES, "x264-params": "open-gop=1"}
MPEG = {"g": "12", "bf": "2", "q": "2"}
UNEVEN = [round(float(time), 3) for time in np.cumsum(np.random.default_rng(0).uniform(0.005, 0.2, COUNT))]

CASES: dict[str, dict[str, Any]] = {
    "plain.mp4": {},
    "b-frames.mp4": {"codec_options": B_FRAMES},
    "open-gop.mp4": {"codec_options": OPEN_GOP},
    "uneven.mp4": {"codec_options": B_FRAMES, "times": UNEVEN},
    "b-frames.mkv": {"codec_options": B_FRAMES},
    "uneven.mkv": {"codec_options": B_FRAMES, "times": UNEVEN},
    "vp9.webm": {"codec": "libvpx-vp9", "codec_options": {"g": "12", "deadline": "realtime", "cpu-used": "8"}},
    "b-frames.ts": {"codec_options": B_FRAMES},
    "late.ts": {"codec_options": B_FRAMES, "offset_s": 3.0},
    "open-gop.ts": {"codec_options": OPEN_GOP},
    "one-key-frame.ts": {"codec_options": {**B_FRAMES, "g": "250"}},
    "plain.avi": {"codec_options": {**B_FRAMES, "bf": "0"}, "time_base": PER_FRAME},
    "b-frames.avi": {"codec_options": B_FRAMES, "time_base": PER_FRAME},
    "mpeg4.avi": {"codec": "mpeg4", "codec_options": MPEG, "time_base": PER_FRAME},
    "mpeg2.mpg": {"codec": "mpeg2video", "codec_options": MPEG, "time_base": PER_FRAME},
    "b-frames.flv": {"codec_options": B_FRAMES, "time_base": Fraction(1, 1000)},
    "bare.h264": {"codec_options": B_FRAMES, "time_base": PER_FRAME},
}


def read(path: Path, **part: float) -> list[VideoFrame]:
    with open_video(path, **part) as video:  # type: ignore[arg-type]
        frames = list(video)
    assert video.damage is None
    return frames


def told(frames: list[VideoFrame]) -> list[tuple[int, float]]:
    return [(frame.number, frame.time_s) for frame in frames]


@pytest.mark.parametrize("name", CASES)
def test_every_part_of_every_container(tmp_path: Path, name: str) -> None:
    path = videos.write(tmp_path / name, videos.numbered(COUNT, 64, 48), **CASES[name])
    whole = read(path)
    times = CASES[name].get("times", [i / 25 for i in range(COUNT)])
    assert [frame.number for frame in whole] == list(range(COUNT))
    # MPEG-TS and Matroska round times to their own units.
    assert [frame.time_s for frame in whole] == pytest.approx([t - times[0] for t in times], abs=1e-3)
    expected = [frame.mean() for frame in videos.numbered(50, 64, 48)]
    shown = [expected.index(min(expected, key=lambda m: abs(m - frame.image.mean()))) for frame in whole]
    # MPEG-2 and MPEG-4 blur small steps of brightness.
    assert shown == pytest.approx([i % 50 for i in range(COUNT)], abs=2 if "mpeg" in name else 1)
    dice = np.random.default_rng(1)
    # Exactly at frames, among them key frames, and anywhere.
    starts = [whole[i].time_s for i in (1, 11, 12, 13, 24, COUNT - 1)] + list(dice.uniform(0, whole[-1].time_s, 6))
    for start in starts:
        part = read(path, start=start)
        assert told(part) == [item for item in told(whole) if item[1] >= start], start
        for frame in part[:3]:
            np.testing.assert_array_equal(frame.image, whole[frame.number].image)
    middle = read(path, start=starts[-1] / 2, end=starts[-1] / 2 + 0.7)
    assert told(middle) == [item for item in told(whole) if starts[-1] / 2 <= item[1] < starts[-1] / 2 + 0.7]


def test_a_recording_that_begins_between_key_frames(tmp_path: Path) -> None:
    """As a broadcast does: its first packets cannot be decoded, and count for nothing."""
    path = videos.write(tmp_path / "whole.ts", videos.numbered(COUNT), codec_options=B_FRAMES)
    content = path.read_bytes()
    # A transport stream consists of packets of 188 bytes, with its tables at the front.
    begin = len(content) // 188 // 8 * 188
    cut = tmp_path / "cut.ts"
    cut.write_bytes(content[: 3 * 188] + content[begin:])
    with open_video(cut) as video:
        whole = list(video)
    assert 30 < len(whole) < COUNT
    for start in (0.3, 0.8, 1.2):
        with open_video(cut, start=start) as video:
            assert told(list(video)) == [item for item in told(whole) if item[1] >= start]


@pytest.mark.parametrize("name", ["plain.mp4", "b-frames.ts", "b-frames.avi", "mpeg2.mpg"])
def test_a_start_after_the_last_frame(tmp_path: Path, name: str) -> None:
    path = videos.write(tmp_path / name, videos.numbered(10), **CASES[name])
    for start in (0.38, 0.7, 60.0):
        with pytest.raises(VideoError, match=r"has no frame from .* s on; it ends at 0\.\d\d s"):
            open_video(path, start=start)
