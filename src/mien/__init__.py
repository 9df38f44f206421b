"""mien reads facial expressions in photos: every face with its emotion and an honest confidence.

>>> import mien
>>> face = mien.predict_emotion("photo.jpg")
>>> result = mien.load().analyze("photo.jpg")
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

# ONNX Runtime's wheels report to their maker unless this is set before onnxruntime is first imported. Worker processes
# inherit it. See docs/privacy.md.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from mien.analyzer import Analyzer, analyze_many, load, predict_emotion
    from mien.classification.explanation import Explanation, explain
    from mien.drawing import draw
    from mien.emotions import Emotion
    from mien.errors import (
        DataError,
        ImageError,
        MienError,
        MissingExtraError,
        ModelError,
        OptionError,
        OutputError,
        VideoError,
    )
    from mien.images import read_image
    from mien.options import AnalyzerOptions
    from mien.preprocessing import crop_face
    from mien.results import Face, FrameResult, HeadAngles
    from mien.tracking.stream import StreamAnalyzer
    from mien.video.process import analyze_video
    from mien.video.reader import open_video
    from mien.video.summary import Summary

__version__ = "0.2.0.dev0"

__all__ = [
    "Analyzer",
    "AnalyzerOptions",
    "DataError",
    "Emotion",
    "Explanation",
    "Face",
    "FrameResult",
    "HeadAngles",
    "ImageError",
    "MienError",
    "MissingExtraError",
    "ModelError",
    "OptionError",
    "OutputError",
    "StreamAnalyzer",
    "Summary",
    "VideoError",
    "__version__",
    "analyze_many",
    "analyze_video",
    "crop_face",
    "draw",
    "explain",
    "load",
    "open_video",
    "predict_emotion",
    "read_image",
]

_HOMES = {
    "Analyzer": "mien.analyzer",
    "AnalyzerOptions": "mien.options",
    "DataError": "mien.errors",
    "Emotion": "mien.emotions",
    "Explanation": "mien.classification.explanation",
    "Face": "mien.results",
    "FrameResult": "mien.results",
    "HeadAngles": "mien.results",
    "ImageError": "mien.errors",
    "MienError": "mien.errors",
    "MissingExtraError": "mien.errors",
    "ModelError": "mien.errors",
    "OptionError": "mien.errors",
    "OutputError": "mien.errors",
    "StreamAnalyzer": "mien.tracking.stream",
    "Summary": "mien.video.summary",
    "VideoError": "mien.errors",
    "analyze_many": "mien.analyzer",
    "analyze_video": "mien.video.process",
    "crop_face": "mien.preprocessing",
    "draw": "mien.drawing",
    "explain": "mien.classification.explanation",
    "load": "mien.analyzer",
    "open_video": "mien.video.reader",
    "predict_emotion": "mien.analyzer",
    "read_image": "mien.images",
}


def __getattr__(name: str) -> Any:
    # NumPy, OpenCV and ONNX Runtime load when they are first needed, so that importing mien costs nothing.
    if name not in _HOMES:
        raise AttributeError(f"module 'mien' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
