"""Pictures, one after the other."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from mien.analyzer import Analyzer
from mien.apps.desktop.live import FrameWithResult
from mien.errors import MienError
from mien.images import read_image

_LOG = logging.getLogger(__name__)


class Album:
    """Reads the pictures that are looked at on a thread of its own, since a large one takes a second.

    Args:
        analyzer: Reads the faces.
        paths: The pictures, at least one.

    Attributes:
        number: Which picture is looked at, from 0.
        error: Why the picture cannot be read; None unless it cannot.
    """

    def __init__(self, analyzer: Analyzer, paths: Sequence[Path]) -> None:
        self.number = 0
        self.error: MienError | None = None
        self._analyzer = analyzer
        self._paths = list(paths)
        self._executor = ThreadPoolExecutor(1, "mien-pictures")
        self._pending = self._executor.submit(self._read, self._paths[0])

    def __len__(self) -> int:
        return len(self._paths)

    @property
    def name(self) -> str:
        """File name of the picture that is looked at."""
        return self._paths[self.number].name

    @property
    def busy(self) -> bool:
        """Whether the picture is still being read."""
        return not self._pending.done()

    def step(self, by: int) -> None:
        """Look at the picture so many places on; after the last comes the first."""
        self._pending.cancel()
        self.number = (self.number + by) % len(self._paths)
        self.error = None
        self._pending = self._executor.submit(self._read, self._paths[self.number])

    def take(self) -> FrameWithResult | None:
        """The picture, once when it has been read; None before and after, and where it cannot be read."""
        if not self._pending.done():
            return None
        pending, self._pending = self._pending, _nothing()
        try:
            return pending.result()
        except MienError as error:
            self.error = error
        except Exception as error:  # Whatever it is, the window must live on and say it.
            _LOG.exception("%s", self.name)
            self.error = MienError(f"cannot be read: {error}", self.name)
        return None

    def close(self) -> None:
        """Stop reading."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _read(self, path: Path) -> FrameWithResult | None:
        frame = read_image(path, self._analyzer.options.max_pixels)
        return FrameWithResult(frame, self._analyzer.analyze_frame(frame, str(path)))


def _nothing() -> Future[FrameWithResult | None]:
    future: Future[FrameWithResult | None] = Future()
    future.set_result(None)
    return future
