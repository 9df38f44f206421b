"""The errors mien raises on purpose.

Each carries its parts: what is wrong (``reason``), what it is about (``source``) and, for options, which one
(``field``). As text it is one line that says what was expected, what came, and what to do about it; a front end
that has other words for its people builds its own line from the parts.
"""

from __future__ import annotations

import os
from typing import Any


class MienError(Exception):
    """Base of every error that mien raises on purpose.

    Args:
        reason: What is wrong and what to do about it, without naming the source.
        source: What it is about: a file, a model, a stream; None where there is nothing to name.

    Attributes:
        reason: As given.
        source: As given, as text.
    """

    def __init__(self, reason: str, source: str | os.PathLike[str] | None = None) -> None:
        self.reason = reason
        self.source = None if source is None else os.fspath(source)
        super().__init__(self._line())

    def _line(self) -> str:
        return self.reason if self.source is None else f"{self.source}: {self.reason}"

    def __str__(self) -> str:
        return self._line()

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors cross process boundaries, where only `args` would be handed to the class again.
        return _restore, (type(self), self.args, self.__dict__)


def _restore(kind: type[MienError], args: tuple[Any, ...], parts: dict[str, Any]) -> MienError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(parts)
    return error


class ImageError(MienError, ValueError):
    """A picture that cannot be read: missing, empty, truncated, of an unknown format or too large."""


class VideoError(MienError, ValueError):
    """A video that cannot be read."""


class OutputError(MienError, OSError):
    """A file that cannot be written: the place is gone, or the disk is full."""

    def __str__(self) -> str:
        return self._line()


class OptionError(MienError, ValueError):
    """An option or argument outside what is allowed.

    Args:
        reason: What is wrong with it; after a field the line goes on from its name: ``must be 0 or more, found -1``.
        source: As for `MienError`.
        field: Name of the option as the library spells it, ``max_pixels``; a door translates it into its own option.
    """

    def __init__(self, reason: str, source: str | os.PathLike[str] | None = None, *, field: str | None = None) -> None:
        self.field = field
        super().__init__(reason, source)

    def _line(self) -> str:
        return super()._line() if self.field is None else f"{self.field} {self.reason}"


class ModelError(MienError, RuntimeError):
    """A model folder that is missing, incomplete or damaged."""


class DataError(MienError, ValueError):
    """A data set that does not have the expected form."""


class TrainingError(MienError, RuntimeError):
    """A training that cannot continue, for example because its loss is no longer a number."""


class MissingExtraError(MienError, ImportError):
    """A feature whose optional dependencies are not installed.

    Args:
        feature: What needs them, at the beginning of a sentence.
        extra: The extra that brings them.
    """

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs packages that are not installed; run: pip install 'mien[{extra}]'")


class CameraError(MienError, RuntimeError):
    """A camera that is missing, in use by another program, or gone."""


class WindowError(MienError, RuntimeError):
    """A window that cannot be opened: no tkinter, or no screen."""
