"""Training through Lightning: from a recipe and labelled faces to a run folder with checkpoints."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
import yaml
from lightning.pytorch.callbacks import (
    Callback,
    EMAWeightAveraging,
    LearningRateMonitor,
    ModelCheckpoint,
    RichProgressBar,
)
from lightning.pytorch.loggers import CSVLogger
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, DistributedSampler
from torchmetrics import MetricCollection
from torchmetrics.classification import MulticlassAccuracy, MulticlassF1Score

from mien.datasets import FaceSet
from mien.emotions import LABELS
from mien.errors import DataError, OptionError
from mien.training.networks import build_network
from mien.training.recipes import Recipe

logger = logging.getLogger(__name__)

# One face in CALIBRATION_SHARE is kept from training, to fit the temperature on.
CALIBRATION_SHARE = 20


def split_training(faces: FaceSet) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which Training faces to learn from, and which to calibrate on.

    Faces are dealt out by a digest of their pixels, so that exact duplicates land on the same side.
    Left out of both are faces that also stand in another split, and rows that FER+ calls no face.

    Returns:
        Two masks, bool (N,): to learn from, and to calibrate on.
    """
    digests = faces.digests()
    training = faces.usage == "Training"
    elsewhere = np.isin(digests, digests[~training])
    usable = training & ~elsewhere
    if faces.no_face is not None:
        usable &= ~faces.no_face
    held_out = np.array([int(digest[:8], 16) % CALIBRATION_SHARE == 0 for digest in digests])
    return usable & ~held_out, usable & held_out


class _Batches(Dataset[Any]):
    """Hands out whole batches: (pixels uint8 (N,1,48,48), labels (N,), votes (N,7))."""

    def __init__(self, faces: FaceSet) -> None:
        self.pixels = torch.from_numpy(faces.pixels).unsqueeze(1)
        self.labels = torch.from_numpy(faces.labels)
        votes = np.zeros((len(faces), len(LABELS)), np.float32) if faces.votes is None else faces.votes
        self.votes = torch.from_numpy(votes)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitems__(self, indices: list[int]) -> tuple[Tensor, Tensor, Tensor]:
        return self.pixels[indices], self.labels[indices], self.votes[indices]


class Faces(pl.LightningDataModule):
    """The faces to learn from and the faces to choose by, in memory."""

    def __init__(self, train: FaceSet, validation: FaceSet, recipe: Recipe) -> None:
        super().__init__()
        self.train, self.validation, self.recipe = _Batches(train), _Batches(validation), recipe

    def train_dataloader(self) -> DataLoader[Any]:
        # The order depends on seed and epoch alone, so that a resumed run sees the same batches.
        world, rank = (self.trainer.world_size, self.trainer.global_rank) if self.trainer else (1, 0)
        sampler: DistributedSampler[Any] = DistributedSampler(
            self.train, num_replicas=world, rank=rank, seed=self.recipe.seed
        )
        return DataLoader(
            self.train, self.recipe.batch_size, sampler=sampler, collate_fn=lambda batch: batch, drop_last=True
        )

    def val_dataloader(self) -> DataLoader[Any]:
        return DataLoader(self.validation, 512, collate_fn=lambda batch: batch)


