"""``mien train``."""

from __future__ import annotations

import logging
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from mien.cli.output import tables
from mien.errors import MissingExtraError


def train(
    recipe: Annotated[Path, typer.Argument(help="Recipe file, for example recipes/mien.yaml.")],
    data: Annotated[Path, typer.Option(help="fer2013.csv, plain or .xz.")],
    out: Annotated[Path, typer.Option(help="Run folder to create.")],
    votes: Annotated[
        Path | None, typer.Option(help="FER+ votes: ferplus_votes.csv or the public fer2013new.csv.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
) -> None:
    """Train a network."""
    if find_spec("lightning") is None or find_spec("torch") is None:
        raise MissingExtraError("training", "train")
    from mien.datasets import read_fer2013, read_votes
    from mien.training.fit import fit
    from mien.training.recipes import load_recipe

    plan = load_recipe(recipe)
    progress = sys.stderr.isatty()
    if not progress:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    faces = read_fer2013(data)
    if votes is not None:
        faces = read_votes(votes, faces)
    folder = fit(plan, faces, out, resume=resume, progress=progress)
    tables.print(f"trained: {folder}; next: mien export {folder}")
