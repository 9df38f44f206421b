"""A short training, and looking at what runs have learned."""

from __future__ import annotations

from pathlib import Path

import torch

from mien.training.callbacks import read_history
from mien.training.recipe import Optimizer, Recipe

QUICK = Recipe(
    "cnn2-lite", epochs=4, batch_size=16, optimizer=Optimizer("adam", 1e-3), warmup_epochs=0, precision="32-true"
)


def weights(run: Path) -> dict[str, torch.Tensor]:
    """What a run had learned in the end."""
    state: dict[str, torch.Tensor] = torch.load(run / "checkpoints/last.ckpt", weights_only=False)["state_dict"]
    return state


def assert_same_weights(one: Path, other: Path, tolerance: float) -> None:
    """Fail unless two runs learned the same."""
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.allclose(value.float(), second[name].float(), rtol=0, atol=tolerance), name


def history(run: Path) -> list[dict[str, str]]:
    """The epochs of a run."""
    return read_history(run / "metrics.csv")
