"""Doing things side by side, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

_T = TypeVar("_T")
_R = TypeVar("_R")


def map_ahead(work: Callable[[_T], _R], items: Iterable[_T], workers: int) -> Generator[_R, None, None]:
    """Work on items in several threads, a few ahead of what has been taken.

    Args:
        work: What to do with an item; what it raises is raised in place of its answer.
        items: As many as there are, read only a few ahead, so that they may be endless.
        workers: Threads.

    Yields:
        The answers, in the order of the items.
    """
    waiting_items = iter(items)
    with ThreadPoolExecutor(workers, "mien-work") as pool:
        waiting = deque(pool.submit(work, item) for item in islice(waiting_items, 2 * workers))
        try:
            while waiting:
                answer = waiting.popleft().result()
                waiting.extend(pool.submit(work, item) for item in islice(waiting_items, 1))
                yield answer
        finally:
            for future in waiting:
                future.cancel()
