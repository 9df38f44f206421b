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


def _token() -> str | None:
    return os.environ.get(TOKEN_VARIABLE) or None


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Limits of a service. Whoever exceeds one is told so with a 4xx or 503 answer; see docs/server.md.

    Attributes:
        token: What clients must send as ``Authorization: Bearer``; None lets everybody in. Taken from the environment
            variable ``MIEN_TOKEN`` unless given.
        workers: Pictures and frames read at once, each on one thread; 0 for one per core.
        queue: Requests that may wait beside those being read; one more is told to come back later.
        max_body: Bytes of one ``/v1/analyze`` request.
        max_images: Pictures in it.
        max_pixels: Pixels of one picture or frame.
        timeout_s: Seconds that the upload of pictures may take, and then their reading.
        max_video: Bytes of one video.
        max_frames: Frames read of it; then the result says that it stopped there.
        video_timeout_s: Seconds that the upload of a video may take, and then its reading; likewise.
        max_videos: Videos that are uploaded, wait or are read at a time, one after the other.
        keep_results: Results of videos kept for fetching; the oldest goes first.
        keep_s: Seconds for which one is kept.
        max_streams: Connections of ``/v1/stream`` at a time.
        max_frame: Bytes of one of their frames.
        idle_s: Seconds without a frame after which such a connection is closed.
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
    cors_origins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for each in fields(self):
            if isinstance(each.default, int | float):
                _check(each.name, getattr(self, each.name), type(each.default))
        if self.token is not None and not all("!" <= character <= "~" for character in self.token or " "):
            raise OptionError("must be made of printable ASCII characters without spaces, one at least", field="token")
        for origin in self.cors_origins:
            if origin not in ("*", "null") and not re.fullmatch("https?://[^/]+", origin):
                raise OptionError(f"cors origin {origin!r} must look like https://example.org, without a path, or be *")

    @property
    def threads(self) -> int:
        """Number of worker threads: `workers`, or one per core that this process may use."""
        return self.workers or available_cores()


def _check(name: str, value: Any, kind: type) -> None:
    # True is a number to Python, but hardly meant as one.
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    low, high = (0, 10_000) if name == "queue" else (0, MAX_THREADS) if name == "workers" else (0.001, 1e15)
    if not (whole or (kind is float and isinstance(value, Real))) or not low <= value <= high:
        expected = f"lie in {low}..{high}" if high < 1e15 else "be above 0"
        raise OptionError(f"must {expected}{' and whole' * (kind is int)}, found {value!r}", field=name)
