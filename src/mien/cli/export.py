"""``mien export``."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from mien.cli.output import tables
from mien.errors import MissingExtraError


def export(
    run: Annotated[Path, typer.Argument(help="Run folder that mien train made.")],
    data: Annotated[Path, typer.Option(help="The fer2013.csv it was trained on, to calibrate on its held-out faces.")],
    out: Annotated[Path, typer.Option(help="Model folder to create.")],
    votes: Annotated[Path | None, typer.Option(help="FER+ votes, if it was trained with votes.")] = None,
    checkpoint: Annotated[str, typer.Option(help="best or last.")] = "best",
) -> None:
    """Turn a trained network into a model folder for --model."""
    if find_spec("lightning") is None or find_spec("torch") is None:
        raise MissingExtraError("exporting", "train")
    from mien.datasets import read_fer2013, read_votes
    from mien.training.export import export_run

    faces = read_fer2013(data)
    if votes is not None:
        faces = read_votes(votes, faces)
    difference = export_run(run, faces, out, checkpoint)
    tables.print(f"exported: {out}; probabilities differ from PyTorch's by at most {difference:.1e}")
