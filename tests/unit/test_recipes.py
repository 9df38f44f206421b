from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("torch", reason="needs the extra train")

from mien.errors import OptionError
from mien.training.recipe import load_recipe, parse_recipe
from mien.training.shipped import shipped_recipes

RECIPES = shipped_recipes()


@pytest.mark.parametrize("name", RECIPES)
def test_every_shipped_recipe_can_be_trained_by_name(name: str) -> None:
    assert load_recipe(name).epochs >= 1
    assert f"mien train {name} --data" in RECIPES[name].read_text(encoding="utf-8"), "each recipe names its command"


def test_recipes_are_listed_in_the_order_of_their_names() -> None:
    own = [name for name in RECIPES if not name.startswith("teachers/")]
    assert list(RECIPES) == sorted(own) + sorted(set(RECIPES) - set(own))


def test_a_file_goes_before_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mien").write_text("network: cnn2-lite\n")
    assert load_recipe("mien").network == "cnn2-lite"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mein", r"mein: no such recipe; did you mean 'mien'\?"),
        ("recipes/cnn4-dense.yaml", r"did you mean 'cnn4-dense'\?"),
        ("/absent/x.yaml", "no such recipe; expected a file, or one of those that mien train --list names"),
        ("x" * 5000, "no such recipe"),
    ],
)
def test_recipes_that_are_not_there(name: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        load_recipe(name)


def test_systems_recipes_say_what_the_systems_say() -> None:
    gap, deep = load_recipe("cnn4-gap"), load_recipe("cnn5-deep")
    assert (gap.optimizer.name, gap.imbalance, gap.augment.flip, gap.augment.rotation) == (
        "adam",
        "class-weights",
        0.5,
        30,
    )
    varied = gap.to_dict()["augment"]
    assert not any(varied[name] for name in varied if name not in ("flip", "rotation", "erase_area"))
    assert (deep.epochs, deep.target, deep.patience, deep.schedule) == (150, 0.702, 0, "cosine")
    for name in ("vgg16", "resnet50", "mobilenet"):
        recipe = load_recipe(name)
        assert recipe.pretrained
        assert 0 < recipe.freeze_epochs < recipe.epochs


def test_round_trip() -> None:
    recipe = load_recipe("cnn4-dense")
    assert parse_recipe(recipe.to_dict()) == recipe


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "key 'network' is missing"),
        ([], r"expected keys and values, found \[\]"),
        ({"network": "mien", "epoch": 3}, r"unknown key 'epoch'; did you mean 'epochs'\?"),
        ({"network": "mien", "epochs": "many"}, "epochs: expected int, found 'many'"),
        ({"network": "mien", "epochs": 0}, r"epochs must lie in 1..1000000, found 0"),
        ({"network": "mien", "epochs": True}, "epochs: expected int, found True"),
        ({"network": "mien", "optimizer": {"name": "adamm"}}, "expected one of sgd, adam, adamw, found 'adamm'"),
        ({"network": "mien", "optimizer": {"lr": 0}}, r"optimizer\.lr must be above 0"),
        ({"network": "mien", "augment": {"flips": 1}}, r"unknown key 'flips'; did you mean 'flip'\?"),
        ({"network": "mien", "ema": 1.0}, r"ema must lie in 0\.\.1"),
        ({"epochs": 3}, "key 'network' is missing"),
        ({"network": "mien", "imbalance": "weights"}, "expected one of none, class-weights, sampler, balance-offline"),
        ({"network": "mien", "precision": "half"}, "precision: expected one of bf16-mixed"),
        ({"network": "mien", "precision": "64-true"}, "precision: expected one of bf16-mixed, 16-mixed, 32-true"),
        ({"network": "mien", "freeze_epochs": 2}, "are for timm: networks"),
        ({"network": "mien", "pretrained": 1}, "expected bool"),
        ({"network": "mien", "patience": True}, "expected int"),
        ({"network": "mien", "target": 70}, r"target must lie in 0\.\.1"),
        ({"network": "mien", "seed": -1}, r"seed must lie in 0\.\."),
        ({"network": "mien", "seed": 10**20}, r"seed must lie in 0\.\."),
        ({"network": "mien", "epochs": 10**400}, "epochs must lie in 1"),
        ({"network": "mien", "optimizer": {"weight_decay": -1.0}}, r"optimizer\.weight_decay must lie in 0"),
        ({"network": "mien", "augment": {"flip": 2.0}}, r"augment\.flip must lie in 0\.\.1"),
    ],
)
def test_mistakes_are_named(content: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        parse_recipe(content)


def test_numbers_as_powers_of_ten() -> None:
    recipe = parse_recipe(yaml.safe_load("network: cnn2-lite\noptimizer: {lr: 1e-3}\n"))
    assert recipe.optimizer.lr == 0.001


@pytest.mark.parametrize("key", ["warmup_epochs", "ferplus_weight", "backbone_rate", "ema", "label_smoothing"])
@pytest.mark.parametrize("value", [".nan", ".inf", "-.inf"])
def test_numbers_must_be_finite(tmp_path: Path, key: str, value: str) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(f"network: mien\n{key}: {value}\n")
    with pytest.raises(OptionError, match=f"{key}: expected a finite number, found"):
        load_recipe(path)
    path.write_text(f"network: mien\noptimizer: {{lr: {value}}}\ndistil: {{temperature: 2}}\n")
    with pytest.raises(OptionError, match="optimizer: lr: expected a finite number, found"):
        load_recipe(path)


BOMB = "epochs:\n- &x0 [lol, lol]\n" + "".join(f"- &x{k} [{', '.join([f'*x{k - 1}'] * 9)}]\n" for k in range(1, 12))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"network: [", id="unclosed"),
        pytest.param(b"network: !!int abc", id="int"),
        pytest.param(b"network: !!bool maybe", id="bool"),
        pytest.param(b"network: !!timestamp foo", id="timestamp"),
        pytest.param(b"network: 2001-99-99", id="date"),
        pytest.param(b"network: !!python/object:os.system {}", id="object"),
        pytest.param(b"[" * 20_000, id="nesting"),
        pytest.param(b"network: " + b"9" * 5000, id="digits"),
        pytest.param(b"network: mien\nepochs: 0x" + b"f" * 5000, id="hexadecimal digits"),
        pytest.param(BOMB.encode(), id="aliases"),
        pytest.param(b"\xff\xfe\x00", id="not text"),
        pytest.param(b"# " + b"x" * 1_000_001, id="a megabyte"),
        pytest.param(b"", id="empty"),
        pytest.param(b"network: 2001-01-01", id="a date for a name"),
    ],
)
def test_damaged_and_hostile_files_are_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "r.yaml"
    path.write_bytes(content)
    with pytest.raises(OptionError) as caught:
        load_recipe(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
