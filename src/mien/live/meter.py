"""How many frames a second."""

from __future__ import annotations

import math
from collections import deque


class RateMeter:
    """Events per second over the last moments.

    Args:
        window_s: Seconds looked back on. Longer is steadier, and slower to show a change.
    """

    def __init__(self, window_s: float = 2.0) -> None:
        self._window_s = window_s
        self._times: deque[float] = deque()

    def tick(self, now_s: float) -> None:
        """Count an event at this time."""
        self._times.append(now_s)
        self._drop(now_s)

    def rate(self, now_s: float) -> float:
        """Events per second, 0.0 while there are fewer than two."""
        self._drop(now_s)
        if len(self._times) < 2:
            return 0.0
        # Frames that arrive several at once all count from the time of those before them.
        first = self._times[0]
        later = sum(1 for time_s in self._times if time_s > first)
        return later / max(1e-6, self._times[-1] - first)

    def _drop(self, now_s: float) -> None:
        while self._times and now_s - self._times[0] > self._window_s:
            self._times.popleft()


class Average:
    """Values averaged over the last so many seconds, later ones counting more.

    Args:
        time_constant_s: Seconds after which a value counts for 37%.
    """

    def __init__(self, time_constant_s: float = 0.7) -> None:
        self._constant_s = time_constant_s
        self._values: dict[str, float] = {}
        self._last_s = -math.inf

    def update(self, values: dict[str, float], now_s: float) -> dict[str, float]:
        """Take in values and return the averages so far, by the same names."""
        share = -math.expm1(-(now_s - self._last_s) / self._constant_s)
        self._last_s = now_s
        self._values = {
            name: value + (1 - share) * (self._values.get(name, value) - value) for name, value in values.items()
        }
        return dict(self._values)
