"""Recipes: everything that decides how a network is trained, in one YAML file."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import yaml

from mien.errors import OptionError
from mien.training.augment import Augment


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
    """Learning from finished networks beside the labels; without teachers the rest means nothing.

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
        precision: Lightning's name for it, for example ``bf16-mixed`` or ``32-true``.
        seed: Decides initial weights, order of the faces and augmentation.
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
    precision: str = "bf16-mixed"
    seed: int = 0
    augment: Augment = field(default_factory=Augment)
    distil: Distil = field(default_factory=Distil)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as in the YAML file."""
        return asdict(self)


def load_recipe(path: str | Path) -> Recipe:
    """Read a recipe file.

    Raises:
        OptionError: If the file is missing, is not YAML, or has an unknown key (the message names the
            nearest one) or a value of the wrong type.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise OptionError(f"{path}: recipe cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise OptionError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    return parse_recipe(content, str(path))


def parse_recipe(content: object, where: str = "recipe") -> Recipe:
    """Turn the plain values of a recipe file into a `Recipe`; raises as `load_recipe`."""
    recipe = _build(Recipe, content, where)
    for name, low in _LOWEST.items():
        value = getattr(recipe, name)
        if value < low:
            raise OptionError(f"{where}: {name} must be at least {low}, found {value}")
    if recipe.optimizer.lr <= 0:
        raise OptionError(f"{where}: optimizer.lr must be above 0, found {recipe.optimizer.lr}")
    for name in ("ema", "target", "label_smoothing"):
        if not 0 <= getattr(recipe, name) < 1:
            raise OptionError(f"{where}: {name} must lie in 0..1, found {getattr(recipe, name)}")
    if not 0 <= recipe.distil.weight <= 1:
        raise OptionError(f"{where}: distil.weight must lie in 0..1, found {recipe.distil.weight}")
    if recipe.distil.temperature <= 0:
        raise OptionError(f"{where}: distil.temperature must be above 0, found {recipe.distil.temperature}")
    if (recipe.freeze_epochs or recipe.pretrained) and not recipe.network.startswith("timm:"):
        raise OptionError(f"{where}: freeze_epochs and pretrained are for timm: networks, not for {recipe.network!r}")
    if recipe.pretrained and recipe.start:
        raise OptionError(f"{where}: pretrained and start both name the first weights; leave one out")
    return recipe


_LOWEST = {
    "epochs": 1,
    "batch_size": 1,
    "freeze_epochs": 0,
    "backbone_rate": 0,
    "warmup_epochs": 0,
    "patience": 0,
    "ferplus_weight": 0,
}


_POWER_OF_TEN = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+")

_T = TypeVar("_T")


def _build(kind: type[_T], content: object, where: str) -> _T:
    if not isinstance(content, dict):
        raise OptionError(f"{where}: expected keys and values, found {type(content).__name__}")
    hints = get_type_hints(kind)
    known = {entry.name for entry in fields(kind)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for key, value in content.items():
        if key not in known:
            near = get_close_matches(str(key), known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(sorted(known))}"
            raise OptionError(f"{where}: unknown key {key!r}; {hint}")
        values[key] = _convert(hints[key], value, f"{where}: {key}")
    try:
        return kind(**values)
    except TypeError:
        missing = [entry.name for entry in fields(kind) if entry.name not in values]  # type: ignore[arg-type]
        raise OptionError(f"{where}: key {missing[0]!r} is missing") from None


def _convert(kind: Any, value: object, where: str) -> Any:
    if is_dataclass(kind):
        return _build(kind, value, where)  # type: ignore[arg-type]
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise OptionError(f"{where}: expected one of {', '.join(map(str, get_args(kind)))}, found {value!r}")
        return value
    if get_origin(kind) is tuple:
        if not isinstance(value, list | tuple):
            raise OptionError(f"{where}: expected a list, found {value!r}")
        return tuple(_convert(get_args(kind)[0], item, where) for item in value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    # PyYAML takes 1e-3 for text, because it has neither a point nor a sign that YAML 1.1 asks for.
    if kind is float and isinstance(value, str) and _POWER_OF_TEN.fullmatch(value):
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise OptionError(f"{where}: expected {kind.__name__}, found {value!r}")
    return value
