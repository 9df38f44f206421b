"""The composed clips of `benchmarks/tracking.py`: no figure may fall below what users were promised."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mien.analyzer import Analyzer

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from tracking import read_scene
from tracking_scenes import SCENES, Cast

# IDF1 that a clip must reach, and numbers that people may share at most.
_BARS = {"crowd8": (0.9, 1), "leave": (0.97, 0), "occluder": (0.97, 0), "zoom_shake": (0.97, 0)}


@pytest.fixture(scope="module")
def cast(shared: Path, analyzer: Analyzer) -> Cast:
    return Cast(shared / "data" / "wild", analyzer)


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENES)
def test_composed_clip(cast: Cast, analyzer: Analyzer, name: str) -> None:
    scene = SCENES[name]
    score = read_scene(cast, scene, analyzer, full_search_s=0.25)
    idf1, mixed = _BARS.get(name, (0.98, 0))
    assert score.idf1 >= idf1
    assert score.mixed <= mixed
    assert score.wrong_cuts(scene) == 0
    assert score.false_people == 0
    assert score.missed <= 0.05
