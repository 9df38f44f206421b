"""A network with its loss, optimizer, schedule and metrics."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import lightning.pytorch as pl
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchmetrics import MetricCollection
from torchmetrics.classification import MulticlassAccuracy, MulticlassF1Score

from mien.emotions import LABELS
from mien.errors import TrainingError
from mien.preprocessing import normalize
from mien.training.networks import build_network
from mien.training.recipe import Recipe

HEADS = ("fer2013", "ferplus")
"""What the heads learn, in their order: FER-2013's labels, and FER+ votes where there are any."""

# A learning rate that no longer helps falls to a tenth after eight epochs without a lower validation loss.
_PLATEAU = {"factor": 0.1, "patience": 8, "min_lr": 1e-7}


class Teacher(Protocol):
    """What a student learns from: finished networks, asked as one."""

    def to(self, device: torch.device) -> None:
        """Move to a device."""

    def answers(self, faces: Tensor, heads: Sequence[str]) -> list[Tensor | None]:
        """For each of the student's heads softened probabilities, float (N, 7), or None; see `Teachers.answers`."""


class FaceModule(pl.LightningModule):
    """A network with its loss, optimizer and metrics.

    Args:
        recipe: How to train.
        mean: Mean of the training pixels, in 0..1.
        std: Their standard deviation.
        heads: 1, or 2 where FER+ votes are learned as well.
        class_weights: Weight of each emotion in the loss on FER-2013's labels, float (7,), or None.
        pretrained: Fetch the weights of a ``timm:`` network rather than draw them.
        teachers: Finished networks to learn from in addition to the labels, or None.
    """

    class_weights: Tensor | None

    def __init__(
        self,
        recipe: Recipe,
        mean: float,
        std: float,
        heads: int,
        class_weights: Tensor | None = None,
        pretrained: bool = False,
        teachers: Teacher | None = None,
    ) -> None:
        super().__init__()
        self.recipe = recipe
        self.network = build_network(recipe.network, heads, pretrained)
        self.mean, self.std, self.heads = mean, std, heads
        self.teachers = teachers
        self.register_buffer("class_weights", class_weights, persistent=False)
        classes = len(LABELS)
        self.metrics = MetricCollection(
            {
                "accuracy": MulticlassAccuracy(classes, average="micro"),
                "macro_f1": MulticlassF1Score(classes, average="macro"),
            },
            prefix="val_",
        )

    def normalize(self, pixels: Tensor) -> Tensor:
        """Gray values in 0..1, float (N, 1, S, S), as the network wants them."""
        normalized: Tensor = normalize(pixels, self.mean, self.std)
        return normalized

    def forward(self, faces: Tensor) -> Tensor:
        logits: Tensor = self.network(faces)
        return logits

    def on_fit_start(self) -> None:
        if self.teachers is not None:
            self.teachers.to(self.device)

    def on_train_epoch_start(self) -> None:
        if not self.recipe.freeze_epochs:
            return
        frozen = self.current_epoch < self.recipe.freeze_epochs
        backbone = self.network.get_submodule("backbone")
        for parameter in backbone.parameters():
            parameter.requires_grad_(not frozen)
        # A frozen backbone must not learn running means of its normalization either.
        backbone.train(not frozen)

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        # Augmentation and dropout depend on seed, step and rank alone, so that a resumed run is the same run.
        torch.manual_seed((self.recipe.seed * 1_000_003 + self.global_step) * 1_009 + self.global_rank)

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor], batch_idx: int) -> Tensor:
        pixels, labels, votes = batch
        augment = self.recipe.augment
        whole = augment.vary(pixels.float() / 255)
        faces = augment.degrade(whole)
        target = functional.one_hot(labels, len(LABELS)).float()
        target = target * (1 - self.recipe.label_smoothing) + self.recipe.label_smoothing / len(LABELS)
        if self.teachers is not None:
            # The two stay beside each other: what is mixed with what, and where, is drawn once for both.
            faces = torch.cat([faces, whole], dim=1)
        faces, target, votes = augment.mix(faces, target, votes)
        faces, whole = faces[:, :1], faces[:, -1:]
        logits = self(self.normalize(faces)).float()
        losses = [functional.cross_entropy(logits[:, 0], target, weight=self.class_weights)]
        if self.heads > 1:
            # Votes of a face to which no voter gave one of the seven emotions are all zero, and weigh nothing.
            losses.append(functional.cross_entropy(logits[:, 1], votes))
        if self.teachers is not None:
            losses = self._taught(losses, logits, self.teachers.answers(whole, HEADS[: self.heads]))
        loss = losses[0] if self.heads == 1 else losses[0] + self.recipe.ferplus_weight * losses[1]
        # Looking at a number waits for the GPU; a loss that is not a number stays so.
        if loss.device.type == "cpu" or batch_idx % 20 == 0:
            self._check(loss)
        self.log("loss", loss, on_step=False, on_epoch=True, prog_bar=True, sync_dist=True)
        return loss

    def _taught(self, losses: list[Tensor], logits: Tensor, answers: list[Tensor | None]) -> list[Tensor]:
        """Each head's loss, with the teachers' share where one of them has such a head."""
        share, temperature = self.recipe.distil.weight, self.recipe.distil.temperature
        taught = []
        for k, (loss, answer) in enumerate(zip(losses, answers, strict=True)):
            if answer is None:
                taught.append(loss)
                continue
            soft = (logits[:, k] / temperature).log_softmax(dim=-1)
            # Gradients through a temperature shrink with its square.
            difference = functional.kl_div(soft, answer, reduction="batchmean") * temperature**2
            taught.append((1 - share) * loss + share * difference)
        return taught

    def validation_step(self, batch: tuple[Tensor, Tensor, Tensor], batch_idx: int) -> None:
        pixels, labels, _ = batch
        logits = self(self.normalize(pixels.float() / 255)).float()[:, 0]
        loss = functional.cross_entropy(logits, labels)
        self._check(loss)
        self.metrics.update(logits, labels)
        self.log("val_loss", loss, batch_size=len(labels), sync_dist=True)

    def on_validation_epoch_end(self) -> None:
        self.log_dict(self.metrics.compute(), prog_bar=True)
        self.metrics.reset()

    def configure_optimizers(self) -> Any:
        recipe = self.recipe.optimizer
        groups, shares = self._parameter_groups()
        optimizer: torch.optim.Optimizer
        if recipe.name == "sgd":
            optimizer = torch.optim.SGD(groups, recipe.lr, momentum=recipe.momentum, nesterov=recipe.momentum > 0)
        else:
            optimizer = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[recipe.name](groups, recipe.lr)
        if self.recipe.schedule == "plateau":
            plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **_PLATEAU)  # type: ignore[arg-type]
            return {"optimizer": optimizer, "lr_scheduler": {"scheduler": plateau, "monitor": "val_loss"}}
        total = int(self.trainer.estimated_stepping_batches)
        warmup = min(round(self.recipe.warmup_epochs * total / self.recipe.epochs), total - 1)

        def rate(step: int) -> float:
            if step < warmup:
                return (step + 1) / warmup
            if self.recipe.schedule == "constant":
                return 1.0
            return 0.5 * (1 + math.cos(math.pi * (step - warmup) / (total - warmup)))

        def scaled(share: float) -> Callable[[int], float]:
            return lambda step: share * rate(step)

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, [scaled(share) for share in shares])
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _parameter_groups(self) -> tuple[list[dict[str, Any]], list[float]]:
        """Parameter groups, and the share of the learning rate that each takes."""
        decay = self.recipe.optimizer.weight_decay

        def split(parameters: list[nn.Parameter]) -> list[dict[str, Any]]:
            weights = [p for p in parameters if p.dim() > 1]
            others = [p for p in parameters if p.dim() <= 1]
            return [{"params": weights, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]

        if not self.recipe.freeze_epochs:
            return split(list(self.network.parameters())), [1.0, 1.0]
        backbone = list(self.network.get_submodule("backbone").parameters())
        slow = {id(parameter) for parameter in backbone}
        head = [parameter for parameter in self.network.parameters() if id(parameter) not in slow]
        groups = split(head) + split(backbone)
        share = self.recipe.backbone_rate
        return groups, [1.0, 1.0, share, share]

    def _check(self, loss: Tensor) -> None:
        if not torch.isfinite(loss):
            raise TrainingError(f"the loss is {float(loss)} in epoch {self.current_epoch + 1}, step {self.global_step}")
