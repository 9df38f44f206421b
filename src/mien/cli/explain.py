"""``mien explain``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.options import ForceOption, analyzer_options, one_of
from mien.cli.output import check_outputs, complain, tables
from mien.emotions import LABELS
from mien.errors import OptionError
from mien.options import AnalyzerOptions


@analyzer_options("smoothing", "reidentify")
def explain(
    picture: Annotated[Path, typer.Argument(help="A photo.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Picture to write, .png or .jpg.")],
    face: Annotated[
        int | None,
        typer.Option(metavar="N", help="Number of the face from left to right, from 1.  [default: the largest]"),
    ] = None,
    emotion: Annotated[
        str | None,
        typer.Option(help="The emotion to explain.  [default: the one that was read]", autocompletion=one_of(*LABELS)),
    ] = None,
    force: ForceOption = False,
    *,
    options: AnalyzerOptions,
) -> None:
    """Draw which part of a face speaks for an emotion.

    The face is covered bit by bit; what makes the emotion less likely when it is covered speaks for it.
    """
    if out.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise OptionError(f"--out {out}: unknown picture format {out.suffix!r}; use .png or .jpg")
    check_outputs("--out", [out], force, [picture])
    from mien.analyzer import load
    from mien.classification.explanation import explain as find_reasons
    from mien.classification.heatmap import draw_explanation
    from mien.images import write_image

    explanation = find_reasons(str(picture), face, emotion, load(options))
    write_image(draw_explanation(explanation), out)
    words = f"face {explanation.number}, {explanation.emotion} {explanation.probability:.0%}"
    tables.print(f"{words}: {out}", soft_wrap=True)
    if explanation.is_empty:
        complain("warning: the map is empty: no part of the face, when covered, changes this by 0.2 points on average")
