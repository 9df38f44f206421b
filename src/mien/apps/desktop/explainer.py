"""Which part of a face decided, found out on a thread of its own, since it takes a moment."""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor

from mien.analyzer import Analyzer
from mien.apps.desktop.live import FrameWithResult
from mien.classification.explanation import explain
from mien.classification.heatmap import draw_explanation
from mien.detection.base import Frame
from mien.errors import MienError
from mien.results import FrameResult

_LOG = logging.getLogger(__name__)


class Explainer:
    """Explains one face at a time.

    Args:
        analyzer: Reads the faces.
    """

    def __init__(self, analyzer: Analyzer) -> None:
        self._analyzer = analyzer
        self._executor = ThreadPoolExecutor(1, "mien-explain")
        self._pending: Future[FrameWithResult] | None = None

    @property
    def busy(self) -> bool:
        """Whether an explanation is on its way."""
        return self._pending is not None

    def begin(self, frame: Frame, number: int | None) -> None:
        """Explain a face by its number from left to right, from 1; None for the largest."""
        self._pending = self._executor.submit(self._explain, frame, number)

    def cancel(self) -> None:
        """Forget what was asked for."""
        self._pending = None

    def take(self) -> FrameWithResult | None:
        """The picture of the explanation, once when it is done; None before.

        Raises:
            MienError: If there is none, with what to say about it.
        """
        if self._pending is None or not self._pending.done():
            return None
        pending, self._pending = self._pending, None
        try:
            return pending.result()
        except MienError as error:
            raise MienError(f"Nothing to explain: {error.reason}") from error
        except Exception as error:
            # Whatever it is, the window must live on and say it.
            _LOG.exception("explaining failed")
            raise MienError(f"The explanation failed: {error}") from error

    def close(self) -> None:
        """Stop."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _explain(self, frame: Frame, number: int | None) -> FrameWithResult:
        picture = draw_explanation(explain(frame, number, analyzer=self._analyzer))
        return FrameWithResult(picture, FrameResult("", picture.shape[1], picture.shape[0], ()))
