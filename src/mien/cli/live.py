"""``mien live``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.options import analyzer_options
from mien.options import AnalyzerOptions


@analyzer_options()
def live(
    camera: Annotated[
        str, typer.Option(metavar="NUMBER|URL|FILE", help="Number of a camera, address of one, or a video file.")
    ] = "0",
    folder: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Save screenshots and recordings here.  [default: the last one chosen]"),
    ] = None,
    *,
    options: AnalyzerOptions,
) -> None:
    """Open the desktop app: live camera, videos and pictures in a window.

    Keys: SPACE pause, S screenshot, R record, A all emotions, C camera, V video, P pictures, F folder, Q or ESC quit.
    """
    from mien.apps.desktop.app import run

    run(options, camera, folder)
