"""What the page needs to know and Python already knows: one JSON, so that no constant is defined twice."""

from __future__ import annotations

import re
from typing import Any

import mien
from mien import preprocessing
from mien.browser.icons import emotion_colors
from mien.classification import quality
from mien.classification.model_config import ModelConfig
from mien.detection import landmarks, yunet
from mien.emotions import LABELS
from mien.live import history, strips
from mien.options import AnalyzerOptions
from mien.tables import FRAMES, PHOTOS
from mien.tracking import confirmation, search, smoothing, stream, tracker

NETWORKS = {"classifier": "classifier.onnx", "detector": "detector.onnx", "aligner": "aligner.onnx"}
"""What the networks' files are called on the page."""

FULL_SEARCH_S = 0.5
"""How often the page searches a whole frame, in seconds; the other frames it searches near the known faces, which takes
a fraction of the time and finds a newcomer only with the next whole frame."""


def page_settings(config: ModelConfig, options: AnalyzerOptions, download: int) -> dict[str, Any]:
    """Everything that the page's engine is told; `Settings` in ``static/app/engine/types.js`` is its shape.

    Args:
        config: The model.
        options: Threshold, smoothing and limits.
        download: Bytes that are loaded before anything can be read, for the progress bar.
    """
    threshold = config.uncertain_below if options.min_confidence is None else options.min_confidence
    return {
        "version": mien.__version__,
        "labels": list(LABELS),
        "colors": emotion_colors(),
        "model": {
            "name": config.name,
            "input_size": config.input_size,
            "mean": config.mean,
            "std": config.std,
            "heads": config.heads,
            "scales": config.scales,
            "biases": config.biases,
            "priors": config.priors,
            "prior_power": config.prior_power,
            "photo_temperature": config.photo_temperature,
            "uncertain_below": threshold,
            "ambiguity": config.ambiguity,
            "head_weights": config.head_weights,
        },
        # Whether the answer is averaged with that for the mirrored face.
        "mirror": {"photo": options.mirrors(video=False), "video": options.mirrors(video=True)},
        "crop": {"scale": preprocessing.CROP_SCALE, "shift": preprocessing.CROP_SHIFT},
        "detector": _lower(yunet, "SCORE_THRESHOLD NMS_THRESHOLD MAX_SIDE MIN_LONG_SIDE MIN_SIDE SECOND_LOOK_DEGREES")
        | {"strides": yunet._STRIDES},
        "aligner": _lower(landmarks, "_SIDE"),
        "quality": {"words": quality.QUALITY_FLAGS, "severe": sorted(quality.SEVERE_FLAGS)}
        | _lower(quality, "_SIDE SMALL_BELOW DARK_BELOW BLURRED_BELOW TURNED_ABOVE CUT_OFF_ABOVE"),
        "tracking": _lower(tracker, "KEEP_S _JITTER _SPEED _FARTHEST _GROWTH _LOST _VELOCITY_S _COAST_S")
        | _lower(stream, "LOOK_AGAIN_S"),
        "search": _lower(search, "_AROUND _FACE_SIDE _WORTH") | {"full_s": FULL_SEARCH_S},
        "confirmation": _lower(confirmation, "CONFIRM_S _SCORE _CONFIDENCE _LONGEST_STEP_S")
        | {"hindered": sorted(confirmation._HINDERED)},
        "smoothing": {"time_constant_s": options.smoothing_s} | _lower(smoothing, "SWITCH_MARGIN SETTLE_S"),
        "history": _lower(history, "SPAN_S") | _lower(strips, "BRIDGED_S"),
        # The page notices no cuts.
        "columns": {"video": [column for column in FRAMES.columns if column != "shot"], "photo": list(PHOTOS.columns)},
        "limits": {"max_pixels": options.max_pixels, "download": download},
        "networks": NETWORKS,
    }


def _lower(module: object, names: str) -> dict[str, Any]:
    """Constants of a module under the names that JavaScript knows them by."""
    return {re.sub("^_", "", name).lower(): getattr(module, name) for name in names.split()}
