"""What a service allows, and the one home of these limits."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, fields
from numbers import Integral, Real
from typing import Any

from mien.errors import OptionError
from mien.options import MAX_THREADS, available_cores

MEGABYTE = 10**6
TOKEN_VARIABLE = "MIEN_TOKEN"
"""Environment variable that the bearer token is read from."""


FORMATS = {
    **{name: name.upper() for name in ("jpeg", "png", "webp", "gif", "bmp", "tiff", "avif", "ppm")},
    "jpeg2000": "JPEG2000",
}
"""Picture formats by the names that people know them by, and Pillow's. JPEG 2000 takes far longer to decode than
others for files of a few kilobytes; a service reads it only if it is told to."""

_RANGES = {"queue": (0, 10_000), "workers": (0, MAX_THREADS), "pixel_rate": (0, 1e15), "min_rate": (0, 1e15)}


def _token() -> str | None:
    return os.environ.get(TOKEN_VARIABLE) or None


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Limits of a service. Whoever exceeds one is told so with a 4xx or 503 answer; see docs/server.md.

    Attributes:
        token: What clients must send as ``Authorization: Bearer``; None lets anyone in. Taken from the environment
            variable ``MIEN_TOKEN`` unless given.
        workers: Pictures and frames read at once, each on one thread; 0 for one per core.
        queue: Requests that may wait beside those being read; one more is told to come back later.
        max_body: Bytes of one ``/v1/analyze`` request.
        max_images: Pictures in it.
        max_pixels: Pixels of one picture or frame.
        max_request_pixels: Pixels of all pictures of a request together.
        pixel_rate: Pixels a second that one client, told by its address, may have read for long; what it has saved up
            never exceeds ``max_request_pixels``. 0 for 50 million per worker.
        formats: Picture formats that are read, of `FORMATS`.
        max_uploads: Bytes of pictures that are held at a time, over all requests.
        min_rate: Bytes a second that an upload must bring on average, after its first seconds.
        timeout_s: Seconds that the upload of pictures may take, and then their reading.
        max_video: Bytes of one video.
        max_frames: Frames read of it; then the result says that it stopped there.
        video_timeout_s: Seconds that the upload of a video may take, and then its reading; likewise.
        max_videos: Videos that wait or are read at a time, one after the other; the disk holds so many times
            ``max_video`` at most.
        keep_results: Results of videos kept for fetching; the oldest goes first.
        keep_s: Seconds for which one is kept.
        max_streams: Connections of ``/v1/stream`` at a time.
        max_frame: Bytes of one of their frames.
        idle_s: Seconds without a frame after which such a connection is closed.
        max_connections: Connections at a time; one more is told to come back later.
        header_s: Seconds in which a client must have sent the head of its request.
        grace_s: Seconds that requests have to end when the service stops.
        allowed_hosts: Names under which clients may address the service (their ``Host`` header), without port. None
            given allows, where a token is needed, all; else the names of this machine's loopback and any IP address,
            so that no web page can reach the service under a name of its own (DNS rebinding).
        cors_origins: Web pages, as ``https://example.org``, whose scripts may use the service; ``*`` for all.

    Raises:
        OptionError: If a value lies outside its range.
    """

    token: str | None = field(default_factory=_token, repr=False)
    workers: int = 0
    queue: int = 32
    max_body: int = 32 * MEGABYTE
    max_images: int = 32
    max_pixels: int = 50_000_000
    max_request_pixels: int = 200_000_000
    pixel_rate: int = 0
    formats: tuple[str, ...] = ("jpeg", "png", "webp", "gif", "bmp", "tiff", "avif", "ppm")
    max_uploads: int = 256 * MEGABYTE
    min_rate: int = 10_000
    timeout_s: float = 30.0
    max_video: int = 256 * MEGABYTE
    max_frames: int = 20_000
    video_timeout_s: float = 900.0
    max_videos: int = 4
    keep_results: int = 16
    keep_s: float = 900.0
    max_streams: int = 16
    max_frame: int = 4 * MEGABYTE
    idle_s: float = 60.0
    max_connections: int = 256
    header_s: float = 10.0
    grace_s: float = 8.0
    allowed_hosts: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for each in fields(self):
            if isinstance(each.default, int | float):
                _check(each.name, getattr(self, each.name), type(each.default))
        if self.token is not None and not all("!" <= character <= "~" for character in self.token or " "):
            raise OptionError("must be made of printable ASCII characters without spaces, one at least", field="token")
        if self.max_uploads < self.max_body:
            raise OptionError(
                f"must be max_body, {self.max_body}, or more, found {self.max_uploads}", field="max_uploads"
            )
        for name in self.formats:
            if name not in FORMATS:
                raise OptionError(f"must be some of {', '.join(FORMATS)}, found {name!r}", field="formats")
        for host in self.allowed_hosts:
            if not re.fullmatch(r"[\w.:-]+", host) or host.rpartition(":")[2].isdecimal():
                raise OptionError(f"must be names without a port, found {host!r}", field="allowed_hosts")
        for origin in self.cors_origins:
            if origin not in ("*", "null") and not re.fullmatch("https?://[^/]+", origin):
                raise OptionError(f"cors origin {origin!r} must look like https://example.org, without a path, or be *")

    @property
    def threads(self) -> int:
        """Number of worker threads: `workers`, or one per core that this process may use."""
        return self.workers or available_cores()

    @property
    def client_rate(self) -> int:
        """Pixels a second for one client: `pixel_rate`, or 50 million per worker."""
        return self.pixel_rate or 50_000_000 * self.threads


def _check(name: str, value: Any, kind: type) -> None:
    # True is a number to Python, but hardly meant as one.
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    low, high = _RANGES.get(name, (0.001, 1e15))
    if not (whole or (kind is float and isinstance(value, Real))) or not low <= value <= high:
        expected = f"lie in {low}..{high}" if high < 1e15 else "be above 0"
        raise OptionError(f"must {expected}{' and whole' * (kind is int)}, found {value!r}", field=name)
