"""Recipes: everything that decides how a network is trained, in one YAML file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from mien.errors import OptionError
from mien.plain import PlainValueError, build, show
from mien.training.augment import Augment
from mien.training.shipped import find_recipe
from mien.training.yaml_files import YamlError, read_yaml


@dataclass(frozen=True, slots=True)
class Optimizer:
    """Which optimizer, and its settings.

    Attributes:
        name: ``sgd`` (with Nesterov momentum), ``adam`` or ``adamw``.
        lr: Highest learning rate, reached after the warm-up.
        momentum: For ``sgd`` only.
        weight_decay: On weights of convolutions and linear layers, not on biases and normalization.
    """

    name: Literal["sgd", "adam", "adamw"] = "sgd"
    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4


@dataclass(frozen=True, slots=True)
class Distil:
    """Learning from finished networks in addition to the labels; without teachers the rest means nothing.

    Attributes:
        teachers: Run folders, model folders or names of shipped models, whose answers are averaged.
        weight: Share of the loss that the teachers decide, 0..1; the labels decide the rest.
        temperature: What softens the answers of teachers and student before they are compared.
        flip: Show the teachers each face mirrored as well, at twice their cost.
    """

    teachers: tuple[str, ...] = ()
    weight: float = 0.7
    temperature: float = 2.0
    flip: bool = False


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train one network.

    Attributes:
        network: A name known to `mien.training.networks.build_network`.
        pretrained: Start a ``timm:`` network from its published weights.
        start: Run folder whose best weights to begin with, to go on with other data or another recipe; or a model
            folder, or the name of a shipped model; of the same network.
        freeze_epochs: Epochs that train the classifier of a ``timm:`` network alone.
        backbone_rate: Learning rate of the rest after that, as a share of the classifier's.
        epochs: Passes over the training faces.
        batch_size: Faces per step and device.
        optimizer: See `Optimizer`.
        schedule: ``cosine`` decays the learning rate to zero; ``plateau`` divides it by ten after eight epochs
            without a lower validation loss, without a warm-up; ``constant`` leaves it.
        warmup_epochs: Epochs of linear warm-up before the schedule.
        patience: Stop after so many epochs without a lower validation loss; 0 trains all epochs.
        target: Stop at this validation accuracy, 0..1; 0 trains all epochs.
        imbalance: What to do about rare emotions: ``none``; ``class-weights`` in the loss; ``sampler``, which
            draws every emotion equally often; ``balance-offline``, which adds varied copies before training.
        label_smoothing: Share of the target spread evenly over the classes.
        ferplus_weight: Weight of the loss of a second head on FER+ votes; used where votes are given.
        ema: Decay per step of the averaged weights, which are the ones kept; 0 turns averaging off.
        precision: Lightning's name for it: ``bf16-mixed``, ``16-mixed`` or ``32-true``.
        seed: Decides initial weights, order of the faces and augmentation; 0 to 4294967295.
        augment: See `Augment`.
        distil: See `Distil`.
    """

    network: str
    pretrained: bool = False
    start: str = ""
    freeze_epochs: int = 0
    backbone_rate: float = 0.1
    epochs: int = 60
    batch_size: int = 128
    optimizer: Optimizer = field(default_factory=Optimizer)
    schedule: Literal["cosine", "plateau", "constant"] = "cosine"
    warmup_epochs: float = 2.0
    patience: int = 0
    target: float = 0.0
    imbalance: Literal["none", "class-weights", "sampler", "balance-offline"] = "none"
    label_smoothing: float = 0.1
    ferplus_weight: float = 1.0
    ema: float = 0.998
    precision: Literal["bf16-mixed", "16-mixed", "32-true"] = "bf16-mixed"
    seed: int = 0
    augment: Augment = field(default_factory=Augment)
    distil: Distil = field(default_factory=Distil)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as in the YAML file."""
        return asdict(self)


def load_recipe(path: str | Path) -> Recipe:
    """Read a recipe.

    Args:
        path: The file, or the name of a shipped recipe.

    Raises:
        OptionError: If there is no such recipe, it is not YAML, or has an unknown key (the message names the
            nearest one) or a value of the wrong type or outside its range.
    """
    file = find_recipe(str(path))
    try:
        content = read_yaml(file)
    except YamlError as error:
        raise OptionError(f"recipe {error}", file) from error
    return parse_recipe(content, str(file))


def parse_recipe(content: object, where: str = "recipe") -> Recipe:
    """Turn the plain values of a recipe file into a `Recipe`; raises as `load_recipe`."""
    try:
        recipe = build(Recipe, content)
    except PlainValueError as error:
        raise OptionError(str(error), where) from None
    _check_ranges(recipe, "", where)
    if (recipe.freeze_epochs or recipe.pretrained) and not recipe.network.startswith("timm:"):
        raise OptionError(f"freeze_epochs and pretrained are for timm: networks, not for {recipe.network!r}", where)
    if recipe.pretrained and recipe.start:
        raise OptionError("pretrained and start both name the first weights; leave one out", where)
    return recipe


def _check_ranges(part: Any, prefix: str, where: str) -> None:
    for entry in fields(part):
        name, value = prefix + entry.name, getattr(part, entry.name)
        if hasattr(value, "__dataclass_fields__"):
            _check_ranges(value, f"{name}.", where)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            fits, expected = _RANGES.get(name, _NUMBER)
            if not fits(value):
                raise OptionError(f"{name} must {expected}, found {show(value)}", where)


def _up_to(high: float, low: float = 0) -> tuple[Callable[[float], bool], str]:
    return lambda value: low <= value <= high, f"lie in {low}..{high}"


_NUMBER = _up_to(1_000_000)
_BELOW_ONE: tuple[Callable[[float], bool], str] = (lambda value: 0 <= value < 1, "lie in 0..1 and be below 1")
_ABOVE_ZERO: tuple[Callable[[float], bool], str] = (lambda value: 0 < value <= 1e6, "be above 0, and no more than 1e6")
_RANGES = {
    "epochs": _up_to(1_000_000, low=1),
    "batch_size": _up_to(1_000_000, low=1),
    "target": _BELOW_ONE,
    "label_smoothing": _BELOW_ONE,
    "ema": _BELOW_ONE,
    "seed": _up_to(2**32 - 1),
    "optimizer.lr": _ABOVE_ZERO,
    "optimizer.momentum": _BELOW_ONE,
    "augment.flip": _up_to(1),
    "augment.rotation": _up_to(360),
    "augment.shift": _up_to(1),
    "augment.zoom": _BELOW_ONE,
    "augment.brightness": _up_to(1),
    "augment.contrast": _up_to(1),
    "augment.dark": _up_to(1),
    "augment.blur": _up_to(1),
    "augment.noise": _up_to(1),
    "augment.erase": _up_to(1),
    "augment.erase_area": _up_to(1, low=0.02),
    "distil.weight": _up_to(1),
    "distil.temperature": _ABOVE_ZERO,
}
"""What numbers must be; those that are not named lie in 0..1000000."""
