"""Annotated and recorded videos."""

from __future__ import annotations

import math
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from mien.detection.base import Frame
from mien.errors import OptionError
from mien.files import AtomicFile, not_written
from mien.video.backend import ColorRange, Colorspace, VideoSource, av, open_input

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

VIDEO_SUFFIXES = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""Suffixes of the videos that can be written, with FFmpeg's name for each format."""

# Looks like the original. "superfast" takes two thirds of the time of "veryfast" and a third more space.
_CODEC, _CODEC_OPTIONS = "libx264", {"crf": "22", "preset": "superfast"}


WRITTEN = "mien: annotated or recorded video"
"""The comment in the videos that are written, by which mien knows them again."""

# Seeking in some formats leads to a place after the one that was asked for; what comes too early is left out.
_SEEK_EARLIER_S = 5.0


class VideoWriter(AtomicFile):
    """Writes an H.264 video, each frame at its own time, and copies the sound of another file into it.

    See `AtomicFile` for when the file appears. Encoding runs in a thread of its own.

    Args:
        path: The file; the suffix tells the format, see `VIDEO_SUFFIXES`.
        time_base: Unit in which frame times are kept, in seconds. That of the source keeps them exactly.
        sound_of: A video, as for `open_video`, whose sound is copied unaltered; None, or one without sound, gives a
            silent video.
        start_s: Time that becomes the zero of the new video; sound before it is left out.
        end_s: Time at which the sound ends if the writing is not cut short.

    Raises:
        OptionError: If the place cannot be written to, or the format cannot hold the sound.
        VideoError: If the video with the sound cannot be read.
    """

    def __init__(
        self,
        path: Path,
        time_base: Fraction = Fraction(1, 90_000),
        sound_of: VideoSource | None = None,
        start_s: float = 0.0,
        end_s: float = math.inf,
    ) -> None:
        if path.suffix.lower() not in VIDEO_SUFFIXES:
            raise OptionError(f"unknown video format {path.suffix!r}; use {', '.join(VIDEO_SUFFIXES)}", path)
        super().__init__(path)
        self._time_base, self._start_s, self._end_s = time_base, start_s, end_s
        self._size: tuple[int, int] | None = None
        self._last_pts = -1
        self._error: Exception | None = None
        try:
            self._container = av.open(f"file:{self._partial}", "w", format=VIDEO_SUFFIXES[path.suffix.lower()])
            self._container.metadata["comment"] = WRITTEN
            self._video = cast("VideoStream", self._container.add_stream(_CODEC, options=_CODEC_OPTIONS))
            self._sound = _SoundCopy(sound_of, self._container, path, start_s) if sound_of else None
        except BaseException:
            self._partial.unlink(missing_ok=True)
            raise
        self._queue: Queue[tuple[Frame, int] | None] = Queue(4)
        self._worker = Thread(target=self._work, name="mien-encode", daemon=True)
        self._worker.start()

    def write(self, frame: Frame, time_s: float) -> None:
        """Add a frame. Waits while the encoder is behind.

        Args:
            frame: uint8 (H, W, 3) BGR; must not change afterwards. The first one gives the size of the video, others
                are brought to it.
            time_s: Its time in seconds, on the clock of ``start_s``. One that is not later than the last is left out.

        Raises:
            OutputError: If writing failed, for example because the disk is full.
        """
        pts = round((time_s - self._start_s) / self._time_base)
        if pts > self._last_pts:
            self._last_pts = pts
            self._queue.put((frame, pts))
        self._check()

    def _check(self) -> None:
        if self._error is not None:
            raise not_written(self.path, self._error) from self._error

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            # After a failure frames are taken and dropped, so that no one waits for room in the queue forever.
            if self._error is None:
                try:
                    self._encode(*item)
                except Exception as error:
                    self._error = error

    def _encode(self, frame: Frame, pts: int) -> None:
        context = self._video.codec_context
        height, width = frame.shape[:2]
        if not self._size:
            self._size = width, height
            # Color is stored for blocks of 2x2 pixels.
            context.width, context.height = width + width % 2, height + height % 2
            context.pix_fmt, context.time_base = "yuv420p", self._time_base
            # Players take large pictures for ITU-R 709 unless told that the colors are those of 601.
            context.colorspace, context.color_range = Colorspace.ITU601, ColorRange.MPEG
        if (width, height) != self._size:
            frame = np.asarray(cv2.resize(frame, self._size, interpolation=cv2.INTER_AREA), np.uint8)
        odd_x, odd_y = self._size[0] % 2, self._size[1] % 2
        if odd_x or odd_y:
            frame = np.asarray(cv2.copyMakeBorder(frame, 0, odd_y, 0, odd_x, cv2.BORDER_REPLICATE), np.uint8)
        picture = av.VideoFrame.from_ndarray(frame, format="bgr24")
        picture.pts, picture.time_base = pts, self._time_base
        self._container.mux(self._video.encode(picture))
        if self._sound:
            self._sound.copy(float(pts * self._time_base))

    def _finish(self, complete: bool, whole: bool) -> None:
        self._queue.put(None)
        self._worker.join()
        has_frames = self._last_pts >= 0
        try:
            if complete and self._error is None and has_frames:
                self._container.mux(self._video.encode(None))
                if self._sound and whole:
                    self._sound.copy(self._end_s - self._start_s)
            self._container.close()
        except (av.error.FFmpegError, OSError) as error:
            self._error = self._error or error
        finally:
            if self._sound:
                self._sound.close()
        if complete:
            self._check()
            if not has_frames:
                self._discard()


