"""Ending early, and properly."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

# Ctrl-C, the end of a job or a machine, and a terminal that is closed. Windows has no SIGHUP.
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


@dataclass(slots=True)
class Interruption:
    """Whether the program was asked to end, and by which signal."""

    signal: int = 0

    def is_set(self) -> bool:
        """Whether it was."""
        return self.signal != 0

    @property
    def exit_code(self) -> int:
        """As shells have it: 130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP."""
        return 128 + self.signal


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Note signals that end a program instead of stopping at an arbitrary place; the second one stops where it stands.

    What is ignored stays ignored: SIGHUP under nohup, SIGINT in the background of a script.
    """
    interruption = Interruption()
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def note(number: int, stack_frame: object) -> None:
        interruption.signal = number
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    for number, handler in before.items():
        if handler != signal.SIG_IGN:
            signal.signal(number, note)
    try:
        yield interruption
    finally:
        restore()
