"""mien reads facial expressions in photos: every face with its emotion and an honest confidence.

>>> import mien
>>> face = mien.predict_emotion("photo.jpg")
>>> result = mien.load().analyze("photo.jpg")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mien.analyzer import Analyzer, load, predict_emotion
    from mien.classification.explanation import Explanation, explain
    from mien.emotions import Emotion
    from mien.errors import MienError
    from mien.options import AnalyzerOptions
    from mien.results import Face, FrameResult

__version__ = "0.1.0"

__all__ = [
    "Analyzer",
    "AnalyzerOptions",
    "Emotion",
    "Explanation",
    "Face",
    "FrameResult",
    "MienError",
    "__version__",
    "explain",
    "load",
    "predict_emotion",
]

_HOMES = {
    "Analyzer": "mien.analyzer",
    "AnalyzerOptions": "mien.options",
    "Emotion": "mien.emotions",
    "Explanation": "mien.classification.explanation",
    "Face": "mien.results",
    "FrameResult": "mien.results",
    "MienError": "mien.errors",
    "explain": "mien.classification.explanation",
    "load": "mien.analyzer",
    "predict_emotion": "mien.analyzer",
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
