"""What the commands share: errors on stderr, progress bars, tables."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mien.errors import OptionError

_T = TypeVar("_T")

# A file called :smile:.jpg is to be called so in messages, hence no emoji.
errors = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)
# Into a file or pipe tables are as wide as they need to be.
tables = Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 10_000)


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


def check_outputs(option: str, outputs: Iterable[Path], force: bool, inputs: Iterable[Path] = ()) -> None:
    """Refuse files that cannot be written, or should not be, before any work is done.

    Args:
        option: What the command line calls them, for messages: ``--table``.
        outputs: The files to write.
        force: As for `refuse_existing`.
        inputs: The files to read; none of them is ever overwritten.

    Raises:
        OptionError: If a file cannot be written, exists already or is one of the inputs.
    """
    from mien.files import check_writable

    outputs = list(outputs)
    refuse_existing(option, outputs, force, inputs)
    for path in outputs:
        check_writable(path)


def check_output_folder(option: str, folder: Path) -> None:
    """Refuse a folder that cannot be written to, before any work is done; one that is missing is made later.

    Args:
        option: What the command line calls it, for messages.
        folder: The folder.

    Raises:
        OptionError: If it cannot be made or written to.
    """
    from mien.files import check_folder

    try:
        check_folder(folder)
    except OSError as error:
        raise OptionError(f"{option} {folder}: folder cannot be written to: {error.strerror}") from error


def refuse_existing(option: str, outputs: Iterable[Path], force: bool, inputs: Iterable[Path] = ()) -> None:
    """Nothing is overwritten unasked: refuse files that exist, before any work is done.

    Args:
        option: What the command line calls them, for messages: ``--table``.
        outputs: The files to write.
        force: Whether existing files may be replaced.
        inputs: The files to read; none of them is ever overwritten.

    Raises:
        OptionError: If a file exists already or is one of the inputs.
    """
    read = {os.path.realpath(path) for path in inputs}
    for path in outputs:
        if os.path.realpath(path) in read:
            raise OptionError(f"{option} {path}: would overwrite an input file; choose another name")
        # Unlike Path.exists this notices links to nothing, and names that are too long are no error yet.
        if os.path.lexists(path) and not path.is_dir() and not force:
            raise OptionError(f"{option} {path}: exists already; choose another name, or add --force to replace it")


def refuse_same(option: str, outputs: Iterable[Path], inputs: Iterable[Path], hint: str) -> None:
    """Refuse files that would be written twice.

    Args:
        option: The option with its value, for messages: ``--annotate seen``.
        outputs: The file to write for each input.
        inputs: The files to read.
        hint: What to do about it.

    Raises:
        OptionError: If two inputs would be written to one file.
    """
    sources: dict[Path, Path] = {}
    for path, source in zip(outputs, inputs, strict=True):
        if path in sources:
            raise OptionError(f"{option}: {sources[path]} and {source} would be written to one file; {hint}")
        sources[path] = source
