"""Opening what `mien.training.fit.fit` left behind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import yaml

from mien.errors import OptionError
from mien.training.module import FaceModule
from mien.training.recipes import load_recipe


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
        raise OptionError(f"{run}: no such run folder; expected one that mien train made")
    path = run / "checkpoints" / f"{checkpoint}.ckpt"
    if not path.is_file():
        raise OptionError(f"{path}: no such checkpoint; train first, or name another run folder")
    return path


def load_run(run: Path, checkpoint: str = "best") -> tuple[FaceModule, dict[str, Any]]:
    """Open a trained network.

    Args:
        run: A folder that `mien.training.fit.fit` made.
        checkpoint: ``best`` or ``last``.

    Returns:
        The network in evaluation mode, with averaged weights where the recipe averages, and ``data.yaml``.

    Raises:
        OptionError: If the folder holds no such checkpoint, or is incomplete.
    """
    path = checkpoint_path(run, checkpoint)
    try:
        data: dict[str, Any] = yaml.safe_load((run / "data.yaml").read_text(encoding="utf-8"))
    except OSError as error:
        raise OptionError(f"{run}: not a whole run folder, data.yaml cannot be read: {error.strerror}") from error
    module = FaceModule(load_recipe(run / "recipe.yaml"), data["mean"], data["std"], len(data["heads"]))
    module.load_state_dict(torch.load(path, map_location="cpu", weights_only=False)["state_dict"])
    return module.eval(), data


def average_runs(runs: Sequence[Path], checkpoint: str = "best") -> tuple[FaceModule, dict[str, Any]]:
    """Open several trained networks as one, with the mean of their weights.

    Of use where one has gone on from the other: the mean keeps most of what each does well (Wortsman et al. 2022,
    "Robust fine-tuning of zero-shot models").

    Args:
        runs: At least one, of the same network.
        checkpoint: ``best`` or ``last``, of all of them.

    Returns:
        As `load_run`, with what the first run says of its data.

    Raises:
        OptionError: As `load_run`, or if the networks, their heads or their data differ.
    """
    module, data = load_run(runs[0], checkpoint)
    total = {name: value.double() for name, value in module.network.state_dict().items()}
    for run in runs[1:]:
        other, other_data = load_run(run, checkpoint)
        _check_alike(run, other, module)
        if other_data["digest"] != data["digest"]:
            raise OptionError(f"{run}: was trained on other faces than {runs[0]}; average runs on the same data")
        for name, value in other.network.state_dict().items():
            total[name] += value
    module.network.load_state_dict({name: value / len(runs) for name, value in total.items()})
    return module, data


def start_from(module: FaceModule, run: Path) -> str:
    """Give a fresh network the best weights of a finished run.

    Returns:
        Digest of the faces that the run was trained on.

    Raises:
        OptionError: If the run is of another network, has other heads, or holds no checkpoint.
    """
    trained, data = load_run(run)
    _check_alike(run, trained, module)
    module.network.load_state_dict(trained.network.state_dict())
    return str(data["digest"])


def _check_alike(run: Path, theirs: FaceModule, ours: FaceModule) -> None:
    for what, one, other in (
        ("network", theirs.recipe.network, ours.recipe.network),
        ("number of heads", theirs.heads, ours.heads),
    ):
        if one != other:
            raise OptionError(f"{run}: is of another kind: its {what} is {one}, and {other} is needed")
