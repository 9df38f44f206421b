"""``mien train``."""

from __future__ import annotations

import logging
import os
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from mien.cli.data import load_data, require_training
from mien.cli.options import DataOption, VotesOption
from mien.cli.output import complain, tables


def _list_recipes(wanted: bool) -> None:
    if not wanted:
        return
    from rich import box
    from rich.table import Table

    from mien.training.shipped import shipped_recipes

    table = Table("recipe", "what it trains", box=box.SIMPLE_HEAD, pad_edge=False)
    for name, path in shipped_recipes().items():
        table.add_row(name, path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# "))
    tables.print(table)
    raise typer.Exit


def _complete_recipe(incomplete: str) -> list[str]:
    from mien.training.shipped import shipped_recipes

    return [name for name in shipped_recipes() if name.startswith(incomplete)]


def train(
    recipe: Annotated[
        str,
        typer.Argument(
            help="Name of a shipped recipe (see --list), or a recipe file.", autocompletion=_complete_recipe
        ),
    ],
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
            metavar="RUN",
            help="Run or model folder to learn from in addition to the labels; may be given several times.",
        ),
    ] = None,
    devices: Annotated[
        int | None,
        typer.Option(min=1, help="Processes on this machine, one per GPU.  [default: all GPUs, or one on the CPU]"),
    ] = None,
    nodes: Annotated[int, typer.Option(min=1, help="Machines; start the command on each, see docs/training.md.")] = 1,
    _: Annotated[
        bool, typer.Option("--list", callback=_list_recipes, is_eager=True, help="List the shipped recipes and exit.")
    ] = False,
) -> None:
    """Train a network."""
    require_training("training")
    # Read when torch is loaded. Threads that spin while they wait for each other take the cores from themselves as soon
    # as anything else runs on the machine; asleep they cost an idle machine next to nothing.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from mien.training.fit import fit, is_first_process, where_it_stopped
    from mien.training.recipe import load_recipe

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
    try:
        folder = fit(plan, faces, out, resume=resume, progress=progress, devices=devices, nodes=nodes)
    except (KeyboardInterrupt, SystemExit):
        if is_first_process():
            complain(f"{out}: {where_it_stopped(out)}")
        raise
    if is_first_process():
        tables.print(f"trained: {folder}; next: {export_command(folder, data, votes)}", soft_wrap=True)


def export_command(run: Path, data: Path, votes: Path | None) -> str:
    """The command line that exports a run, ready to be pasted into a shell."""
    parts = ["mien", "export", str(run), "--data", str(data)]
    if votes is not None:
        parts += ["--votes", str(votes)]
    return shlex.join([*parts, "--out", str(Path("models", run.absolute().name))])