def can_copy_sound(source: VideoSource, path: Path) -> bool:
    """Whether the format of a file to write can hold the sound of a video; true where there is none.

    Raises:
        VideoError: If the video cannot be read.
    """
    with open_input(source) as video, av.open(BytesIO(), "w", format=VIDEO_SUFFIXES[path.suffix.lower()]) as target:
        return all(_codec(stream) in target.supported_codecs for stream in video.streams.audio)


def _codec(stream: AudioStream) -> str:
    return stream.codec_context.name if stream.codec_context else "unknown"


class _SoundCopy:
    """Copies the sound of one file into another, packet by packet, in step with the pictures."""

    def __init__(self, source: VideoSource, target: OutputContainer, name: Path, start_s: float) -> None:
        self._source = open_input(source)
        self._target = target
        self._start_s = start_s
        self._zero_s = (self._source.start_time or 0) / 1e6 + start_s
        self._streams = {}
        for stream in self._source.streams.audio:
            codec = _codec(stream)
            if codec not in target.supported_codecs:
                self.close()
                raise OptionError(f"this format cannot hold the {codec} sound of the video; name the file .mkv", name)
            self._streams[stream.index] = target.add_stream_from_template(stream)
        if start_s > _SEEK_EARLIER_S and self._streams:
            self._source.seek(int((self._zero_s - _SEEK_EARLIER_S) * 1e6))
        self._packets = self._source.demux(self._source.streams.audio) if self._streams else iter(())
        self._waiting = self._read()

    def copy(self, until_s: float) -> None:
        """Copy on, up to a time on the new file's clock."""
        while self._waiting is not None and self._waiting[0] < until_s:
            self._target.mux(self._waiting[1])
            self._waiting = self._read()

    def _read(self) -> tuple[float, Packet[AudioStream]] | None:
        """The next packet, moved to the new file's clock, and its time on it; None when there are no more."""
        for packet in self._packets:
            if packet.pts is None or packet.dts is None:
                continue
            shift = round(self._zero_s / packet.time_base)
            packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
            if self._start_s > 0 and packet.pts < 0:
                continue
            packet.stream = self._streams[packet.stream_index]
            return float(packet.pts * packet.time_base), packet
        return None

    def close(self) -> None:
        self._source.close()
