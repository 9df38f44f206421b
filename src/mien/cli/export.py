"""``mien export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.classification.model_config import CONFIG_FILE
from mien.cli.data import load_data, require_training
from mien.cli.options import ForceOption, one_of
from mien.cli.output import tables
from mien.errors import OptionError


def export(
    run: Annotated[Path, typer.Argument(help="Run folder that mien train made.")],
    data: Annotated[Path, typer.Option(help="The data it was trained on, to calibrate on its held-out faces.")],
    out: Annotated[Path, typer.Option(help="Model folder to create.")],
    votes: Annotated[Path | None, typer.Option(help="FER+ votes, if it was trained with votes.")] = None,
    checkpoint: Annotated[str, typer.Option(help="best or last.", autocompletion=one_of("best", "last"))] = "best",
    average: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="RUN",
            help="Another run, or a model, to export the mean of all weights; may be given several times.",
        ),
    ] = None,
    int8: Annotated[
        bool,
        typer.Option("--int8", help="Add the network in 8-bit numbers, if it costs half a point of accuracy at most."),
    ] = False,
    force: ForceOption = False,
) -> None:
    """Turn a trained network into a model folder for --model."""
    require_training("exporting")
    from mien.training.export import export_run

    # Said before the data are read, which takes a while.
    if out.exists() and not force:
        raise OptionError(f"--out {out}: exists already; choose another name, or add --force to replace it")
    if out.exists() and not (out / CONFIG_FILE).is_file():
        raise OptionError(f"--out {out}: is not a model folder, and nothing else is replaced; choose another name")
    faces = load_data(data, votes)
    difference = export_run(run, faces, out, checkpoint, average or (), replace=force)
    tables.print(f"exported: {out}; probabilities differ from PyTorch's by at most {difference:.1e}")
    if int8:
        from mien.training.quantize import quantize_folder

        loss = quantize_folder(out, faces)
        points = 100 * (loss.before - loss.after)
        tables.print(
            f"8 bits: accuracy on PublicTest {loss.after:.4f} against {loss.before:.4f} with 32 bits, "
            + (f"{points:.2f} points lost" if loss.kept else f"{points:.2f} points lost, too many; not kept"),
            soft_wrap=True,
        )
