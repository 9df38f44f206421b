"""Times as people read them."""

from __future__ import annotations


def clock(seconds: float) -> str:
    """Minutes and seconds, rounded down as players do: ``1:07``; with hours from one hour on: ``1:00:07``."""
    minutes, rest = divmod(int(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
