"""Opening what `mien.training.fit.fit` left behind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from numpy.typing import NDArray

from mien.classification.model_config import find_model, load_config, shipped_models
from mien.emotions import LABELS
from mien.errors import OptionError
from mien.training.batchnorm import unfuse_batchnorm
from mien.training.lightning_module import HEADS, FaceModule
from mien.training.networks import build_network
from mien.training.recipes import load_recipe

_STATISTICS_FACES = 512


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
    path, data = checkpoint_path(run, checkpoint), _read_data(run)
    module = FaceModule(load_recipe(run / "recipe.yaml"), data["mean"], data["std"], len(data["heads"]))
    module.load_state_dict(torch.load(path, map_location="cpu", weights_only=False)["state_dict"])
    return module.eval(), data


def _read_data(run: Path) -> dict[str, Any]:
    try:
        data: dict[str, Any] = yaml.safe_load((run / "data.yaml").read_text(encoding="utf-8"))
    except OSError as error:
        raise OptionError(f"{run}: not a whole run folder, data.yaml cannot be read: {error.strerror}") from error
    return data


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


def normalization_of(start: str) -> tuple[float, float]:
    """Mean and standard deviation of the pixels that a finished network expects, in 0..1.

    Args:
        start: As for `start_from`; raises as that.
    """
    if _is_model(start):
        config = load_config(find_model(start))
        return config.mean, config.std
    data = _read_data(_run_folder(start))
    return data["mean"], data["std"]


def start_from(module: FaceModule, start: str, pixels: NDArray[np.uint8]) -> str:
    """Give a fresh network the weights of a finished one.

    Args:
        module: Of the same network, and with its normalization.
        start: A run folder, of which the best weights are taken, a model folder, or the name of a shipped model.
        pixels: Faces that it will learn from, uint8 (N, 48, 48).

    Returns:
        Digest of the faces that the finished one was trained on.

    Raises:
        OptionError: If it is of another network, lacks a head, or is nothing of the three.
        ModelError: If a model folder is damaged.
    """
    if _is_model(start):
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
        heads, digest = list(data["heads"]), str(data["digest"])
        _check_start(start, trained.recipe.network, heads, module)
        network = trained.network
    theirs = network.state_dict()
    wanted = HEADS[: module.heads]
    if heads != list(wanted):
        rows = torch.cat([torch.arange(len(LABELS)) + heads.index(head) * len(LABELS) for head in wanted])
        theirs |= {name: value[rows] for name, value in theirs.items() if name.startswith("classifier.")}
    module.network.load_state_dict(theirs)
    return digest


def _is_model(start: str) -> bool:
    return start in shipped_models() or (Path(start) / "config.json").is_file()


def _run_folder(start: str) -> Path:
    if not (Path(start) / "recipe.yaml").is_file():
        known = ", ".join(shipped_models())
        raise OptionError(f"{start}: nothing to begin with; expected a run folder, a model folder, or one of {known}")
    return Path(start)


def _check_start(where: str, network: str | None, heads: Sequence[str], ours: FaceModule) -> None:
    if network != ours.recipe.network:
        theirs = network or "not known"
        raise OptionError(f"{where}: is of another kind: its network is {theirs}, and {ours.recipe.network} is needed")
    for head in HEADS[: ours.heads]:
        if head not in heads:
            advice = "leave --votes out, or begin with another one" if head == HEADS[-1] else "begin with another one"
            raise OptionError(f"{where}: has no head {head!r}; {advice}")


def _check_alike(run: Path, theirs: FaceModule, ours: FaceModule) -> None:
    for what, one, other in (
        ("network", theirs.recipe.network, ours.recipe.network),
        ("number of heads", theirs.heads, ours.heads),
    ):
        if one != other:
            raise OptionError(f"{run}: is of another kind: its {what} is {one}, and {other} is needed")
