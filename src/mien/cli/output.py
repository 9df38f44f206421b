"""What the commands share: errors on stderr, progress bars, tables."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import NoReturn, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_T = TypeVar("_T")

# A file called :smile:.jpg is to be called so in messages, hence no emoji.
errors = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)
# Into a file or pipe tables are as wide as they need to be.
tables = Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 200)


# What is said of one thing is no longer than this: values that are repeated may have any length.
_MAX_MESSAGE = 1000


def one_line(message: str) -> str:
    """A message as it is fit for a terminal: control characters, which file names may hold, are written out."""
    cut = (
        message if len(message) <= _MAX_MESSAGE else f"{message[: _MAX_MESSAGE // 2]} … {message[-_MAX_MESSAGE // 2 :]}"
    )
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in cut)


def complain(message: str) -> None:
    """Say in one line on stderr what went wrong."""
    errors.print(f"mien: {one_line(message)}")


def fail(message: str, code: int = 1) -> NoReturn:
    """Say what went wrong and end the program."""
    complain(message)
    sys.exit(code)


def with_progress(items: Iterable[_T], total: int, what: str) -> Iterator[_T]:
    """Loop with a progress bar on stderr, where stderr is a terminal and there is something to wait for."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True, disable=total < 2 or not errors.is_terminal) as bar:
        yield from bar.track(items, total=total)
