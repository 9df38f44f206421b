from __future__ import annotations

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

from mien.analyzer import Analyzer

GENERATOR = runpy.run_path(str(Path(__file__).with_name("generate.py")))
ANSWERS = json.loads(GENERATOR["ANSWERS"].read_text(encoding="utf-8"))
PICTURES = GENERATOR["pictures"]()


def test_the_answers_are_of_these_pictures() -> None:
    assert ANSWERS.keys() == PICTURES.keys()
    assert ANSWERS["nobody"]["faces"] == []
    assert len(ANSWERS["two"]["faces"]) == 2
    assert all(ANSWERS[name]["faces"] for name in ANSWERS if name != "nobody")


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_stay(analyzer: Analyzer, name: str) -> None:
    expected, found = ANSWERS[name], analyzer.analyze(PICTURES[name]).to_dict()
    assert (found["width"], found["height"]) == (expected["width"], expected["height"])
    assert len(found["faces"]) == len(expected["faces"])
    for new, old in zip(found["faces"], expected["faces"], strict=True):
        # Processors round differently, which moves a box by less than a pixel and a probability by little.
        np.testing.assert_allclose(new["box"], old["box"], atol=2)
        assert new["emotion"] == old["emotion"]
        np.testing.assert_allclose(list(new["probabilities"].values()), list(old["probabilities"].values()), atol=0.03)
        assert new["ambiguity"] == pytest.approx(old["ambiguity"], abs=0.03)
