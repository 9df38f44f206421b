from __future__ import annotations

import subprocess
import sys

import pytest

import mien


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


def test_options_are_checked() -> None:
    with pytest.raises(mien.MienError, match=r"min_confidence must lie in 0\.\.1, found 1\.5"):
        mien.AnalyzerOptions(min_confidence=1.5)
    with pytest.raises(mien.MienError, match="max_pixels"):
        mien.AnalyzerOptions(max_pixels=0)


def test_listing_the_commands_loads_neither_networks_nor_pictures() -> None:
    heavy = "{'numpy', 'cv2', 'onnxruntime', 'PIL', 'torch', 'tkinter', 'av'}"
    assert run(f"import sys, mien.cli.main; print(sorted({heavy} & sys.modules.keys()))") == "[]"
