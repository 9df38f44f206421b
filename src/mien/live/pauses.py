"""What a pause is, and that it counts for nothing: in a session as in a recording."""

from __future__ import annotations

PAUSE_S = 1.0
"""Frames farther apart than this lie on both sides of a pause."""


def is_pause(step_s: float) -> bool:
    """Whether there is a pause between two frames.

    Also where a clip is played again, and its time begins anew. What was shown last counts, and stands in a recording,
    for as long as the frame before it.

    Args:
        step_s: Seconds from the one to the other.
    """
    return not 0 <= step_s <= PAUSE_S
