"""Where pictures are read: a fixed number of threads, and no more places than can be served."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock
from typing import ParamSpec, TypeVar

from mien.server.problems import ProblemError, busy, stopping

_P = ParamSpec("_P")
_T = TypeVar("_T")


class WorkerPool:
    """A fixed number of threads that read pictures and frames, first come, first served.

    It takes whatever it is given: how much may wait is for `Limiter` to say.

    Args:
        threads: Number of threads.
    """

    def __init__(self, threads: int) -> None:
        self._executor = ThreadPoolExecutor(threads, "mien-read")
        self._lock = Lock()
        self._ordered = 0
        self._running = 0

    @property
    def waiting(self) -> int:
        """Pictures and frames that no thread has begun with."""
        return max(0, self._ordered - self._running)

    @property
    def running(self) -> int:
        """Pictures and frames that are being read."""
        return self._running

    async def run(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Call a function on one of the threads. If this is cancelled while the call waits, it is never made."""
        return await asyncio.wrap_future(self.submit(function, *args, **kwargs))

    def submit(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """As `run`, for callers without an event loop.

        Raises:
            ProblemError: If the pool is closed.
        """

        def work() -> _T:
            self._count(running=1)
            try:
                return function(*args, **kwargs)
            finally:
                self._count(running=-1)

        try:
            future = self._executor.submit(work)
        except RuntimeError:
            raise stopping() from None
        self._count(ordered=1)
        future.add_done_callback(lambda _: self._count(ordered=-1))
        return future

    def close(self) -> None:
        """Finish what is being read, drop what waits."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _count(self, ordered: int = 0, running: int = 0) -> None:
        with self._lock:
            self._ordered += ordered
            self._running += running


class Limiter:
    """A number of places, each taken by one request, connection or upload for as long as it lasts.

    Used from the event loop alone.

    Args:
        limit: How many there are.
        refuse: Makes the answer for whoever finds none.
    """

    def __init__(self, limit: int, refuse: Callable[[], ProblemError] = busy) -> None:
        self.limit, self.taken = limit, 0
        self._refuse = refuse

    @contextmanager
    def take(self) -> Iterator[None]:
        """Hold a place.

        Raises:
            ProblemError: If there is none left.
        """
        if self.taken >= self.limit:
            raise self._refuse()
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1
