"""Probabilities that do not jump from frame to frame, and labels that do not flicker."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.emotions import Emotion
from mien.errors import OptionError

SWITCH_MARGIN = 0.1
"""How much likelier than the shown emotion another must be to replace it at once. More flickers less and follows
later."""
SETTLE_S = 0.5
"""Seconds for which another emotion must have been likelier, by however little, to replace the shown one. For no
longer do the label and the probabilities disagree."""


@dataclass(slots=True)
class _State:
    time_s: float
    probabilities: NDArray[np.float64]
    emotion: Emotion
    # Since when another emotion has been likelier than the shown one.
    behind_since_s: float | None = None


class EmotionSmoother:
    """Smooths the probabilities of each track over time.

    An exponential moving average for uneven steps: a sample that comes dt seconds after the last one moves the
    average by 1 - exp(-dt / time constant) of the way (Müller 1991; Eckner 2012, "Algorithms for unevenly spaced
    time series"). Hence the frame rate does not matter. The label is the likeliest emotion, except that it stays as
    long as no other is likelier by `SWITCH_MARGIN`, or by less for `SETTLE_S` on end.

    Args:
        time_constant_s: Seconds after which 63% of a sudden change shows. 0 leaves the probabilities as they are.

    Raises:
        OptionError: If it is negative.
    """

    def __init__(self, time_constant_s: float) -> None:
        if not time_constant_s >= 0:
            raise OptionError(f"must be 0 seconds or more, found {time_constant_s}", field="smoothing_s")
        self.time_constant_s = time_constant_s
        self._states: dict[int, _State] = {}

    def update(
        self, track: int, probabilities: NDArray[np.floating] | Sequence[float], time_s: float
    ) -> tuple[NDArray[np.float64], Emotion]:
        """Take in what was read on a face.

        Args:
            track: Whose face it is.
            probabilities: Of the seven emotions, (7,).
            time_s: When, in seconds; not before the last time for this track.

        Returns:
            The smoothed probabilities, (7,), adding up to 1 as the given ones do, and the emotion to show.
        """
        new = np.asarray(probabilities, np.float64)
        order = list(Emotion)
        state = self._states.get(track)
        if state is None:
            self._states[track] = _State(time_s, new, order[int(new.argmax())])
            return new, self._states[track].emotion
        elapsed = max(0.0, time_s - state.time_s)
        share = -math.expm1(-elapsed / self.time_constant_s) if self.time_constant_s else 1.0
        state.probabilities = state.probabilities + share * (new - state.probabilities)
        state.time_s = time_s
        likeliest = int(state.probabilities.argmax())
        lead = state.probabilities[likeliest] - state.probabilities[state.emotion.number]
        if lead <= 0:
            state.behind_since_s = None
        elif state.behind_since_s is None:
            state.behind_since_s = time_s
        if lead >= SWITCH_MARGIN or (state.behind_since_s is not None and time_s - state.behind_since_s >= SETTLE_S):
            state.emotion, state.behind_since_s = order[likeliest], None
        return state.probabilities, state.emotion

    def keep(self, tracks: Collection[int]) -> None:
        """Forget every track but these."""
        self._states = {track: state for track, state in self._states.items() if track in tracks}

    def rename(self, old: int, new: int) -> None:
        """Continue one track under another number."""
        if old in self._states:
            self._states[new] = self._states.pop(old)
