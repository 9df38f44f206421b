from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("torch", reason="needs the extra train")

from mien.errors import OptionError
from mien.training.recipes import load_recipe, parse_recipe

RECIPES = sorted((Path(__file__).parents[2] / "recipes").rglob("*.yaml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_committed_recipes_are_valid(path: Path) -> None:
    assert load_recipe(path).epochs >= 1


def test_round_trip() -> None:
    recipe = load_recipe(RECIPES[0])
    assert parse_recipe(recipe.to_dict()) == recipe


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "key 'network' is missing"),
        ([], "expected keys and values, found list"),
        ({"network": "mien", "epoch": 3}, r"unknown key 'epoch'; did you mean 'epochs'\?"),
        ({"network": "mien", "epochs": "many"}, "epochs: expected int, found 'many'"),
        ({"network": "mien", "epochs": 0}, "epochs must be at least 1, found 0"),
        ({"network": "mien", "epochs": True}, "expected int, found True"),
        ({"network": "mien", "optimizer": {"name": "adamm"}}, "expected one of sgd, adam, adamw, found 'adamm'"),
        ({"network": "mien", "optimizer": {"lr": 0}}, r"optimizer\.lr must be above 0"),
        ({"network": "mien", "augment": {"flips": 1}}, r"unknown key 'flips'; did you mean 'flip'\?"),
        ({"network": "mien", "ema": 1.0}, r"ema must lie in 0\.\.1"),
    ],
)
def test_mistakes_are_named(content: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        parse_recipe(content)


def test_numbers_as_powers_of_ten() -> None:
    recipe = parse_recipe(yaml.safe_load("network: cnn2-lite\noptimizer: {lr: 1e-3}\n"))
    assert recipe.optimizer.lr == 0.001


def test_bad_files(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="recipe cannot be read: No such file"):
        load_recipe(tmp_path / "absent.yaml")
    (tmp_path / "a.yaml").write_text("network: [")
    with pytest.raises(OptionError, match="not valid YAML"):
        load_recipe(tmp_path / "a.yaml")
