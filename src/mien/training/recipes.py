"""Recipes: everything that decides how a network is trained, in one YAML file."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import yaml

from mien.errors import OptionError
from mien.training.augment import Augment


@dataclass(frozen=True, slots=True)
class Optimizer:
    """Which optimiser, and its settings.

    Attributes:
        name: ``sgd`` (with Nesterov momentum), ``adam`` or ``adamw``.
        lr: Highest learning rate, reached after the warm-up.
        momentum: For ``sgd`` only.
        weight_decay: On weights of convolutions and linear layers, not on biases and normalisation.
    """

    name: Literal["sgd", "adam", "adamw"] = "sgd"
    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train one network.

    Attributes:
        network: A name known to `mien.training.networks.build_network`.
        epochs: Passes over the training faces.
        batch_size: Faces per step and device.
        optimizer: See `Optimizer`.
        warmup_epochs: Epochs of linear warm-up before the cosine decay to zero.
        label_smoothing: Share of the target spread evenly over the classes.
        ferplus_weight: Weight of the loss of a second head on FER+ votes; used where votes are given.
        ema: Decay per step of the averaged weights, which are the ones kept; 0 turns averaging off.
        precision: Lightning's name for it, for example ``bf16-mixed`` or ``32-true``.
        seed: Decides initial weights, order of the faces and augmentation.
        augment: See `Augment`.
    """

    network: str
    epochs: int = 60
    batch_size: int = 128
    optimizer: Optimizer = field(default_factory=Optimizer)
    warmup_epochs: float = 2.0
    label_smoothing: float = 0.1
    ferplus_weight: float = 1.0
    ema: float = 0.998
    precision: str = "bf16-mixed"
    seed: int = 0
    augment: Augment = field(default_factory=Augment)

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
    for name, value, low in (("epochs", recipe.epochs, 1), ("batch_size", recipe.batch_size, 1)):
        if value < low:
            raise OptionError(f"{where}: {name} must be at least {low}, found {value}")
    if recipe.optimizer.lr <= 0:
        raise OptionError(f"{where}: optimizer.lr must be above 0, found {recipe.optimizer.lr}")
    if not 0 <= recipe.ema < 1:
        raise OptionError(f"{where}: ema must lie in 0..1, found {recipe.ema}")
    return recipe


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
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise OptionError(f"{where}: expected {kind.__name__}, found {value!r}")
    return value
