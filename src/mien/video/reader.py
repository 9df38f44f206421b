"""Frames of a video file, each with its exact time."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from numbers import Integral, Real
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mien.arguments import expect
from mien.detection.base import Frame
from mien.errors import OptionError, VideoError
from mien.options import MAX_PIXELS
from mien.video.backend import VideoSource, av, open_input, video_name
from mien.video.seeking import find_frame, places_before

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame as AvFrame

_Timed: TypeAlias = "tuple[float, AvFrame]"

# A file may end this much before the time its header gives.
_SLACK_S = 0.5
# Formats whose header counts the length from zero, not from the first frame.
_FROM_ZERO = {"matroska,webm", "asf", "nut"}
# Pixels wider or higher than this are a mistake in the file.
_MOST_ASPECT = 10
# Times in files are rounded, to milliseconds in some.
_ROUNDING_S = 0.001
# FFmpeg's unit for the times of a container, in seconds.
_TICK = Fraction(1, 1_000_000)


class VideoFrame(NamedTuple):
    """One frame of a video.

    Attributes:
        number: Its number in the file, from 0.
        time_s: When it is shown, in seconds from the start of the file.
        image: uint8 (H, W, 3) BGR, upright.
    """

    number: int
    time_s: float
    image: Frame


class VideoReader:
    """The frames of a video file, in order; see `open_video`. A context manager; iterate over it once.

    Attributes:
        source: The file, as given.
        name: What it is called: its path, or "video" where it has none.
        width: Width of the frames as seen, in pixels: turned upright, pixels made square.
        height: Their height. Frames of another size later in the stream are brought to this size.
        start_s: Where reading begins, in seconds.
        until_s: Where it was asked to end, in seconds; infinity if it was not.
        end_s: Where it ends; infinity if neither asked for nor known from the file.
        rate: Average number of frames in a second of the file, or None if it does not say.
        time_base: The unit of the file's frame times, in seconds.
        damage: What was wrong with the file, once that has been met with; None if nothing was.
    """

    def __init__(
        self, source: VideoSource, start: float, end: float | None, every: int, fps: float | None, max_pixels: int
    ) -> None:
        self.source, self.name = source, video_name(source)
        self.damage: str | None = None
        self.start_s = start
        self.until_s = math.inf if end is None else end
        self._every, self._fps = every, fps
        self._is_read = self._is_closed = False
        self._attach()
        try:
            self._open(max_pixels)
        except BaseException:
            self._container.close()
            raise

    def _attach(self) -> None:
        """Open the file at its beginning."""
        self._container = open_input(self.source)
        if self._container.format.name.endswith("_pipe") or self._container.format.name == "image2":
            self._container.close()
            raise VideoError("is a picture, expected a video", self.name)
        if not self._container.streams.video:
            found = "only sound" if self._container.streams.audio else "and no sound either"
            self._container.close()
            raise VideoError(f"has no picture, {found}", self.name)
        self._stream = self._container.streams.video[0]
        self.damage, self._reached_s = None, 0.0
        if self._stream.codec_context is not None:
            self._stream.codec_context.thread_type = "AUTO"

    def _open(self, max_pixels: int) -> None:
        codec = self._stream.codec_context
        if codec is None:
            raise VideoError("its pictures are in a format that is not known here; convert it to H.264", self.name)
        self._check_size(codec.width, codec.height, max_pixels)
        self.time_base = self._stream.time_base or Fraction(1, 90_000)
        self.rate = self._stream.average_rate
        # FFmpeg gives the container's times in microseconds. Its start, not the stream's, is a player's zero.
        self._zero = (self._container.start_time or 0) * _TICK
        begin = (self._stream.start_time or 0) * self.time_base
        if abs(begin - self._zero) < _TICK:
            # Not rounded, so that the first frame is neither before nor after zero.
            self._zero = begin
        self._is_avi = self._container.format.name == "avi"
        self._length_s = self._container.duration / 1e6 if self._container.duration else math.inf
        # Shorter than this it is not whole. Some programs count from the first frame even there.
        self._least_s = self._length_s
        if self._container.format.name in _FROM_ZERO:
            self._least_s -= float(max(self._zero, Fraction(0)))
        # Some formats can only be guessed the length of.
        if self.start_s >= self._length_s + _SLACK_S:
            raise self._ends_before_start(self._length_s)
        self.end_s = min(self.until_s, self._least_s)
        self._first, self._frames = self._from_start()
        first = next(self._frames, None)
        if first is None and self.start_s > 0 and self.damage is None:
            raise self._ends_before_start(self._reached_s)
        if first is None:
            raise VideoError(f"has no frames to read{f': {self.damage}' if self.damage else ''}", self.name)
        frame = first[1]
        self._check_size(frame.width, frame.height, max_pixels)
        self._stored = self._shown_width(frame.width), frame.height
        self._turn = _turn(frame)
        self.width, self.height = self._stored[::-1] if self._turn.sideways else self._stored
        self._frames = chain([first], self._frames)

    @property
    def step_s(self) -> float:
        """Seconds from one frame that is read to the next, as far as the file says."""
        step_s = self._every / float(self.rate or 25)
        return step_s if self._fps is None else max(step_s, 1 / self._fps)

    def _shown_width(self, width: int) -> int:
        """Width of a picture once its pixels are square."""
        return _shown_width(width, self._stream.sample_aspect_ratio)

    def _check_size(self, width: int, height: int, max_pixels: int) -> None:
        """Refuse frames that are too large, as stored or as shown."""
        shown = self._shown_width(width)
        if max(width, shown) * height > max_pixels:
            raise VideoError(f"{max(width, shown)}x{height} pixels are too many (limit {max_pixels})", self.name)

    def _ends_before_start(self, end_s: float) -> VideoError:
        return VideoError(f"has no frame from {self.start_s:g} s on; it ends at {end_s:.2f} s", self.name)

    def _from_start(self) -> tuple[int, Iterator[_Timed]]:
        """The frames from the start on, and the number of the first."""
        if self.start_s <= 0:
            return 0, self._decode()
        wanted = None if self._is_avi else find_frame(self.source, lambda pts: float(self._time(pts)) >= self.start_s)
        if wanted is not None:
            number, pts = wanted
            for place_s in places_before(self.start_s):
                frames = self._decode_from(place_s, pts)
                if frames is not None:
                    return number, frames
            # Formats that cannot be searched are read from their beginning.
            self._container.close()
            self._attach()
        frames, number = self._decode(), 0
        for timed in frames:
            if timed[0] >= self.start_s:
                return number, chain([timed], frames)
            number += 1
        return number, iter(())

    def _decode_from(self, place_s: float, pts: int) -> Iterator[_Timed] | None:
        """The frames from one on, decoded from the key frame before a place; None if that does not lead there."""
        try:
            self._container.seek(int((place_s + float(self._zero)) * 1e6))
        except av.error.FFmpegError:
            return None
        self.damage, self._reached_s = None, 0.0
        frames = self._decode()
        head = next(frames, None)
        # Frames shown after the key frame at which decoding begins are whole, those before may not be.
        if head is None or not head[1].key_frame:
            return None
        while head is not None and head[1].pts is not None and head[1].pts < pts:
            head = next(frames, None)
        return chain([head], frames) if head is not None and head[1].pts == pts else None

    def _time(self, pts: int) -> Fraction:
        """Seconds since the start of the file."""
        return pts * self.time_base - self._zero

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; nothing can be read afterwards."""
        self._is_closed = True
        self._container.close()

    def _check_open(self) -> None:
        """FFmpeg does not survive being asked for more of a file that was closed."""
        if self._is_closed:
            raise VideoError("is closed; read it inside the with block, or open it again", self.name)

    def __repr__(self) -> str:
        return f"VideoReader({self.name!r}, {self.width}x{self.height}{', closed' if self._is_closed else ''})"

    def __iter__(self) -> Iterator[VideoFrame]:
        if self._is_read:
            raise VideoError("has been read already; open it again", self.name)
        self._check_open()
        self._is_read = True
        last_s, slot = -math.inf, -1
        for number, (time_s, frame) in enumerate(self._frames, start=self._first):
            if time_s >= self.until_s:
                return
            if time_s <= last_s:
                self.damage = f"has frames whose times run backwards near {last_s:.2f} s; they are left out"
            elif self._fps is not None:
                # The first frame of each 1/fps seconds.
                now = math.floor((time_s - self.start_s + min(_ROUNDING_S, 0.25 / self._fps)) * self._fps)
                if now > slot:
                    slot = now
                    yield VideoFrame(number, time_s, self._image(frame))
            elif (number - self._first) % self._every == 0:
                yield VideoFrame(number, time_s, self._image(frame))
            last_s = max(last_s, time_s)
        # Not every file says how long its last frame is shown.
        slack_s = _SLACK_S + (1.5 / float(self.rate) if self.rate else 0.0)
        if math.isfinite(self._least_s) and self._reached_s < self._least_s - slack_s:
            self.damage = f"breaks off at {self._reached_s:.2f} s of {self._least_s:.2f} s"

    def _decode(self) -> Iterator[_Timed]:
        """The frames from where the container stands, with their times; whatever can still be read of a damaged file.

        AVI stores when frames are decoded, not when they are shown: shown in their order, at the same moments. A bare
        stream without a container stores neither.
        """
        stored: deque[int] = deque()
        step = 1 / (self.rate or Fraction(25))
        time = -step
        for packet, frames in self._packets():
            if packet.dts is not None and packet.size:
                stored.append(packet.dts)
            for frame in frames:
                if self._is_avi and stored:
                    time = self._time(stored.popleft())
                elif frame.pts is not None:
                    time = self._time(frame.pts)
                else:
                    time += step
                yield float(time), frame

    def _packets(self) -> Iterator[tuple[Packet[Any], list[AvFrame]]]:
        """The packets of the pictures, each with the frames that came out of the decoder when it went in."""
        packets = self._container.demux()
        while True:
            self._check_open()
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError as error:
                self.damage = f"cannot be read beyond {self._reached_s:.2f} s: {error.strerror}"
                return
            if packet.pts is not None and packet.time_base:
                end_s = float((packet.pts + (packet.duration or 0)) * packet.time_base - self._zero)
                self._reached_s = max(self._reached_s, end_s)
            if packet.stream is not self._stream:
                continue
            try:
                frames = self._stream.decode(packet)
            except av.error.FFmpegError as error:
                self.damage = f"has damaged frames near {self._reached_s:.2f} s: {error.strerror}"
                continue
            if any(frame.is_corrupt for frame in frames):
                self.damage = f"has damaged frames near {self._reached_s:.2f} s"
            yield packet, frames

    def _image(self, frame: AvFrame) -> Frame:
        return _turned(frame.to_ndarray(format="bgr24", width=self._stored[0], height=self._stored[1]), self._turn)


