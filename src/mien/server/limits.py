"""What keeps one client from taking everything: threads, places, bytes and pixels."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock
from time import monotonic
from typing import ParamSpec, TypeVar

from mien.server.problems import ProblemError, busy, stopping

_P = ParamSpec("_P")
_T = TypeVar("_T")

# Of so many clients it is remembered how much they had read lately; with more, those who have rested go first.
_MAX_CLIENTS = 10_000


class WorkerPool:
    """A fixed number of threads that read pictures and frames, first come, first served.

    It takes all it is given: how much may wait is for `Limiter` to say.

    Args:
        threads: Number of threads.
        report: Called with the numbers of pictures and frames that wait and that are being read, when they change.
    """

    def __init__(self, threads: int, report: Callable[[int, int], None]) -> None:
        self._report = report
        self._executor = ThreadPoolExecutor(threads, "mien-read")
        self._lock = Lock()
        self._ordered = 0
        self._running = 0

    async def run(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Call a function on one of the threads. If this is cancelled while the call waits, it is never made.

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
            future: Future[_T] = self._executor.submit(work)
        except RuntimeError:
            raise stopping() from None
        self._count(ordered=1)
        future.add_done_callback(lambda _: self._count(ordered=-1))
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Finish what is being read, drop what waits."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _count(self, ordered: int = 0, running: int = 0) -> None:
        with self._lock:
            self._ordered += ordered
            self._running += running
            self._report(max(0, self._ordered - self._running), self._running)


class Limiter:
    """An amount of something, places or bytes, of which each request, stream or upload takes its part while it lasts.

    Used from the event loop alone.

    Args:
        limit: How much there is.
        refuse: Makes the answer for those who find too little.
    """

    def __init__(self, limit: int, refuse: Callable[[], ProblemError] = busy) -> None:
        self.limit, self.taken = limit, 0
        self._refuse = refuse

    @contextmanager
    def take(self, amount: int = 1) -> Iterator[Callable[[int], None]]:
        """Hold an amount; what is yielded takes more.

        Raises:
            ProblemError: If there is not so much left.
        """
        held = 0

        def more(amount: int) -> None:
            nonlocal held
            if self.taken + amount > self.limit:
                raise self._refuse()
            self.taken += amount
            held += amount

        try:
            more(amount)
            yield more
        finally:
            self.taken -= held


class PixelBudget:
    """How many pixels each client may have read over time: a token bucket per address.

    Args:
        rate: Pixels a second.
        most: What a client that has rested may have read at once.
    """

    def __init__(self, rate: float, most: float) -> None:
        self._rate, self._most = rate, most
        self._spent: dict[str, tuple[float, float]] = {}

    def spend(self, client: str, pixels: int) -> float:
        """Take pixels from a client's budget.

        Returns:
            0, or for how many seconds it must wait because the budget does not suffice; then nothing is taken.
        """
        now = monotonic()
        spent, since = self._spent.get(client, (0.0, now))
        spent = max(0.0, spent - (now - since) * self._rate)
        if spent + pixels > self._most and spent > 0:
            return max(0.05, min(spent, spent + pixels - self._most) / self._rate)
        self._spent[client] = (spent + pixels, now)
        if len(self._spent) > _MAX_CLIENTS:
            self._spent = {key: (left, at) for key, (left, at) in self._spent.items() if left > (now - at) * self._rate}
        return 0.0

    def demand(self, client: str, pixels: int) -> None:
        """As `spend`.

        Raises:
            ProblemError: If it must wait.
        """
        wait = self.spend(client, pixels)
        if wait:
            seconds = math.ceil(wait)
            detail = f"too many pixels from this client lately; come back in {seconds} s"
            raise ProblemError(429, "too_many_pixels", detail, retry_after=seconds)
