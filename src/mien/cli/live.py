"""``mien live``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.options import AnalyzerOptions

_DEFAULTS = AnalyzerOptions()


def live(
    camera: Annotated[
        str, typer.Option(metavar="NUMBER|URL|FILE", help="Number of a camera, address of one, or a video file.")
    ] = "0",
    folder: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Save screenshots and recordings here.  [default: the last one chosen]"),
    ] = None,
    detector: Annotated[str, typer.Option(help="Face detector: yunet or haar.")] = _DEFAULTS.detector,
    model: Annotated[str, typer.Option(help="Name of a shipped model, or a model folder.")] = _DEFAULTS.model,
    min_confidence: Annotated[
        float | None, typer.Option(help="Call answers below this confidence uncertain, 0 to 1.  [default: the model's]")
    ] = _DEFAULTS.min_confidence,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = _DEFAULTS.device,
    threads: Annotated[int, typer.Option(help="Threads for the networks; 0 takes all cores.")] = _DEFAULTS.threads,
) -> None:
    """Open the desktop app: live camera, videos and pictures in a window.

    Keys: SPACE pause, S screenshot, R record, A all emotions, C camera, V video, P pictures, F folder, Q or ESC quit.
    """
    options = AnalyzerOptions(
        model=model, detector=detector, min_confidence=min_confidence, device=device, threads=threads
    )
    from mien.apps.desktop.app import run

    run(options, camera, folder)
