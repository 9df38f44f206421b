"""Options and arguments that several commands share, declared once; their defaults are those of `AnalyzerOptions`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.options import AnalyzerOptions

DEFAULTS = AnalyzerOptions()

ModelOption = Annotated[str, typer.Option("--model", help="Name of a shipped model, or a model folder.")]
DetectorOption = Annotated[str, typer.Option("--detector", help="Face detector: yunet or haar.")]
MinConfidenceOption = Annotated[
    float | None,
    typer.Option(
        "--min-confidence", help="Call answers below this confidence uncertain, 0 to 1.  [default: the model's]"
    ),
]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")]
ThreadsOption = Annotated[int, typer.Option("--threads", help="Threads for the networks; 0 takes all cores.")]

_DATA = "fer2013.csv (plain or .xz), a tree of class folders, or a folder with labels.csv."
DataArgument = Annotated[Path, typer.Argument(help=_DATA)]
DataOption = Annotated[Path, typer.Option("--data", help=_DATA)]
VotesOption = Annotated[
    Path | None, typer.Option("--votes", help="FER+ votes: ferplus_votes.csv or the public fer2013new.csv.")
]
UsageOption = Annotated[str, typer.Option("--usage", help="Split: Training, PublicTest or PrivateTest.")]
OneJsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
