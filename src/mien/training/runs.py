"""Opening what `mien.training.fit.fit` left behind."""

from __future__ import annotations

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


def start_from(module: FaceModule, run: Path) -> None:
    """Give a fresh network the best weights of a finished run.

    Raises:
        OptionError: If the run is of another network, has other heads, or holds no checkpoint.
    """
    trained, _ = load_run(run)
    for what, theirs, ours in (
        ("network", trained.recipe.network, module.recipe.network),
        ("number of heads", trained.heads, module.heads),
    ):
        if theirs != ours:
            raise OptionError(f"{run}: cannot start from it: its {what} is {theirs}, and the recipe's {ours}")
    module.network.load_state_dict(trained.network.state_dict())
