"""From a run folder to a model folder that `mien photo --model` reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import yaml

from mien.errors import OptionError
from mien.training.fit import FaceModule
from mien.training.recipes import load_recipe


def load_run(run: Path, checkpoint: str = "best") -> tuple[FaceModule, dict[str, Any]]:
    """Open a trained network.

    Args:
        run: A folder that `mien.training.fit.fit` made.
        checkpoint: ``best`` or ``last``.

    Returns:
        The network in evaluation mode, with averaged weights where the recipe averages, and ``data.yaml``.

    Raises:
        OptionError: If the folder holds no such checkpoint.
    """
    path = run / "checkpoints" / f"{checkpoint}.ckpt"
    if not path.is_file():
        raise OptionError(f"{path}: no such checkpoint; train first, or name another run folder")
    data: dict[str, Any] = yaml.safe_load((run / "data.yaml").read_text(encoding="utf-8"))
    module = FaceModule(load_recipe(run / "recipe.yaml"), data["mean"], data["std"], len(data["heads"]))
    module.load_state_dict(torch.load(path, map_location="cpu", weights_only=False)["state_dict"])
    return module.eval(), data
