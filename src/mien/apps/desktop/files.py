"""Names of the files that the app writes."""

from __future__ import annotations

from datetime import datetime
from itertools import count
from pathlib import Path


def new_path(folder: Path, suffix: str, now: datetime) -> Path:
    """A path in the folder that does not exist, named after the time: ``mien-2026-11-21-143005.png``."""
    stem = f"mien-{now:%Y-%m-%d-%H%M%S}"
    names = (f"{stem}{f'-{number}' if number > 1 else ''}{suffix}" for number in count(1))
    return next(path for path in (folder / name for name in names) if not path.exists())
