"""Several trained networks as one, with the mean of their weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.errors import OptionError
from mien.training.lightning_module import FaceModule
from mien.training.runs import RunData, load_run
from mien.training.start import is_model, normalization_of, start_from


def average_runs(
    run: Path, others: Sequence[Path], pixels: NDArray[np.uint8], checkpoint: str = "best"
) -> tuple[FaceModule, RunData]:
    """Open a trained network, with the mean of its weights and those of others.

    Of use where one has gone on from the other: the mean keeps most of what each does well (Wortsman et al. 2022,
    "Robust fine-tuning of zero-shot models").

    Args:
        run: A run folder.
        others: Further runs, model folders or names of shipped models, of the same network.
        pixels: Faces that it has learned from, uint8 (N, 48, 48), for the statistics of a model's normalization.
        checkpoint: ``best`` or ``last``, of all runs.

    Returns:
        As `load_run`, with what the first run says of its data.

    Raises:
        OptionError: As `load_run`, or if the networks, their heads, their data or their normalization differ.
        ModelError: As `load_run`.
    """
    module, data = load_run(run, checkpoint)
    total = {name: value.double() for name, value in module.network.state_dict().items()}
    for source in others:
        other, digest = _open(source, module, data, pixels, checkpoint)
        if digest != data.digest:
            raise OptionError(f"was trained on other faces than {run}; average runs on the same data", source)
        if (other.mean, other.std) != (module.mean, module.std):
            raise OptionError(f"expects pixels normalized in another way than {run}", source)
        for name, value in other.network.state_dict().items():
            total[name] += value
    module.network.load_state_dict({name: value / (1 + len(others)) for name, value in total.items()})
    return module, data


def _open(
    source: Path, module: FaceModule, data: RunData, pixels: NDArray[np.uint8], checkpoint: str
) -> tuple[FaceModule, str]:
    """A network to average with, and the digest of the faces it was trained on."""
    if is_model(str(source)):
        other = FaceModule(module.recipe, *normalization_of(str(source)), module.heads)
        return other, start_from(other, str(source), pixels)
    other, theirs = load_run(source, checkpoint)
    if theirs.digest == data.digest and theirs.train != data.train:
        raise OptionError(
            f"learned from {theirs.train} of the faces, the run to average with from {data.train}; average runs that "
            "learned from the same",
            source,
        )
    for what, found, needed in (
        ("network", other.recipe.network, module.recipe.network),
        ("number of heads", other.heads, module.heads),
    ):
        if found != needed:
            raise OptionError(f"is of another kind: its {what} is {found}, and {needed} is needed", source)
    return other, theirs.digest