class _Turn(NamedTuple):
    """How a stored frame becomes upright: whether rows become columns, then the steps along both, -1 if reversed."""

    sideways: bool
    down: int
    across: int


def _turned(image: NDArray[Any], turn: _Turn) -> Frame:
    turned = image.swapaxes(0, 1) if turn.sideways else image
    return np.ascontiguousarray(turned[:: turn.down, :: turn.across], np.uint8)


def _shown_width(width: int, aspect: Fraction | None) -> int:
    """Width of a picture once its pixels, which are so many times as wide as high, are square."""
    aspect = aspect or Fraction(1)
    if not 1 / _MOST_ASPECT <= aspect <= _MOST_ASPECT:
        return width
    return max(1, round(width * aspect))


def shown(frame: AvFrame, aspect: Fraction | None) -> Frame:
    """A decoded frame as players show it: upright, its pixels square.

    Args:
        frame: The frame.
        aspect: The stream's ratio of a pixel's width to its height; None where it has none.

    Returns:
        uint8 (H, W, 3) BGR.
    """
    width = _shown_width(frame.width, aspect)
    return _turned(frame.to_ndarray(format="bgr24", width=width, height=frame.height), _turn(frame))


def _turn(frame: AvFrame) -> _Turn:
    matrix: Any = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return _Turn(False, 1, 1)
    # Its nine numbers are a b u, c d v, x y w: what is at (x, y) is shown at (ax + cy, bx + dy).
    a, b, _, c, d = np.frombuffer(matrix, np.int32)[:5].tolist()
    sideways = abs(b) > abs(a)
    across, down = (c, b) if sideways else (a, d)
    return _Turn(sideways, -1 if down < 0 else 1, -1 if across < 0 else 1)


