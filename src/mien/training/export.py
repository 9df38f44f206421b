"""From a run folder to a model folder that `mien photo --model` reads."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray

from mien.classification.classifier import softmax
from mien.classification.litert import file_names
from mien.classification.model_config import CONFIG_FILE, INT8_FILE, ModelConfig, load_config, save_config
from mien.emotions import LABELS
from mien.errors import DataError, ModelError, OptionError
from mien.evaluation.datasets import FACE_SIDE, FaceSet
from mien.preprocessing import to_tensor
from mien.training.averaging import average_runs
from mien.training.calibrate import DOUBTFUL, FEWEST_HELD_OUT, calibrate
from mien.training.datamodule import split_training
from mien.training.lightning_module import FaceModule
from mien.training.runs import read_recipe
from mien.training.start import is_model
from mien.training.yaml_files import YamlError, read_yaml

logger = logging.getLogger(__name__)

MAX_DIFFERENCE = 1e-4
"""How far probabilities of the exported network may be from PyTorch's."""


def export_run(
    run: Path,
    faces: FaceSet,
    out: Path,
    checkpoint: str = "best",
    average: Sequence[Path] = (),
    *,
    replace: bool = False,
) -> float:
    """Write a model folder: the network as ONNX, calibrated on faces that it has not learned from.

    Args:
        run: A folder that `mien.training.fit.fit` made.
        faces: The data that it was trained on, with votes if it was trained with votes.
        out: Model folder to create; its last part names the model.
        checkpoint: ``best`` or ``last``.
        average: Further runs, model folders or shipped models of the same network, to export the mean of all weights.
        replace: Whether to replace the model in a folder that exists already; what `mien export` does not write, such
            as the card, is kept.

    Returns:
        The largest difference between PyTorch's probabilities and the exported network's.

    Raises:
        OptionError: If a run has no such checkpoint or is of another network, or the folder exists.
        DataError: If these are not the faces that the network was trained on.
        ModelError: If a run folder is damaged, or the exported network answers differently.
    """
    if out.exists() and not replace:
        raise OptionError("exists already; choose another folder", out)
    name, out = out.name, out.resolve()
    learned, held_out = split_training(faces)
    module, data = average_runs(run, average, faces.pixels[learned], checkpoint)
    if faces.digest() != data.digest:
        raise DataError(f"these are not the faces that {run} was trained on: their digests differ")
    if len(data.heads) > 1 and faces.votes is None:
        raise DataError(f"{run} was trained with FER+ votes; give them with --votes")
    if len(data.heads) == 1 and faces.votes is not None:
        raise DataError(f"{run} was trained without FER+ votes; leave --votes out")
    if learned.sum() != data.train:
        # So it is with folders of ``mien data balance`` for which an earlier version dealt out the copies otherwise.
        raise DataError(
            f"learned from {data.train} faces of these data, of which training now learns from {learned.sum()} and "
            "keeps others for calibration: it may have learned those; train again",
            run,
        )
    if data.votes and faces.votes is not None and faces.votes_digest() != data.votes:
        raise DataError(f"these are not the votes that {run} was trained on: their digests differ")
    sample = faces.select(held_out)
    if len(sample) < FEWEST_HELD_OUT:
        logger.warning(
            "the data hold out %d faces for calibration, %d are needed: confidences are the network's own, which are "
            "often too high, and answers below %.2f are called uncertain",
            len(sample),
            FEWEST_HELD_OUT,
            DOUBTFUL,
        )
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        write_onnx(module, partial / "model.onnx")
        logits, difference = _compare(module, sample.pixels, partial / "model.onnx")
        mirrored, _ = _compare(module, sample.pixels[:, :, ::-1], partial / "model.onnx")
        if not len(sample):
            _, difference = _compare(module, faces.pixels[learned][:256], partial / "model.onnx")
        # The comparison is false for NaN, too.
        if not difference <= MAX_DIFFERENCE:
            raise ModelError(f"exported probabilities differ from PyTorch's by {difference:.1e}", out)
        config = ModelConfig(
            name=name,
            labels=LABELS,
            input_size=FACE_SIDE,
            mean=data.mean,
            std=data.std,
            heads=data.heads,
            **asdict(calibrate(logits, sample, faces.select(learned), mirrored, module.recipe.imbalance)),
            figures={},
            training={
                "command": _command(run),
                "recipe": module.recipe.to_dict(),
                "averaged_with": [
                    str(other) if is_model(str(other)) else read_recipe(other).to_dict() for other in average
                ],
                "data_sha256": data.digest,
                "faces": data.train,
                "torch": version("torch"),
            },
        )
        save_config(config, partial)
        if out.exists():
            _replace_model(out, partial)
        else:
            partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return difference


