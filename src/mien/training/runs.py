"""Opening what `mien.training.fit.fit` left behind. Run folders come from anyone: nothing in them is executed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from mien.errors import ModelError, OptionError
from mien.plain import PlainValueError, build
from mien.training.lightning_module import HEADS, FaceModule
from mien.training.recipe import Recipe, load_recipe
from mien.training.yaml_files import YamlError, read_yaml

RECIPE_FILE = "recipe.yaml"
DATA_FILE = "data.yaml"
_CHECKPOINT_KEYS = ("state_dict", "epoch", "global_step", "loops", "callbacks", "optimizer_states", "lr_schedulers")


@dataclass(frozen=True, slots=True)
class RunData:
    """What a run was trained on, as ``data.yaml`` says.

    Attributes:
        digest: See `mien.evaluation.face_set.FaceSet.digest`.
        train: Number of faces to learn from.
        validation: Number of faces to choose the best epoch by.
        heads: Names of the network's heads, in the order of its outputs.
        mean: Mean of the training pixels, in 0..1.
        std: Their standard deviation.
        teachers: SHA-256 of each teacher's weights.
        votes: See `mien.evaluation.face_set.FaceSet.votes_digest`; empty also in runs that did not note it yet.
    """

    digest: str
    train: int
    validation: int
    heads: tuple[str, ...]
    mean: float
    std: float
    teachers: tuple[str, ...] = ()
    votes: str = ""


def checkpoint_path(run: Path, checkpoint: str = "best") -> Path:
    """The file with a run's weights.

    Args:
        run: A run folder.
        checkpoint: ``best`` or ``last``.

    Raises:
        OptionError: If the folder holds no such checkpoint.
    """
    if checkpoint not in ("best", "last"):
        raise OptionError(f"unknown checkpoint {checkpoint!r}; expected best or last")
    if not run.is_dir():
        raise OptionError("no such run folder; expected one that mien train made", run)
    path = run / "checkpoints" / f"{checkpoint}.ckpt"
    if not path.is_file():
        raise OptionError("no such checkpoint; train first, or name another run folder", path)
    return path


def load_run(run: Path, checkpoint: str = "best") -> tuple[FaceModule, RunData]:
    """Open a trained network.

    Args:
        run: A folder that `mien.training.fit.fit` made.
        checkpoint: ``best`` or ``last``.

    Returns:
        The network in evaluation mode, with averaged weights where the recipe averages, and what it was trained on.

    Raises:
        OptionError: If the folder holds no such checkpoint.
        ModelError: If the folder is incomplete or damaged.
    """
    path, data = checkpoint_path(run, checkpoint), read_data(run)
    module = FaceModule(read_recipe(run), data.mean, data.std, len(data.heads))
    load_weights(module, path, read_checkpoint(path))
    return module.eval(), data


def read_recipe(run: Path) -> Recipe:
    """The recipe of a run.

    Raises:
        ModelError: If it is missing or damaged.
    """
    if not (run / RECIPE_FILE).is_file():
        raise ModelError(f"is not a whole run folder, {RECIPE_FILE} is missing", run)
    try:
        return load_recipe(run / RECIPE_FILE)
    except OptionError as error:
        raise ModelError(error.reason, error.source) from None


def read_data(run: Path) -> RunData:
    """What a run was trained on.

    Raises:
        ModelError: If ``data.yaml`` is missing or damaged.
    """
    path = run / DATA_FILE
    if not path.is_file():
        raise ModelError(f"is not a whole run folder, {DATA_FILE} is missing", run)
    try:
        data = build(RunData, read_yaml(path))
    except (YamlError, PlainValueError) as error:
        raise ModelError(f"is damaged: {error}; train again", path) from None
    if data.heads != HEADS[: len(data.heads)] or not data.heads or data.std <= 0:
        raise ModelError(f"is damaged: expected the heads {', '.join(HEADS)} and std above 0; train again", path)
    return data


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint; only tensors and plain values are taken, so that no code in it can run.

    Raises:
        ModelError: If it is damaged, or not a checkpoint of ``mien train``.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises as many kinds of errors as there are ways for a file to be damaged.
        raise ModelError(_DAMAGED, path) from error
    if not isinstance(content, dict) or any(key not in content for key in _CHECKPOINT_KEYS):
        raise ModelError(_DAMAGED, path)
    return content


_DAMAGED = "is damaged, or not a checkpoint of mien train; take another checkpoint, or train again"


def load_weights(module: FaceModule, path: Path, checkpoint: dict[str, Any]) -> None:
    """Give a network the weights of a checkpoint.

    Args:
        module: The network.
        path: The checkpoint's file, to be named in the message.
        checkpoint: Its content.

    Raises:
        ModelError: If they are those of another network.
    """
    try:
        module.load_state_dict(checkpoint["state_dict"])
    except (RuntimeError, TypeError, AttributeError) as error:
        raise ModelError(f"does not fit the network {module.recipe.network!r} of {RECIPE_FILE}", path) from error
