"""``mien export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.classification.model_config import CONFIG_FILE
from mien.cli.data import load_data, require_training
from mien.cli.options import ForceOption, one_of
from mien.cli.output import tables
from mien.errors import OptionError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mien.evaluation.datasets import FaceSet


def export(
    run: Annotated[
        str, typer.Argument(metavar="RUN|MODEL", help="Run folder that mien train made; with --litert also a model.")
    ],
    out: Annotated[Path, typer.Option(help="Model folder to create; of a model, where its .tflite files go.")],
    data: Annotated[
        Path | None,
        typer.Option(
            help="Of a run, the data it was trained on, to calibrate on its held-out faces. Of a model, labeled faces "
            "to compare on.  [default for a model: a portrait that comes with mien, varied]",
            show_default=False,
        ),
    ] = None,
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
    litert: Annotated[
        bool, typer.Option("--litert", help="Write .tflite files for phones, in 32 and in 8 bits.")
    ] = False,
) -> None:
    """Turn a trained network into a model folder for --model, or a network into .tflite files for phones."""
    from mien.classification.model_config import shipped_models

    if litert:
        import mien.litert  # noqa: F401 - says at once where the extra is missing

    if run in shipped_models() or (Path(run) / "config.json").is_file():
        if not litert:
            raise OptionError("is a model already; add --litert to write .tflite files", run)
        if votes or average or int8 or checkpoint != "best":
            raise OptionError("is a model; --votes, --checkpoint, --average and --int8 go with a run folder", run)
        _write_litert(run, out, None if data is None else _unseen(load_data(data)), force)
        return
    require_training("exporting")
    from mien.training.export import export_run

    # Said before the data are read, which takes a while.
    if data is None:
        raise OptionError("is a run folder and needs --data, the data it was trained on", run)
    if out.exists() and not force:
        raise OptionError(f"--out {out}: exists already; choose another name, or add --force to replace it")
    if out.exists() and not (out / CONFIG_FILE).is_file():
        raise OptionError(f"--out {out}: is not a model folder, and nothing else is replaced; choose another name")
    faces = load_data(data, votes)
    difference = export_run(Path(run), faces, out, checkpoint, average or (), replace=force)
    tables.print(f"exported: {out}; probabilities differ from PyTorch's by at most {difference:.1e}", soft_wrap=True)
    if int8:
        from mien.training.quantize import quantize_folder

        loss = quantize_folder(out, faces)
        points = 100 * (loss.before - loss.after)
        change = f"{abs(points):.2f} points {'lost' if points >= 0 else 'gained'}"
        tables.print(
            f"8 bits: accuracy on PublicTest {loss.after:.4f} against {loss.before:.4f} with 32 bits, "
            + (change if loss.kept else f"{change}, too many; not kept"),
            soft_wrap=True,
        )
    if litert:
        _write_litert(str(out), out, _unseen(faces), force)


def _unseen(faces: FaceSet) -> NDArray[np.uint8]:
    """Faces that were not learned from, where there are any."""
    held_out = faces.usage != "Training"
    return faces.pixels[held_out] if held_out.any() else faces.pixels


def _write_litert(model: str, out: Path, faces: NDArray[np.uint8] | None, force: bool) -> None:
    from mien.litert.export import export_litert

    report = export_litert(model, out, faces, replace=force)
    for file in report.files:
        size = "" if file.suffix == ".json" else f": {file.stat().st_size / 1e6:.2f} MB"
        tables.print(f"{file}{size}", markup=False, soft_wrap=True)
    sample = "variations of one portrait" if faces is None else "faces of the data"
    kept = "" if report.kept8 else ", too few; not kept"
    tables.print(
        f"compared with model.onnx on {report.faces} {sample}:\n"
        f"32 bits: probabilities differ by at most {report.difference:.1e}\n"
        f"8 bits:  same emotion, ties aside, for {report.agreement:.1%}{kept}; probabilities differ by at most "
        f"{report.difference8:.3f}",
        soft_wrap=True,
    )