class FaceModule(pl.LightningModule):
    """A network with its loss, optimiser and metrics.

    Args:
        recipe: How to train.
        mean: Mean of the training pixels, in 0..1.
        std: Their standard deviation.
        heads: 1, or 2 where FER+ votes are learnt as well.
    """

    def __init__(self, recipe: Recipe, mean: float, std: float, heads: int) -> None:
        super().__init__()
        self.recipe = recipe
        self.network = build_network(recipe.network, heads)
        self.mean, self.std, self.heads = mean, std, heads
        classes = len(LABELS)
        self.metrics = MetricCollection(
            {
                "accuracy": MulticlassAccuracy(classes, average="micro"),
                "macro_f1": MulticlassF1Score(classes, average="macro"),
            },
            prefix="val_",
        )

    def normalise(self, pixels: Tensor) -> Tensor:
        """Grey values in 0..1, float (N, 1, S, S), as the network wants them."""
        return (pixels - self.mean) / self.std

    def forward(self, faces: Tensor) -> Tensor:
        logits: Tensor = self.network(faces)
        return logits

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        # Augmentation and dropout depend on seed, step and rank alone, so that a resumed run is the same run.
        torch.manual_seed((self.recipe.seed * 1_000_003 + self.global_step) * 1_009 + self.global_rank)

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor], batch_idx: int) -> Tensor:
        pixels, labels, votes = batch
        augment = self.recipe.augment
        faces = augment(pixels.float() / 255)
        target = functional.one_hot(labels, len(LABELS)).float()
        target = target * (1 - self.recipe.label_smoothing) + self.recipe.label_smoothing / len(LABELS)
        faces, target, votes = augment.mix(faces, target, votes)
        logits = self(self.normalise(faces)).float()
        loss = functional.cross_entropy(logits[:, 0], target)
        if self.heads > 1:
            # Votes of a face that nobody gave one of the seven emotions are all zero, and weigh nothing.
            loss = loss + self.recipe.ferplus_weight * functional.cross_entropy(logits[:, 1], votes)
        self.log("loss", loss, on_step=False, on_epoch=True, prog_bar=True)
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor, Tensor], batch_idx: int) -> None:
        pixels, labels, _ = batch
        logits = self(self.normalise(pixels.float() / 255)).float()[:, 0]
        self.metrics.update(logits, labels)
        self.log("val_loss", functional.cross_entropy(logits, labels), batch_size=len(labels), sync_dist=True)

    def on_validation_epoch_end(self) -> None:
        self.log_dict(self.metrics.compute(), prog_bar=True)
        self.metrics.reset()

    def configure_optimizers(self) -> Any:
        recipe = self.recipe.optimizer
        weights = [p for p in self.network.parameters() if p.dim() > 1]
        others = [p for p in self.network.parameters() if p.dim() <= 1]
        groups = [{"params": weights, "weight_decay": recipe.weight_decay}, {"params": others, "weight_decay": 0.0}]
        optimizer: torch.optim.Optimizer
        if recipe.name == "sgd":
            optimizer = torch.optim.SGD(groups, recipe.lr, momentum=recipe.momentum, nesterov=recipe.momentum > 0)
        else:
            optimizer = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[recipe.name](groups, recipe.lr)
        total = int(self.trainer.estimated_stepping_batches)
        warmup = min(round(self.recipe.warmup_epochs * total / self.recipe.epochs), total - 1)

        def rate(step: int) -> float:
            if step < warmup:
                return (step + 1) / warmup
            return 0.5 * (1 + math.cos(math.pi * (step - warmup) / (total - warmup)))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class _EpochLines(Callback):
    """One line per epoch on the log, for runs without a terminal."""

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        figures = {name: float(value) for name, value in trainer.callback_metrics.items()}
        text = "  ".join(f"{name} {figures[name]:.4f}" for name in sorted(figures))
        logger.info("epoch %d/%s  %s", trainer.current_epoch + 1, trainer.max_epochs, text)


def fit(recipe: Recipe, faces: FaceSet, out: str | Path, *, resume: bool = False, progress: bool = True) -> Path:
    """Train a network and keep the best and the last checkpoint.

    Args:
        recipe: How to train.
        faces: All splits; learns from Training, chooses by PublicTest.
        out: Run folder to create: ``recipe.yaml``, ``data.yaml``, ``metrics.csv``, ``checkpoints/``.
        resume: Go on from ``checkpoints/last.ckpt`` of the folder.
        progress: Show a progress bar rather than a log line per epoch.

    Returns:
        The run folder.

    Raises:
        OptionError: If the folder exists already (without ``resume``) or has no checkpoint (with it).
        DataError: If a split is missing or too small.
    """
    folder = Path(out)
    last = folder / "checkpoints" / "last.ckpt"
    if resume and not last.exists():
        raise OptionError(f"{folder}: nothing to resume, {last} does not exist")
    if not resume and folder.exists() and any(folder.iterdir()):
        raise OptionError(f"{folder}: exists already; choose another folder or go on with --resume")
    learn, _ = split_training(faces)
    train, validation = faces.select(learn), faces.of_usage("PublicTest")
    if len(train) < recipe.batch_size:
        raise DataError(f"{len(train)} faces to learn from are fewer than one batch of {recipe.batch_size}")

    folder.mkdir(parents=True, exist_ok=True)
    scaled = train.pixels / 255
    data: dict[str, Any] = {
        "digest": faces.digest(),
        "train": len(train),
        "validation": len(validation),
        "heads": ["fer2013"] if faces.votes is None else ["fer2013", "ferplus"],
        "mean": round(float(scaled.mean()), 4),
        "std": round(float(scaled.std()), 4),
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe.to_dict(), sort_keys=False), encoding="utf-8")
    (folder / "data.yaml").write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")

    pl.seed_everything(recipe.seed, verbose=False)
    module = FaceModule(recipe, data["mean"], data["std"], len(data["heads"]))
    module.network.to(memory_format=torch.channels_last)
    callbacks: list[Callback] = [
        ModelCheckpoint(folder / "checkpoints", "best", "val_accuracy", mode="max", save_last=True),
        LearningRateMonitor("epoch"),
        RichProgressBar() if progress else _EpochLines(),
    ]
    if recipe.ema:
        callbacks.append(EMAWeightAveraging(decay=recipe.ema))
    trainer = pl.Trainer(
        max_epochs=recipe.epochs,
        precision=recipe.precision,  # type: ignore[arg-type]
        logger=CSVLogger(folder, name="", version=""),
        callbacks=callbacks,
        enable_progress_bar=progress,
        enable_model_summary=False,
        log_every_n_steps=10,
    )
    trainer.fit(module, Faces(train, validation, recipe), ckpt_path=last if resume else None, weights_only=False)
    return folder
