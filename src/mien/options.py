"""The one home of defaults: the command line and the windows read them here."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, TypedDict

from mien.arguments import expect, found
from mien.errors import OptionError

if TYPE_CHECKING:
    from typing_extensions import Unpack

MAX_PIXELS = 128_000_000
"""Larger pictures are refused before they are decoded: 128 megapixels, more than any phone takes."""

MAX_THREADS = 512
"""ONNX Runtime starts as many threads as it is told; very many of them bring a machine to a stop."""

DETECT_SIZES = (128, 16384)
"""The least and the largest long side at which faces are looked for, in pixels."""

DETECTORS = ("yunet", "haar")
PRECISIONS = ("auto", "fp32", "int8")
MIRROR = ("auto", "on", "off")
ROTATE = ("auto", 0, 90, 180, 270)


@dataclass(frozen=True, slots=True)
class AnalyzerOptions:
    """How pictures are read.

    Attributes:
        model: Name of a shipped model, or path of a model folder or of a ``.tflite`` file (extra ``phone``).
        detector: ``yunet`` or ``haar``.
        min_confidence: A face whose most likely emotion is less likely than this is called uncertain, 0..1;
            None takes the threshold that the model was calibrated for.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: Threads of ONNX Runtime; 0 takes all cores.
        max_pixels: Pictures with more pixels are refused before decoding.
        smoothing_s: Time constant in seconds with which a tracked face's probabilities are smoothed; 0 for none.
        precision: ``fp32``, ``int8``, or ``auto`` for ``int8`` where the model has it and the processor is faster with
            it; the probabilities differ by a few hundredths.
        detect_size: Long side in pixels at which faces are looked for, 128..16384: larger finds smaller faces, slower.
            ``auto`` looks at 640 pixels in videos; photos are also searched as large as they are.
        mirror: ``on`` averages the answer with that for the mirrored face, which takes twice the time to classify;
            ``off`` does not; ``auto`` does in photos, and where labeled faces are measured.
        rotate: By how many degrees, clockwise, photos are turned to stand upright: 0, 90, 180 or 270; ``auto`` finds
            out. Tags of the camera are followed in any case, and boxes are in the photo as its tag has it.
        reidentify: Whether people who come back within a video, after an absence or a cut, are known again by how they
            look. Nothing is kept beyond the video.

    Raises:
        OptionError: If a value lies outside its range, or is of another type. Names of detectors, devices and models
            are looked up when they are opened.
    """

    model: str = "mien-2"
    detector: str = "yunet"
    min_confidence: float | None = None
    device: str = "auto"
    threads: int = 0
    max_pixels: int = MAX_PIXELS
    smoothing_s: float = 0.3
    precision: str = "auto"
    detect_size: int | str = "auto"
    mirror: str = "auto"
    rotate: int | str = "auto"
    reidentify: bool = True

    def __post_init__(self) -> None:
        if isinstance(self.model, os.PathLike):
            object.__setattr__(self, "model", os.fspath(self.model))
        if not isinstance(self.model, str):
            raise OptionError(f"must be the name or folder of a model, found {found(self.model)}", field="model")
        expect(str, detector=self.detector, device=self.device)
        if self.min_confidence is not None:
            self._check_number("min_confidence", Real, 0, 1, "lie in 0..1, or be None")
        self._check_number("threads", Integral, 0, MAX_THREADS, f"lie in 0 (all cores)..{MAX_THREADS}")
        self._check_number("max_pixels", Integral, 1, MAX_PIXELS, f"lie in 1..{MAX_PIXELS}")
        self._check_number("smoothing_s", Real, 0, 1e9, "be 0 seconds or more")
        if not isinstance(self.detect_size, str) or self.detect_size != "auto":
            low, high = DETECT_SIZES
            self._check_number("detect_size", Integral, low, high, f"be auto or lie in {low}..{high}")
        expect(bool, reidentify=self.reidentify)
        if isinstance(self.rotate, Integral) and not isinstance(self.rotate, bool):
            object.__setattr__(self, "rotate", int(self.rotate))
        for name, choices in (("precision", PRECISIONS), ("mirror", MIRROR), ("rotate", ROTATE)):
            value = getattr(self, name)
            # True and 1.0 equal 1, but the value is also compared by its type.
            if type(value) not in (str, int) or value not in choices:
                raise OptionError(f"must be one of {', '.join(map(str, choices))}, found {found(value)}", field=name)

    def _check_number(self, name: str, kind: Any, low: float, high: float, expected: str) -> None:
        value: Any = getattr(self, name)
        # True is a number to Python, but hardly meant as one.
        if not isinstance(value, kind) or isinstance(value, bool) or not low <= value <= high:
            raise OptionError(f"must {expected}, found {found(value)}", field=name)
        # NumPy's numbers would go on into results, and JSON knows only Python's.
        object.__setattr__(self, name, int(value) if kind is Integral else float(value))

    def mirrors(self, video: bool) -> bool:
        """Whether each answer is averaged with that for the mirrored face, in photos or in videos."""
        return self.mirror == "on" or (self.mirror == "auto" and not video)


def available_cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class OptionValues(TypedDict, total=False):
    """The fields of `AnalyzerOptions` as keywords, so that editors and type checkers know them."""

    model: str | os.PathLike[str]
    detector: str
    min_confidence: float | None
    device: str
    threads: int
    max_pixels: int
    smoothing_s: float
    precision: str
    detect_size: int | str
    mirror: str
    rotate: int | str
    reidentify: bool


def make_options(options: AnalyzerOptions | None = None, **values: Unpack[OptionValues]) -> AnalyzerOptions:
    """Options with some fields changed.

    Args:
        options: Where to begin; None for the defaults.
        **values: Fields to have otherwise.

    Raises:
        OptionError: If a field is unknown, or its value not possible.
    """
    if options is not None and not isinstance(options, AnalyzerOptions):
        raise OptionError(f"expected options by name, as in load(detector='haar'), found {found(options)}")
    names = [field.name for field in fields(AnalyzerOptions)]
    for name in values:
        if name not in names:
            raise OptionError(f"unknown option {name!r}; expected one of {', '.join(names)}")
    changes: dict[str, Any] = dict(values)
    return replace(options or AnalyzerOptions(), **changes)
