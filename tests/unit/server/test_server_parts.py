"""Batches and places."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("fastapi", reason="needs the extra server")
from mien.classification.classifier import EmotionClassifier
from mien.server.batching import MAX_BATCH, BatchingClassifier
from mien.server.limits import Limiter
from mien.server.problems import ProblemError

Crops = NDArray[np.uint8]


class Echo(EmotionClassifier):
    """Answers with the first pixel of each face; the first run waits for `go`."""

    def __init__(self) -> None:
        self.go, self.begun = Event(), Event()
        self.batches: list[int] = []
        self.config = None  # type: ignore[assignment]

    def predict_logits(self, crops: Sequence[Crops] | Crops) -> NDArray[np.float32]:
        self.batches.append(len(crops))
        self.begun.set()
        assert self.go.wait(10)
        if any(face[0, 0] == 255 for face in crops):
            raise ValueError("a face that breaks the network")
        return np.array([np.full((2, 7), face[0, 0], np.float32) for face in crops]).reshape(-1, 2, 7)


def faces(*values: int) -> list[Crops]:
    return [np.full((4, 4), value, np.uint8) for value in values]


def wait_for_orders(batching: BatchingClassifier, number: int) -> None:
    end = time.monotonic() + 30
    while batching._orders.qsize() < number:
        assert time.monotonic() < end, "the orders have not come"
        time.sleep(0.001)


def test_what_arrives_meanwhile_is_one_batch_and_everybody_gets_his_own() -> None:
    echo, seen = Echo(), []
    batching = BatchingClassifier(echo, seen.append)
    with ThreadPoolExecutor(5) as threads:
        first = threads.submit(batching.predict_logits, faces(1))
        assert echo.begun.wait(10)
        orders = [(2, 3), (4,), (5, 6, 7)]
        others = [threads.submit(batching.predict_logits, faces(*order)) for order in orders]
        wait_for_orders(batching, 3)
        echo.go.set()
        assert first.result()[:, 0, 0].tolist() == [1]
        assert [list(other.result()[:, 0, 0]) for other in others] == [list(order) for order in orders]
    assert echo.batches == seen == [1, 6]
    batching.close()


def test_no_faces_need_no_run() -> None:
    echo = Echo()
    echo.go.set()
    batching = BatchingClassifier(echo)
    assert batching.predict_logits([]).shape == (0, 2, 7)
    batching.close()


def test_batches_are_bounded() -> None:
    echo = Echo()
    batching = BatchingClassifier(echo)
    with ThreadPoolExecutor(8) as threads:
        orders = [threads.submit(batching.predict_logits, faces(1))]
        assert echo.begun.wait(10)
        orders += [threads.submit(batching.predict_logits, faces(*[number] * 30)) for number in range(6)]
        wait_for_orders(batching, 6)
        echo.go.set()
        assert [len(order.result()) for order in orders] == [1] + [30] * 6
    assert max(echo.batches) < MAX_BATCH + 30
    assert len(echo.batches) == 3
    batching.close()


def test_a_failure_reaches_everybody_in_the_batch_and_nobody_else() -> None:
    echo = Echo()
    echo.go.set()
    batching = BatchingClassifier(echo)
    with pytest.raises(ValueError, match="breaks the network"):
        batching.predict_logits(faces(255))
    assert len(batching.predict_logits(faces(1))) == 1
    batching.close()


def test_closing_finishes_what_was_ordered() -> None:
    echo = Echo()
    batching = BatchingClassifier(echo)
    with ThreadPoolExecutor(3) as threads:
        orders = [threads.submit(batching.predict_logits, faces(1))]
        assert echo.begun.wait(10)
        orders.append(threads.submit(batching.predict_logits, faces(2)))
        wait_for_orders(batching, 1)
        closing = threads.submit(batching.close)
        echo.go.set()
        closing.result(10)
        assert [order.result()[0, 0, 0] for order in orders] == [1, 2]


def test_places_are_given_back_after_failures_too() -> None:
    places = Limiter(1)
    with pytest.raises(ZeroDivisionError), places.take():
        with pytest.raises(ProblemError) as refused, places.take():
            pass
        assert refused.value.status == 429
        raise ZeroDivisionError
    with places.take():
        assert places.taken == 1
    assert places.taken == 0