def _replace_model(out: Path, partial: Path) -> None:
    """Put a model folder in the place of another, with the files of that which are not the old model's."""
    replaced = {"model.onnx", INT8_FILE, CONFIG_FILE}
    # The folder may have been renamed since; a damaged model has no name.
    for model in (out, partial):
        with suppress(ModelError):
            replaced |= set(file_names(load_config(model).name))
    shutil.copytree(
        out,
        partial,
        symlinks=True,
        ignore=lambda folder, names: replaced.intersection(names) if Path(folder) == out else set(),
        dirs_exist_ok=True,
    )
    with TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent, ignore_cleanup_errors=True) as place:
        aside = Path(place, out.name)
        try:
            out.rename(aside)
            partial.rename(out)
        finally:
            if not out.exists():
                aside.rename(out)


def _command(run: Path) -> str:
    """The command line that made a run, as it noted it; empty where the note is damaged."""
    try:
        environment = read_yaml(run / "environment.yaml")
    except YamlError:
        return ""
    return str(environment.get("command", "")) if isinstance(environment, dict) else ""


def write_onnx(module: FaceModule, path: Path) -> None:
    """Write a network as ONNX: ``faces``, float32 (N, 1, 48, 48), normalized, to ``logits``, (N, heads, 7).

    Raises:
        ModelError: If the network fixes the number of faces.
    """
    # Two faces rather than one: the exporter takes a dimension of 1 for fixed.
    example = torch.zeros(2, 1, FACE_SIDE, FACE_SIDE)
    program = torch.onnx.export(
        module.network,
        (example,),
        input_names=["faces"],
        output_names=["logits"],
        dynamic_shapes=({0: torch.export.Dim("n")},),
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    graph = program.model_proto
    if not graph.graph.input[0].type.tensor_type.shape.dim[0].dim_param:
        raise ModelError("the network's forward fixes the number of faces, as len(faces) does; write -1 there")
    # The exporter notes with every node which lines of which files on this machine it comes from.
    for entry in (
        *graph.graph.node,
        *graph.graph.value_info,
        *graph.graph.input,
        *graph.graph.output,
        graph.graph,
        graph,
    ):
        entry.ClearField("metadata_props")
        entry.ClearField("doc_string")
    path.write_bytes(graph.SerializeToString())


def _compare(module: FaceModule, pixels: NDArray[np.uint8], path: Path) -> tuple[NDArray[np.float32], float]:
    """The exported network's logits (N, heads, 7), and how far its probabilities are from PyTorch's."""
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    logits, largest = [np.zeros((0, module.heads, len(LABELS)), np.float32)], 0.0
    for start in range(0, len(pixels), 256):
        batch = to_tensor(pixels[start : start + 256], module.mean, module.std)
        exported = np.asarray(session.run(["logits"], {"faces": batch})[0], np.float32)
        with torch.inference_mode():
            original = module.network(torch.from_numpy(batch)).numpy()
        largest = float(np.maximum(largest, np.abs(softmax(exported) - softmax(original)).max()))
        logits.append(exported)
    return np.concatenate(logits), largest