def open_video(
    source: VideoSource,
    start: float = 0.0,
    end: float | None = None,
    every: int = 1,
    max_pixels: int = MAX_PIXELS,
    fps: float | None = None,
) -> VideoReader:
    """Open a video file.

    Args:
        source: A path, an encoded file as bytes, or a binary file object that can seek.
        start: Read from this second on.
        end: Read up to this second, without it; None reads to the end.
        every: Read every n-th frame only.
        max_pixels: Videos with larger frames are refused.
        fps: Read so many frames in a second of the video, as evenly as its frames allow, in place of ``every``;
            all of them where it has no more.

    Returns:
        The frames; iterate over them inside a ``with`` block.

    Raises:
        VideoError: If the file cannot be read: missing, no video, without pictures or frames.
        OptionError: If the options leave nothing to read.
        MissingExtraError: If PyAV is not installed.
    """
    expect(Real, start=start)
    expect(Real | None, end=end, fps=fps)
    expect(Integral, every=every, max_pixels=max_pixels)
    if every < 1:
        raise OptionError(f"must be at least 1, found {every}", field="every")
    if not 0 <= start < math.inf:
        raise OptionError(f"must be 0 seconds or more, found {start}", field="start")
    if end is not None and not end > start:
        raise OptionError(f"must come after start ({start:g} s), found {end:g}", field="end")
    if fps is not None and every != 1:
        raise OptionError(f"does not go with every (found {every}); give one of them", field="fps")
    if fps is not None and not 0 < fps < math.inf:
        raise OptionError(f"must be more than 0 frames a second, found {fps:g}", field="fps")
    return VideoReader(source, start, end, every, fps, max_pixels)
