"""Labeled faces for training: who learns, who calibrates, and in which order they come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, DistributedSampler, Sampler

from mien.emotions import LABELS
from mien.evaluation.datasets import FaceSet
from mien.training.balance import append, balanced_copies
from mien.training.recipe import Recipe

# One face in CALIBRATION_SHARE is kept from training, to fit the temperature on.
CALIBRATION_SHARE = 20


def split_training(faces: FaceSet) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which Training faces to learn from, and which to calibrate on.

    Faces are dealt out by a digest of their pixels, so that exact duplicates land on the same side, and varied copies
    by that of their originals. Left out of both are faces that also stand in another split, with their copies, copies
    of faces to calibrate on, and rows that FER+ calls no face.

    Returns:
        Two masks, bool (N,): to learn from, and to calibrate on.
    """
    digests = faces.digests()
    originals = digests if faces.originals is None else faces.originals
    training = faces.usage == "Training"
    elsewhere = np.isin(originals, originals[~training])
    usable = training & ~elsewhere
    if faces.no_face is not None:
        usable &= ~faces.no_face
    held_out = np.array([int(original[:8], 16) % CALIBRATION_SHARE == 0 for original in originals])
    return usable & ~held_out, usable & held_out & (originals == digests)


class Faces(pl.LightningDataModule):
    """The faces to learn from and the faces to choose by, in memory.

    Args:
        train: Faces to learn from; where the recipe balances off line, copies are added to them.
        validation: Faces to choose the best epoch by.
        recipe: How to train.
    """

    def __init__(self, train: FaceSet, validation: FaceSet, recipe: Recipe) -> None:
        super().__init__()
        if recipe.imbalance == "balance-offline":
            train = append(train, balanced_copies(train, recipe.seed))
        self.train, self.validation, self.recipe = _Batches(train), _Batches(validation), recipe

    def setup(self, stage: str) -> None:
        # A GPU holds all the faces, and takes its batches out of them by itself.
        if self.trainer is not None:
            for batches in (self.train, self.validation):
                batches.to(self.trainer.strategy.root_device)

    def train_dataloader(self) -> DataLoader[Any]:
        # The order depends on seed and epoch alone, so that a resumed run sees the same batches.
        kind = _EvenSampler if self.recipe.imbalance == "sampler" else DistributedSampler
        world, rank = self._place()
        sampler: DistributedSampler[Any] = kind(self.train, num_replicas=world, rank=rank, seed=self.recipe.seed)
        return DataLoader(
            self.train, self.recipe.batch_size, sampler=sampler, collate_fn=lambda batch: batch, drop_last=True
        )

    def val_dataloader(self) -> DataLoader[Any]:
        sampler = _Share(len(self.validation), *self._place())
        return DataLoader(self.validation, 512, sampler=sampler, collate_fn=lambda batch: batch)

    def _place(self) -> tuple[int, int]:
        """Number of processes, and the number of this one."""
        return (self.trainer.world_size, self.trainer.global_rank) if self.trainer else (1, 0)


class _Batches(Dataset[Any]):
    """Hands out whole batches: (pixels uint8 (N,1,48,48), labels (N,), votes (N,7))."""

    def __init__(self, faces: FaceSet) -> None:
        self.pixels = torch.from_numpy(faces.pixels).unsqueeze(1)
        self.labels = torch.from_numpy(faces.labels)
        votes = np.zeros((len(faces), len(LABELS)), np.float32) if faces.votes is None else faces.votes
        self.votes = torch.from_numpy(votes)

    def to(self, device: torch.device) -> None:
        self.pixels, self.labels, self.votes = (part.to(device) for part in (self.pixels, self.labels, self.votes))

    def __len__(self) -> int:
        return len(self.labels)

    def __getitems__(self, indices: list[int]) -> tuple[Tensor, Tensor, Tensor]:
        chosen = torch.tensor(indices, device=self.labels.device)
        return self.pixels[chosen], self.labels[chosen], self.votes[chosen]


class _EvenSampler(DistributedSampler[Any]):
    """Draws, with replacement, every emotion equally often."""

    def __iter__(self) -> Iterator[int]:
        labels = self.dataset.labels.cpu()  # type: ignore[attr-defined]
        weights = 1.0 / torch.bincount(labels, minlength=len(LABELS)).clamp(min=1)[labels].double()
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        order = torch.multinomial(weights, self.total_size, replacement=True, generator=generator)
        return iter(order[self.rank :: self.num_replicas].tolist())


class _Share(Sampler[int]):
    """One process's share of the faces, in order; no face twice, so that figures are exact."""

    def __init__(self, count: int, world: int, rank: int) -> None:
        self._positions = range(rank, count, world)

    def __len__(self) -> int:
        return len(self._positions)

    def __iter__(self) -> Iterator[int]:
        return iter(self._positions)
