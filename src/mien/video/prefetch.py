"""Iterating in a thread of its own."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from queue import Full, Queue
from threading import Event, Thread
from typing import TypeVar

_T = TypeVar("_T")


def prefetch(items: Iterable[_T], count: int = 4) -> Generator[_T, None, None]:
    """Iterate in a thread of its own, a few items ahead, so that the next frame is decoded while the last is read.

    Close it (`contextlib.closing`) before closing what it reads from, if it may be left before its end.
    """
    queue: Queue[_T | BaseException | None] = Queue(count)
    stop = Event()

    def put(item: _T | BaseException | None) -> bool:
        while not stop.is_set():
            try:
                queue.put(item, timeout=0.1)
            except Full:
                continue
            return True
        return False

    def work() -> None:
        try:
            for item in items:
                if not put(item):
                    return
            put(None)
        except BaseException as error:
            put(error)

    worker = Thread(target=work, name="mien-prefetch", daemon=True)
    worker.start()
    try:
        while (item := queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        # The caller closes the file next; no thread may be reading from it then.
        stop.set()
        worker.join()
