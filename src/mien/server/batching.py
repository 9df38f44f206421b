"""Faces of concurrent requests are classified together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mien.classification.classifier import EmotionClassifier

MAX_BATCH = 64
"""Faces in one run of the network; more gain nothing and make everybody wait for the whole batch."""


class _Order(NamedTuple):
    crops: NDArray[np.uint8]
    answer: Future[NDArray[np.float32]]


class BatchingClassifier(EmotionClassifier):
    """A classifier that gathers the faces of many threads into one run of the network.

    Nobody waits for company: what arrives while the network runs makes up the next batch, and where nothing else
    arrives a face is read alone. Safe to use from several threads at once, until it is closed.

    Args:
        classifier: The classifier that does the work.
        on_batch: Told the number of faces of each run.
    """

    def __init__(self, classifier: EmotionClassifier, on_batch: Callable[[int], None] = lambda faces: None) -> None:
        self.config = classifier.config
        self._classifier = classifier
        self._on_batch = on_batch
        self._orders: SimpleQueue[_Order | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name="mien-classify", daemon=True)
        self._thread.start()

    def predict_logits(self, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> NDArray[np.float32]:
        """As `EmotionClassifier.predict_logits`; waits until the network has got round to it."""
        if not len(crops):
            return self._classifier.predict_logits(crops)
        order = _Order(np.asarray(crops, np.uint8), Future())
        self._orders.put(order)
        return order.answer.result()

    def close(self) -> None:
        """Finish what was ordered, then stop. Nothing can be ordered afterwards."""
        self._orders.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (order := self._orders.get()) is not None:
            batch, faces, last = [order], len(order.crops), False
            with suppress(Empty):
                while faces < MAX_BATCH and not last:
                    following = self._orders.get_nowait()
                    if following is None:
                        last = True
                    else:
                        batch.append(following)
                        faces += len(following.crops)
            self._run(batch, faces)
            if last:
                return

    def _run(self, batch: list[_Order], faces: int) -> None:
        try:
            self._on_batch(faces)
            answers = self._classifier.predict_logits(np.concatenate([order.crops for order in batch]))
        except Exception as error:  # Whatever it was, those who wait must hear of it.
            for order in batch:
                order.answer.set_exception(error)
            return
        ends = np.cumsum([len(order.crops) for order in batch])
        for order, part in zip(batch, np.split(answers, ends[:-1]), strict=True):
            order.answer.set_result(part)
