"""What the commands share: errors on stderr, progress bars, tables."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import NoReturn, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_T = TypeVar("_T")

errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
# Into a file or pipe tables are as wide as they need to be.
tables = Console(highlight=False, width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 200)


def complain(message: str) -> None:
    """Say in one line on stderr what went wrong."""
    errors.print(f"mien: {message}")


def fail(message: str, code: int = 1) -> NoReturn:
    """Say what went wrong and end the program."""
    complain(message)
    sys.exit(code)


def with_progress(items: Iterable[_T], total: int, what: str) -> Iterator[_T]:
    """Loop with a progress bar on stderr, where stderr is a terminal and there is something to wait for."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True, disable=total < 2 or not errors.is_terminal) as bar:
        yield from bar.track(items, total=total)
