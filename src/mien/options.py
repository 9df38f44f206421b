"""The one home of defaults: the command line and the windows read them here."""

from __future__ import annotations

from dataclasses import dataclass

from mien.errors import OptionError

MAX_PIXELS = 128_000_000
"""Larger pictures are refused before they are decoded: 128 megapixels, more than any phone takes."""


@dataclass(frozen=True, slots=True)
class AnalyzerOptions:
    """How pictures are read.

    Attributes:
        model: Name of a shipped model, or path of a model folder.
        detector: ``yunet`` or ``haar``.
        min_confidence: A face whose most likely emotion is less likely than this is called uncertain, 0..1;
            None takes the threshold that the model was calibrated for.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: Threads of ONNX Runtime; 0 takes all cores.
        max_pixels: Pictures with more pixels are refused before decoding.
        smoothing_s: Time constant in seconds with which a tracked face's probabilities are smoothed; 0 for none.

    Raises:
        OptionError: If a value lies outside its range.
    """

    model: str = "mien-1"
    detector: str = "yunet"
    min_confidence: float | None = None
    device: str = "auto"
    threads: int = 0
    max_pixels: int = MAX_PIXELS
    smoothing_s: float = 0.3

    def __post_init__(self) -> None:
        if self.min_confidence is not None and not 0.0 <= self.min_confidence <= 1.0:
            raise OptionError(f"min_confidence must lie in 0..1, found {self.min_confidence}")
        if not 1 <= self.max_pixels <= MAX_PIXELS:
            raise OptionError(f"max_pixels must lie in 1..{MAX_PIXELS}, found {self.max_pixels}")
        if not 0 <= self.smoothing_s < float("inf"):
            raise OptionError(f"smoothing_s must be 0 seconds or more, found {self.smoothing_s}")
