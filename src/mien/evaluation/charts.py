"""Writing charts."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from mien.errors import OptionError
from mien.files import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write a chart in the format that the suffix names, whole or not at all.

    Raises:
        OptionError: If the suffix is none that matplotlib writes.
        OSError: If the file cannot be written.
    """
    kinds = figure.canvas.get_supported_filetypes()
    kind = path.suffix.lower().lstrip(".")
    if kind not in kinds:
        raise OptionError(f"unknown chart format {path.suffix!r}; use .png, .svg or .pdf", path)
    content = BytesIO()
    figure.savefig(content, format=kind, dpi=150)
    write_whole(path, content.getvalue())
