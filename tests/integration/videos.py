"""Small videos, made for the tests."""

from __future__ import annotations

import csv
import signal
import subprocess
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from time import sleep

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from mien.video import VideoFrame, open_video

Frame = NDArray[np.uint8]


def numbered(count: int, width: int = 160, height: int = 120) -> list[Frame]:
    """Frames whose upper left quarter is red, and whose brightness tells the number."""
    frames = []
    for number in range(count):
        frame = np.full((height, width, 3), 40 + 4 * (number % 50), np.uint8)
        frame[: height // 2, : width // 2] = (0, 0, 255)
        frames.append(frame)
    return frames


def portrait(astronaut: Frame, count: int, side: int = 192) -> list[Frame]:
    """A face that moves slowly to the right."""
    face = astronaut[:320, 60:380]
    frames = []
    for number in range(count):
        shift = np.float32([[1, 0, min(number, 30)], [0, 1, 0]])
        moved = cv2.warpAffine(face, shift, (320, 320), borderMode=cv2.BORDER_REPLICATE)
        frames.append(np.asarray(cv2.resize(moved, (side, side), interpolation=cv2.INTER_AREA), np.uint8))
    return frames


def write(
    path: Path,
    frames: Sequence[Frame],
    *,
    rate: Fraction | int = 25,
    times: Sequence[float] | None = None,
    sound: str | None = None,
    rotation: float = 0,
    offset_s: float = 0.0,
    options: dict[str, str] | None = None,
    codec: str = "libx264",
    codec_options: dict[str, str] | None = None,
    time_base: Fraction = Fraction(1, 12_000),
    aspect: Fraction | None = None,
) -> Path:
    """Write a video; `times` in seconds instead of `rate` for one with a variable frame rate."""
    with av.open(str(path), "w", options=options or {}) as container:
        video = container.add_stream(codec, rate=rate, options=codec_options or {"preset": "ultrafast", "g": "10"})
        video.height, video.width = frames[0].shape[:2]
        video.pix_fmt = "yuv420p"
        video.codec_context.time_base = time_base
        if aspect is not None:
            video.codec_context.sample_aspect_ratio = aspect
        if rotation:
            video.set_display_rotation(rotation)
        audio = container.add_stream(sound, rate=44_100, layout="mono") if sound else None
        for number, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(frame, format="bgr24")
            time_s = times[number] if times else float(number / Fraction(rate))
            picture.pts, picture.time_base = round((time_s + offset_s) / time_base), time_base
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        if audio is not None:
            seconds = (times[-1] if times else len(frames) / Fraction(rate)) + 0.01
            _write_tone(container, audio, float(seconds))
    return path


def _write_tone(container: av.container.OutputContainer, audio: av.AudioStream, seconds: float) -> None:
    size = audio.codec_context.frame_size or 1024
    for start in range(0, int(44_100 * seconds), size):
        wave = np.sin(2 * np.pi * 440 * (start + np.arange(size)) / 44_100)
        if audio.codec_context.format.name.startswith("s16"):
            block = av.AudioFrame.from_ndarray((wave * 9000).astype(np.int16)[None], format="s16", layout="mono")
        else:
            block = av.AudioFrame.from_ndarray((wave * 0.3).astype(np.float32)[None], format="fltp", layout="mono")
        block.sample_rate, block.pts, block.time_base = 44_100, start, Fraction(1, 44_100)
        container.mux(audio.encode(block))
    container.mux(audio.encode(None))


def write_sound(path: Path) -> Path:
    """A file with sound alone."""
    with av.open(str(path), "w") as container:
        audio = container.add_stream("aac", rate=44_100, layout="mono")
        _write_tone(container, audio, 1.0)
    return path


def frame_times(path: Path) -> list[float]:
    """When each frame is shown, as PyAV tells it."""
    with av.open(str(path)) as container:
        return [float(frame.time or 0.0) for frame in container.decode(video=0)]


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a table, as text."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def is_begun(path: Path) -> bool:
    """Whether something stands already in the file that will become this one."""
    begun = path.parent.glob(f".{path.stem}.*.partial{path.suffix}")
    return any(partial.stat().st_size > 0 for partial in begun)


def interrupt(command: Sequence[object], begun: Path) -> tuple[int, str]:
    """Press Ctrl-C once a command has begun to write a file; its exit code, and what it said."""
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not is_begun(begun):
        sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    return process.returncode, err


def read(path: Path, **options: float) -> list[VideoFrame]:
    """The frames of a video that is whole."""
    with open_video(path, **options) as video:  # type: ignore[arg-type]
        frames = list(video)
        assert video.damage is None
        assert all(frame.image.shape == (video.height, video.width, 3) for frame in frames)
    return frames
