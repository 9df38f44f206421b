"""Model folders: ``model.onnx``, ``config.json`` and a model card, ``README.md``."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any, TypeVar

from mien.emotions import LABELS
from mien.errors import ModelError, OptionError

SHIPPED = Path(__file__).parents[1] / "models"
INT8_FILE = "model-int8.onnx"
"""The same network in 8-bit numbers; a model folder need not have it."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """What one needs to know to run a network and to understand its answers.

    Attributes:
        name: Name of the model.
        labels: The emotions, in the order of the network's outputs.
        input_size: Side of the gray square the network reads, in pixels.
        mean: Mean of the training pixels, in 0..1; subtracted from the input.
        std: Their standard deviation; divides the input.
        heads: Names of the network's heads, in the order of its outputs.
        scales: What multiplies each head's logits, one number per emotion, same order.
        biases: What is added to them then: vector scaling (Guo et al. 2017, "On calibration of modern neural
            networks").
        priors: Share of each emotion in what each head was trained on, same order.
        prior_power: How far the answer for photos leaves these shares behind: 0 not at all, 1 as if all
            emotions were equally frequent (Menon et al. 2021, "Long-tail learning via logit adjustment").
        photo_temperature: What divides the logarithm of the answer for photos.
        uncertain_below: Confidence under which an answer is called uncertain.
        figures: Figures measured on the model, by name.
        training: How it was made: command, recipe, digest of the data.
    """

    name: str
    labels: tuple[str, ...]
    input_size: int
    mean: float
    std: float
    heads: tuple[str, ...]
    scales: tuple[tuple[float, ...], ...]
    biases: tuple[tuple[float, ...], ...]
    priors: tuple[tuple[float, ...], ...]
    prior_power: float
    photo_temperature: float
    uncertain_below: float
    figures: dict[str, float]
    training: dict[str, Any]


def shipped_models() -> list[str]:
    """Names of the models that come with mien."""
    return sorted(path.parent.name for path in SHIPPED.glob("*/config.json"))


def find_model(name: str) -> Path:
    """The folder of a shipped model or of one's own.

    Args:
        name: Name of a shipped model, or path of a folder.

    Raises:
        OptionError: If there is neither.
        ModelError: If a part of the folder is missing.
    """
    if name in shipped_models():
        return SHIPPED / name
    folder = Path(name)
    # Unlike Path.is_dir this is no error for names that are too long.
    if not os.path.isdir(folder):  # noqa: PTH112
        raise OptionError(
            f"{name}: no such model; expected a folder with model.onnx and config.json, or one of "
            f"{', '.join(shipped_models())}"
        )
    for part in ("model.onnx", "config.json"):
        if not (folder / part).is_file():
            raise ModelError(f"{folder}: not a model folder, {part} is missing")
    return folder


def load_config(folder: Path) -> ModelConfig:
    """Read and check a model folder's ``config.json``.

    Raises:
        ModelError: If it is damaged or says something this version cannot do.
    """
    path = folder / "config.json"
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ModelError(f"{path}: not a valid model description: it is damaged or no JSON") from error
    if not isinstance(values, dict):
        raise ModelError(f"{path}: not a valid model description: expected an object, {{…}}")

    def get(key: str, convert: Callable[[Any], _T]) -> _T:
        try:
            return convert(values[key])
        except KeyError:
            raise ModelError(f"{path}: key {key!r} is missing") from None
        except (ValueError, TypeError):
            found = shorten(json.dumps(values[key]), 60)
            raise ModelError(f"{path}: not a valid model description: {key} is {found}") from None

    config = ModelConfig(
        name=get("name", str),
        labels=get("labels", tuple),
        input_size=get("input_size", int),
        mean=get("mean", float),
        std=get("std", float),
        heads=get("heads", tuple),
        scales=get("scales", _rows),
        biases=get("biases", _rows),
        priors=get("priors", _rows),
        prior_power=get("prior_power", float),
        photo_temperature=get("photo_temperature", float),
        uncertain_below=get("uncertain_below", float),
        figures=get("figures", dict),
        training=get("training", dict),
    )
    if config.labels != LABELS:
        raise ModelError(f"{path}: labels must be {', '.join(LABELS)} in this order")
    tables = {"scales": config.scales, "biases": config.biases, "priors": config.priors}
    for name, rows in tables.items():
        if len(rows) != len(config.heads) or not rows or any(len(row) != len(LABELS) for row in rows):
            raise ModelError(f"{path}: {name} must have one row of {len(LABELS)} numbers per head")
    if any(not 0 < share <= 1 for row in config.priors for share in row):
        raise ModelError(f"{path}: priors must be shares above 0")
    positive = (*(scale for row in config.scales for scale in row), config.photo_temperature, config.std)
    if not all(0 < value < math.inf for value in positive):
        raise ModelError(f"{path}: scales, photo_temperature and std must be above 0")
    return config


def _rows(rows: Iterable[Iterable[Any]]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(map(float, row)) for row in rows)
