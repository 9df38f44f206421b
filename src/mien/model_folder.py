"""Model folders: ``model.onnx``, ``config.json`` and a model card, ``README.md``."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mien.emotions import LABELS
from mien.errors import ModelError, OptionError

SHIPPED = Path(__file__).parent / "models"


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """What one needs to know to run a network and to understand its answers.

    Attributes:
        name: Name of the model.
        labels: The emotions, in the order of the network's outputs.
        input_size: Side of the grey square the network reads, in pixels.
        mean: Mean of the training pixels, in 0..1; subtracted from the input.
        std: Their standard deviation; divides the input.
        heads: Names of the network's heads, in the order of its outputs.
        temperatures: What divides each head's logits (Guo et al. 2017, "On calibration of modern neural
            networks"), same order.
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
    temperatures: tuple[float, ...]
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
        config = ModelConfig(
            name=str(values["name"]),
            labels=tuple(values["labels"]),
            input_size=int(values["input_size"]),
            mean=float(values["mean"]),
            std=float(values["std"]),
            heads=tuple(values["heads"]),
            temperatures=tuple(map(float, values["temperatures"])),
            priors=tuple(tuple(map(float, row)) for row in values["priors"]),
            prior_power=float(values["prior_power"]),
            photo_temperature=float(values["photo_temperature"]),
            uncertain_below=float(values["uncertain_below"]),
            figures=dict(values["figures"]),
            training=dict(values["training"]),
        )
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    except KeyError as error:
        raise ModelError(f"{path}: key {error} is missing") from error
    except (ValueError, TypeError) as error:
        raise ModelError(f"{path}: not a valid model description: {error}") from error
    if config.labels != LABELS:
        raise ModelError(f"{path}: labels must be {', '.join(LABELS)} in this order")
    if not len(config.heads) == len(config.temperatures) == len(config.priors) >= 1:
        raise ModelError(f"{path}: heads, temperatures and priors must have the same length")
    if any(len(row) != len(LABELS) or not all(0 < share <= 1 for share in row) for row in config.priors):
        raise ModelError(f"{path}: each row of priors must have {len(LABELS)} shares above 0")
    if not all(0 < value < math.inf for value in (*config.temperatures, config.photo_temperature, config.std)):
        raise ModelError(f"{path}: temperatures and std must be above 0")
    return config
