"""``mien train``."""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from mien.cli.data import load_data, require_training
from mien.cli.options import DataOption, VotesOption
from mien.cli.output import tables


def train(
    recipe: Annotated[Path, typer.Argument(help="Recipe file, for example recipes/mien.yaml.")],
    data: DataOption,
    out: Annotated[Path, typer.Option(help="Run folder to create.")],
    votes: VotesOption = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
    no_pretrained: Annotated[
        bool, typer.Option("--no-pretrained", help="Start a timm: network from random weights.")
    ] = False,
    start: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Shipped model, model folder or run folder to begin with.")
    ] = None,
    teacher: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RUN", help="Run or model folder to learn from beside the labels; may be given several times."
        ),
    ] = None,
    devices: Annotated[
        int | None,
        typer.Option(min=1, help="Processes on this machine, one per GPU.  [default: all GPUs, or one on the CPU]"),
    ] = None,
    nodes: Annotated[int, typer.Option(min=1, help="Machines; start the command on each, see docs/training.md.")] = 1,
) -> None:
    """Train a network."""
    require_training("training")
    # Read when torch is loaded. Threads that spin while they wait for each other take the cores from themselves as soon
    # as anything else runs on the machine; asleep they cost an idle machine next to nothing.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from mien.training.fit import fit, is_first_process
    from mien.training.recipes import load_recipe

    plan = load_recipe(recipe)
    if no_pretrained:
        plan = replace(plan, pretrained=False, freeze_epochs=0)
    if start is not None:
        plan = replace(plan, start=start, pretrained=False)
    if teacher:
        plan = replace(plan, distil=replace(plan.distil, teachers=tuple(teacher)))
    progress = sys.stderr.isatty()
    if not progress:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
        logging.getLogger("httpx").setLevel(logging.WARNING)
    # Lightning greets and advertises.
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    faces = load_data(data, votes)
    folder = fit(plan, faces, out, resume=resume, progress=progress, devices=devices, nodes=nodes)
    if is_first_process():
        tables.print(f"trained: {folder}; next: mien export {folder}", soft_wrap=True)
