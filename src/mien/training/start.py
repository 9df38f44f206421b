"""Beginning with finished weights: those of a run, a model folder or a shipped model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from mien.classification.model_config import find_model, load_config, shipped_models
from mien.emotions import LABELS
from mien.errors import OptionError
from mien.training.batchnorm import unfuse_batchnorm
from mien.training.lightning_module import HEADS, FaceModule
from mien.training.networks import build_network
from mien.training.runs import load_run, read_data

_STATISTICS_FACES = 512


def normalization_of(start: str) -> tuple[float, float]:
    """Mean and standard deviation of the pixels that a finished network expects, in 0..1.

    Args:
        start: As for `start_from`; raises as that.
    """
    if is_model(start):
        config = load_config(find_model(start))
        return config.mean, config.std
    data = read_data(_run_folder(start))
    return data.mean, data.std


def start_from(module: FaceModule, start: str, pixels: NDArray[np.uint8]) -> str:
    """Give a fresh network the weights of a finished one.

    Args:
        module: Of the same network, and with its normalization.
        start: A run folder, of which the best weights are taken, a model folder, or the name of a shipped model.
        pixels: Faces that it will learn from, uint8 (N, 48, 48).

    Returns:
        Digest of the faces that the finished one was trained on.

    Raises:
        OptionError: If it is of another network, lacks a head, or is none of the three.
        ModelError: If the folder is damaged.
    """
    if is_model(start):
        folder = find_model(start)
        config = load_config(folder)
        recipe = config.training.get("recipe")
        name = recipe.get("network") if isinstance(recipe, dict) else None
        heads, digest = list(config.heads), str(config.training.get("data_sha256", ""))
        _check_start(start, name, heads, module)
        network = build_network(module.recipe.network, len(heads))
        some = pixels[:: max(1, len(pixels) // _STATISTICS_FACES)][:_STATISTICS_FACES]
        unfuse_batchnorm(network, folder / "model.onnx", module.normalize(torch.from_numpy(some).unsqueeze(1) / 255))
    else:
        trained, data = load_run(_run_folder(start))
        heads, digest = list(data.heads), data.digest
        _check_start(start, trained.recipe.network, heads, module)
        network = trained.network
    state = network.state_dict()
    wanted = HEADS[: module.heads]
    if heads != list(wanted):
        rows = torch.cat([torch.arange(len(LABELS)) + heads.index(head) * len(LABELS) for head in wanted])
        state |= {name: value[rows] for name, value in state.items() if name.startswith("classifier.")}
    module.network.load_state_dict(state)
    return digest


def is_model(start: str) -> bool:
    """Whether a name is that of a shipped model or of a model folder, rather than of a run folder."""
    return start in shipped_models() or (Path(start) / "config.json").is_file()


def _run_folder(start: str) -> Path:
    if not (Path(start) / "recipe.yaml").is_file():
        known = ", ".join(shipped_models())
        raise OptionError(f"nothing to begin with; expected a run folder, a model folder, or one of {known}", start)
    return Path(start)


def _check_start(start: str, network: str | None, heads: Sequence[str], module: FaceModule) -> None:
    needed = module.recipe.network
    if network != needed:
        found = network or "not known"
        raise OptionError(f"is of another kind: its network is {found}, and {needed} is needed", start)
    for head in HEADS[: module.heads]:
        if head not in heads:
            advice = "leave --votes out, or begin with another one" if head == HEADS[-1] else "begin with another one"
            raise OptionError(f"has no head {head!r}; {advice}", start)
