"""Options and arguments that several commands share, declared once; their defaults are those of `AnalyzerOptions`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from mien.options import DETECTORS, MIRROR, PRECISIONS, ROTATE, AnalyzerOptions

DEFAULTS = AnalyzerOptions()


def one_of(*choices: str) -> Callable[[str], list[str]]:
    """What the shell offers for an option that takes one of these words."""

    def complete(incomplete: str) -> list[str]:
        return [choice for choice in choices if choice.startswith(incomplete)]

    return complete


def _complete_model(incomplete: str) -> list[str]:
    from mien.classification.model_config import shipped_models

    return [name for name in shipped_models() if name.startswith(incomplete)]


ModelOption = Annotated[
    str,
    typer.Option(
        "--model", help="Name of a shipped model, a model folder, or a .tflite file.", autocompletion=_complete_model
    ),
]
DetectorOption = Annotated[
    str, typer.Option("--detector", help=f"Face detector: {' or '.join(DETECTORS)}.", autocompletion=one_of(*DETECTORS))
]
MinConfidenceOption = Annotated[
    float | None,
    typer.Option(
        "--min-confidence", help="Call answers below this confidence uncertain, 0 to 1.  [default: the model's]"
    ),
]
DeviceOption = Annotated[
    str, typer.Option("--device", help="auto, cpu or cuda.", autocompletion=one_of("auto", "cpu", "cuda"))
]
ThreadsOption = Annotated[int, typer.Option("--threads", help="Threads for the networks; 0 takes all cores.")]
PrecisionOption = Annotated[
    str,
    typer.Option(
        "--precision", help="fp32, int8, or auto for whichever is faster here.", autocompletion=one_of(*PRECISIONS)
    ),
]
SmoothingOption = Annotated[
    float, typer.Option("--smoothing", metavar="SECONDS", help="Time constant of the smoothing; 0 for none.")
]
DetectSizeOption = Annotated[
    str,
    typer.Option(
        "--detect-size",
        metavar="auto|PIXELS",
        help="Long side at which faces are looked for: larger finds smaller faces, slower.",
        autocompletion=one_of("auto", "640", "1280", "2560"),
    ),
]
MirrorOption = Annotated[
    str,
    typer.Option(
        "--mirror",
        help="Average with the mirrored face: on, off, or auto: not in videos.",
        autocompletion=one_of(*MIRROR),
    ),
]
RotateOption = Annotated[
    str,
    typer.Option(
        "--rotate",
        metavar="auto|0|90|180|270",
        help="Degrees, clockwise, that turn the photos upright; auto finds out.",
        autocompletion=one_of(*map(str, ROTATE)),
    ),
]
ReidentifyOption = Annotated[
    bool,
    typer.Option(
        "--reidentify/--no-reidentify",
        help="Know people who come back within a video by how they look; nothing is kept beyond it.",
    ),
]

# A command's parameter, the field of `AnalyzerOptions` that it sets, and its declaration, in the order of the help.
_PARAMETERS: tuple[tuple[str, str, Any], ...] = (
    ("detector", "detector", DetectorOption),
    ("detect_size", "detect_size", DetectSizeOption),
    ("model", "model", ModelOption),
    ("precision", "precision", PrecisionOption),
    ("mirror", "mirror", MirrorOption),
    ("rotate", "rotate", RotateOption),
    ("min_confidence", "min_confidence", MinConfidenceOption),
    ("smoothing", "smoothing_s", SmoothingOption),
    ("reidentify", "reidentify", ReidentifyOption),
    ("device", "device", DeviceOption),
    ("threads", "threads", ThreadsOption),
)


def analyzer_options(*without: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command every option of the analyzer: it takes one parameter ``options`` in place of them all.

    Args:
        *without: Names of the command-line parameters that mean nothing to the command.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        chosen = [row for row in _PARAMETERS if row[0] not in without]

        @wraps(command)
        def run(**values: Any) -> None:
            given = {name: values.pop(name) for name, _, _ in chosen}
            command(**values, options=make_analyzer_options(given))

        # Typer reads a command's options off its signature.
        own = inspect.signature(command, eval_str=True).parameters.values()
        shared = [
            inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, default=getattr(DEFAULTS, field), annotation=declaration
            )
            for name, field, declaration in chosen
        ]
        kept = [
            parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own if parameter.name != "options"
        ]
        signature = inspect.Signature([*kept, *shared])
        vars(run)["__signature__"] = signature
        run.__annotations__ = {name: parameter.annotation for name, parameter in signature.parameters.items()}
        return run

    return decorate


def make_analyzer_options(values: dict[str, Any]) -> AnalyzerOptions:
    """Options of the analyzer from what the command line gave.

    Args:
        values: By name of the parameter; ``detect_size`` and ``rotate`` as text.

    Raises:
        OptionError: If a value is not possible.
    """
    for name in ("detect_size", "rotate"):
        value = values.get(name)
        if isinstance(value, str) and value.isdecimal() and len(value) < 10:
            values = values | {name: int(value)}
    by_field = {field: values[name] for name, field, _ in _PARAMETERS if name in values}
    return AnalyzerOptions(**by_field)


_DATA = "fer2013.csv (plain or .xz), a tree of class folders, or a folder with labels.csv."
DataArgument = Annotated[Path, typer.Argument(help=_DATA)]
DataOption = Annotated[Path, typer.Option("--data", help=_DATA)]
VotesOption = Annotated[
    Path | None, typer.Option("--votes", help="FER+ votes: ferplus_votes.csv or the public fer2013new.csv.")
]
USAGES = ("Training", "PublicTest", "PrivateTest")
UsageOption = Annotated[
    str,
    typer.Option("--usage", help="Split: Training, PublicTest or PrivateTest.", autocompletion=one_of(*USAGES)),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace files that exist already.")]
OneJsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
