"""``mien data``: look at labeled faces, export and balance them."""

from __future__ import annotations

import json
import logging
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.options import DataArgument, ForceOption, OneJsonOption, VotesOption
from mien.cli.output import check_outputs, errors, refuse_existing, tables, with_progress
from mien.errors import DataError, MissingExtraError, OptionError

if TYPE_CHECKING:
    from mien.evaluation.datasets import FaceSet
    from mien.training.inventory import Inventory

data = typer.Typer(no_args_is_help=True, help="Look at labeled faces, export and balance them.")


@data.command()
def info(
    source: DataArgument,
    votes: VotesOption = None,
    picture: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a bar chart, as PNG or SVG.")] = None,
    force: ForceOption = False,
    as_json: OneJsonOption = False,
) -> None:
    """Count faces per emotion and split; find duplicates and conflicts."""
    from mien.training.inventory import draw_inventory, take_inventory

    if picture is not None and find_spec("matplotlib") is None:
        raise MissingExtraError("the bar chart", "report")
    if picture is not None:
        check_outputs("--picture", [picture], force, [source])
    inventory = take_inventory(load_data(source, votes))
    if picture is not None:
        from mien.evaluation.charts import save_figure

        save_figure(draw_inventory(inventory), picture)
    if as_json:
        print(json.dumps(inventory.to_dict(), allow_nan=False), flush=True)
    else:
        _print(inventory)


@data.command()
def export(
    source: DataArgument,
    out: Annotated[Path, typer.Argument(help="Folder to write train/, val/ and test/ to.")],
    force: ForceOption = False,
) -> None:
    """Write faces as PNG files in class folders; run it again to continue after an interruption."""
    faces = load_data(source)
    written = _write(out, faces, source, force)
    tables.print(f"{out}: {len(faces)} faces, {written} of them written now", soft_wrap=True)


@data.command()
def balance(
    source: DataArgument,
    out: Annotated[Path, typer.Argument(help="Folder to write train/, val/ and test/ to.")],
    seed: Annotated[int, typer.Option(min=0, help="Decides which faces are copied and how they are varied.")] = 0,
    force: ForceOption = False,
) -> None:
    """Export, and fill the rarer emotions of the training split up with varied copies."""
    require_training("balancing")
    from mien.evaluation.face_set import require_usage
    from mien.training.balance import append, balanced_copies
    from mien.training.datamodule import split_training
    from mien.training.inventory import class_complaints

    faces = load_data(source)
    require_usage("Training", set(faces.usage.tolist()))
    learned, _ = split_training(faces)
    if not learned.any():
        raise DataError("no face to learn from: training keeps all for calibration, or they are in another split, too")
    training = faces.select(learned)
    for complaint in class_complaints(training):
        logging.getLogger("mien").warning("%s", complaint)
    copies = balanced_copies(training, seed)
    written = _write(out, append(faces, copies), source, force)
    tables.print(f"{out}: {len(faces)} faces and {len(copies)} copies, {written} of them written now", soft_wrap=True)


def _write(out: Path, faces: FaceSet, source: Path, force: bool) -> int:
    """Write faces that are not there yet: how many."""
    from mien.evaluation.datasets import list_images
    from mien.training.class_folders import face_paths, find_others, find_strangers, write_faces

    paths = face_paths(faces)
    others, strangers = find_others(out, faces.pixels, paths), find_strangers(out, paths)
    if strangers and not force:
        raise OptionError(
            f"OUT {out}: holds faces of another export, {strangers[0]} for example; choose another folder, or add "
            "--force to remove them"
        )
    inputs = [image.path for image in list_images(source)] if source.is_dir() else []
    refuse_existing("OUT", others + strangers, force, inputs)
    for path in others + strangers:
        path.unlink()
    return write_faces(out, faces.pixels, paths, lambda n, total: with_progress(n, total, "writing"))


def require_training(feature: str) -> None:
    """Make sure that the extra ``train`` is installed.

    Raises:
        MissingExtraError: If it is not.
    """
    if find_spec("lightning") is None or find_spec("torch") is None:
        raise MissingExtraError(feature, "train")


def load_data(source: Path, votes: Path | None = None) -> FaceSet:
    """Load labeled faces with a progress bar; skipped pictures are named on stderr.

    Raises:
        OptionError: If there is no such data, or no such votes.
        DataError: If the data cannot be read.
    """
    from rich.logging import RichHandler

    from mien.evaluation.datasets import load_faces

    for path in filter(None, (source, votes)):
        if not path.exists():
            raise OptionError("no such file or folder", path)
    logger = logging.getLogger("mien")
    if not logger.handlers and not logging.getLogger().handlers:
        logger.addHandler(RichHandler(console=errors, show_time=False, show_path=False, show_level=False))
    return load_faces(source, votes, lambda pictures, total: with_progress(pictures, total, "reading"))


def _print(inventory: Inventory) -> None:
    from rich import box
    from rich.table import Table

    from mien.emotions import LABELS

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("split", no_wrap=True)
    for name in (*LABELS, "all"):
        table.add_column(name, justify="right")
    for usage, counts in inventory.counts.items():
        table.add_row(usage, *map(str, counts.values()), str(sum(counts.values())))
    tables.print(table)
    tables.print(f"duplicates  {inventory.duplicates} faces repeat another one's pixels")
    tables.print(f"conflicts   groups of duplicates with different labels: {len(inventory.conflicts)}")
    tables.print(f"leaks       groups of duplicates in more than one split: {len(inventory.leaks)}")
    if inventory.no_face is not None:
        text = ", ".join(f"{count} in {usage}" for usage, count in inventory.no_face.items())
        tables.print(f"no face     {text} (by FER+ majority)")
