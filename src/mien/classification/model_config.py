"""Model folders: ``model.onnx``, ``config.json`` and a model card, ``README.md``."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from mien.emotions import LABELS
from mien.errors import ModelError, OptionError
from mien.files import write_whole
from mien.plain import PlainValueError, build, show

SHIPPED = Path(__file__).parents[1] / "models"
INT8_FILE = "model-int8.onnx"
"""The same network in 8-bit numbers; a model folder need not have it."""
CONFIG_FILE = "config.json"
FERPLUS_HEAD = "ferplus"
"""The head that has learned FER+ votes."""
_MAX_SIDE = 1024


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
        biases: What is added to them then; see `mien.training.calibrate` for how both are found.
        priors: Share of each emotion in what each head was trained on, same order.
        prior_power: How far the answer for photos leaves these shares behind: 0 not at all, 1 as if all
            emotions were equally frequent (Menon et al. 2021, "Long-tail learning via logit adjustment").
        photo_temperature: What divides the logarithm of the answer for photos.
        uncertain_below: Confidence under which an answer is called uncertain.
        figures: Figures measured on the model, by name.
        training: How it was made: command, recipe, digest of the data.
        ambiguity: Gain and power that make an ambiguity of the FER+ head's answer, see
            `mien.classification.classifier.ambiguity`; empty where the model has no such head.
        head_weights: How much each head counts in the answer for photos; they add up to 1.
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
    ambiguity: tuple[float, ...] = ()
    head_weights: tuple[float, ...] = ()


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
    if os.path.isfile(folder):  # noqa: PTH113
        raise OptionError("is a file; a folder with model.onnx and config.json is expected here", name)
    if not os.path.isdir(folder):  # noqa: PTH112
        raise OptionError(
            "no such model; expected a folder with model.onnx and config.json, or one of "
            f"{', '.join(shipped_models())}",
            name,
        )
    for part in ("model.onnx", "config.json"):
        if not (folder / part).is_file():
            raise ModelError(f"is not a model folder, {part} is missing", folder)
    return folder


def load_config(folder: Path) -> ModelConfig:
    """Read and check a model folder's ``config.json``.

    Raises:
        ModelError: If it is damaged or says something this version cannot do.
    """
    path = folder / CONFIG_FILE
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror}", path) from error
    except (ValueError, RecursionError) as error:
        raise ModelError("is not a valid model description: it is damaged or not JSON", path) from error
    return parse_config(values, path)


def parse_config(values: Any, path: Path) -> ModelConfig:
    """Check what a ``config.json`` says.

    Args:
        values: Its content.
        path: The file it is from, to name in errors.

    Raises:
        ModelError: If it is damaged or says something this version cannot do.
    """
    try:
        config = build(ModelConfig, values, ignore_unknown=True)
    except PlainValueError as error:
        raise ModelError(f"is not a valid model description: {error}", path) from None
    if not config.head_weights:
        # Models that were exported before weigh all heads the same.
        config = replace(config, head_weights=(1 / max(1, len(config.heads)),) * len(config.heads))
    _check(config, path)
    return config


def save_config(config: ModelConfig, folder: Path) -> None:
    """Write a model folder's ``config.json``, as `load_config` reads it.

    Raises:
        OutputError: If it cannot be written.
    """
    write_whole(folder / CONFIG_FILE, json.dumps(asdict(config), indent=2, allow_nan=False) + "\n")


def _check(config: ModelConfig, path: Path) -> None:
    if config.labels != LABELS:
        raise ModelError(f"labels must be {', '.join(LABELS)} in this order", path)
    if not 1 <= config.input_size <= _MAX_SIDE:
        raise ModelError(f"input_size must lie in 1..{_MAX_SIDE}, found {show(config.input_size)}", path)
    tables = {"scales": config.scales, "biases": config.biases, "priors": config.priors}
    for name, rows in tables.items():
        if len(rows) != len(config.heads) or not rows or any(len(row) != len(LABELS) for row in rows):
            raise ModelError(f"{name} must have one row of {len(LABELS)} numbers per head", path)
    if len(config.head_weights) != len(config.heads) or abs(sum(config.head_weights) - 1) > 1e-3:
        raise ModelError("head_weights must have one number per head, and add up to 1", path)
    if any(not 0 <= weight <= 1 for weight in config.head_weights):
        raise ModelError("head_weights must lie in 0..1", path)
    if any(not 0 < share <= 1 for row in config.priors for share in row):
        raise ModelError("priors must be shares above 0", path)
    positive = (*(scale for row in config.scales for scale in row), config.photo_temperature, config.std)
    if any(value <= 0 for value in positive):
        raise ModelError("scales, photo_temperature and std must be above 0", path)
    if config.ambiguity and (len(config.ambiguity) != 2 or any(value < 0 for value in config.ambiguity)):
        raise ModelError("ambiguity must be a gain and a power, both 0 or more", path)
    if config.ambiguity and FERPLUS_HEAD not in config.heads:
        raise ModelError(f"ambiguity needs a head {FERPLUS_HEAD!r}", path)
    if not 0 <= config.uncertain_below <= 1 or not 0 <= config.prior_power <= 1:
        raise ModelError("uncertain_below and prior_power must lie in 0..1", path)
