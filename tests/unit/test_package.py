from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import mien
from mien.classification.model_config import SHIPPED, load_config
from mien.errors import OptionError


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def test_importing_mien_loads_nothing_heavy() -> None:
    heavy = "{'numpy', 'cv2', 'onnxruntime', 'PIL', 'torch', 'typer', 'rich', 'tkinter'}"
    assert run(f"import sys, mien; print(sorted({heavy} & sys.modules.keys()))") == "[]"


def test_reading_photos_needs_neither_torch_nor_a_window() -> None:
    code = (
        "import sys, numpy, mien; mien.load().analyze(numpy.zeros((80, 80, 3), 'uint8'));"
        "print(sorted({'torch', 'tkinter', 'matplotlib', 'sklearn'} & sys.modules.keys()))"
    )
    assert run(code) == "[]"


def test_every_public_name_is_there() -> None:
    for name in mien.__all__:
        assert getattr(mien, name) is not None
    assert dir(mien) == mien.__all__
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        _ = mien.lod


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"min_confidence": 1.5}, "min_confidence must lie in 0..1, or be None, found 1.5"),
        ({"min_confidence": float("nan")}, "min_confidence must lie in 0..1, or be None, found nan"),
        ({"min_confidence": "high"}, "min_confidence must lie in 0..1, or be None, found 'high'"),
        ({"max_pixels": 0}, "max_pixels must lie in 1..128000000, found 0"),
        ({"max_pixels": 1e6}, "max_pixels must lie in 1..128000000, found 1000000.0"),
        ({"threads": "two"}, "threads must lie in 0 (all cores)..512, found 'two'"),
        ({"threads": 100_000}, "threads must lie in 0 (all cores)..512, found 100000"),
        ({"threads": True}, "threads must lie in 0 (all cores)..512, found True"),
        ({"smoothing_s": None}, "smoothing_s must be 0 seconds or more, found None"),
        ({"smoothing_s": float("inf")}, "smoothing_s must be 0 seconds or more, found inf"),
        ({"model": 1}, "model must be the name or folder of a model, found 1"),
        ({"detector": 1}, "detector must be text, found 1"),
        ({"device": None}, "device must be text, found None"),
        ({"model": "mien-9"}, "mien-9: no such model; expected a folder with model.onnx and config.json, or one of"),
        ({"model": "m" * 300}, "no such model"),
        ({"color": "red"}, "unknown option 'color'; expected one of model, detector, min_confidence,"),
    ],
)
def test_impossible_options_are_named(values: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=re.escape(message)):
        mien.load(**values)


def test_a_name_where_options_belong() -> None:
    with pytest.raises(
        OptionError, match=re.escape("expected options by name, as in load(detector='haar'), found 'y'")
    ):
        mien.load("y")  # type: ignore[arg-type]


def test_options_by_name_and_by_object() -> None:
    analyzer = mien.load(mien.AnalyzerOptions(threads=1), min_confidence=np.float32(0.5), model=SHIPPED / "mien-1")
    assert analyzer.options == mien.AnalyzerOptions(str(SHIPPED / "mien-1"), min_confidence=0.5, threads=1)
    assert analyzer.uncertain_below == 0.5


def test_listing_the_commands_loads_neither_networks_nor_pictures() -> None:
    heavy = "{'numpy', 'cv2', 'onnxruntime', 'PIL', 'torch', 'tkinter', 'av'}"
    assert run(f"import sys, mien.cli.main; print(sorted({heavy} & sys.modules.keys()))") == "[]"


def test_the_readme_quotes_the_models() -> None:
    rows = {
        "FER-2013 PublicTest (3,589 face crops): accuracy": ("publictest_accuracy", "{:.1%}"),
        "macro-F1": ("publictest_macro_f1", "{:.3f}"),
        "calibration error": ("publictest_ece", "{:.3f}"),
        "the same faces, found by the detector first": ("publictest_through_detector_accuracy", "{:.1%}"),
        "balanced accuracy over seven emotions": ("wild_balanced_accuracy", "{:.3f}"),
        "without fear, of which there are 16": ("wild_balanced_accuracy_without_fear", "{:.3f}"),
    }
    models = [load_config(SHIPPED / name).figures for name in ("mien-2", "mien-2-tiny")]
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    for row, (figure, form) in rows.items():
        quoted = " | ".join(form.format(figures[figure]) for figures in models)
        assert f"| {row} | {quoted} |" in readme, row
