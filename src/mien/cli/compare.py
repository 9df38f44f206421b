"""``mien compare``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from mien.cli.data import load_data, require_training
from mien.cli.options import DataOption, UsageOption
from mien.cli.output import tables, with_progress


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Run folders that mien train made.")],
    data: DataOption,
    usage: UsageOption = "PublicTest",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per run and line.")] = False,
) -> None:
    """Measure several runs on the same faces: one table."""
    require_training("comparing runs")
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from mien.training.compare import measure_run

    faces = load_data(data).of_usage(usage)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("run", overflow="fold")
    for name in ("accuracy", "macro-F1", "ECE", "param", "MACs", "ms", "MB"):
        table.add_column(name, justify="right", no_wrap=True)
    folder = _common_folder(runs)
    for run in with_progress(runs, len(runs), "measuring"):
        row = measure_run(run, faces)
        if as_json:
            print(json.dumps(row.to_dict()), flush=True)
            continue
        figures = (f"{row.accuracy:.4f}", f"{row.macro_f1:.4f}", f"{row.ece:.3f}")
        size = (f"{row.parameters / 1e6:.2f}", f"{row.macs / 1e6:.0f}", f"{row.ms:.2f}", f"{row.megabytes:.1f}")
        place = run.absolute().relative_to(folder)
        # A run is mostly called after its network, which need not be said twice.
        label = str(place) if place.name == row.network else f"{place}\n{row.network}"
        table.add_row(Text(label), *figures, *size)
    if not as_json:
        tables.print(table)
        tables.print(f"{len(faces)} {usage} faces; param and MACs in millions; ms per face on one thread")


def _common_folder(runs: list[Path]) -> Path:
    """The folder that all runs lie in, so that the table need not repeat it."""
    return Path(os.path.commonpath([run.absolute().parent for run in runs]))
