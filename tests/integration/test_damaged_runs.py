"""Run folders that were damaged, or made to do harm: one line and the right exit code."""

from __future__ import annotations

import os
import pickle
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

pytest.importorskip("lightning")
import torch

from mien.cli.main import main
from mien.errors import ModelError
from mien.evaluation.datasets import FaceSet
from mien.training.fit import fit
from mien.training.recipe import Recipe
from mien.training.runs import load_run

PLAN = Recipe("cnn2-lite", epochs=1, batch_size=16, warmup_epochs=0, precision="32-true")


@pytest.fixture(scope="module")
def whole(drawn: FaceSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fit(PLAN, drawn, tmp_path_factory.mktemp("runs") / "whole", progress=False)


@pytest.fixture
def run(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "run"))


class Touch:
    """Pickled, it makes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.mkdir, (str(self._path),)


def change_data(**changes: object) -> Callable[[Path], None]:
    def change(run: Path) -> None:
        values = yaml.safe_load((run / "data.yaml").read_text()) | changes
        (run / "data.yaml").write_text(
            yaml.safe_dump({key: value for key, value in values.items() if value is not ...})
        )

    return change


def write(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda run: (run / name).write_bytes(content) and None


def cut(run: Path) -> None:
    for name in ("best", "last"):
        path = run / f"checkpoints/{name}.ckpt"
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def checkpoints(content: object) -> Callable[[Path], None]:
    def save(run: Path) -> None:
        for name in ("best", "last"):
            torch.save(content, run / f"checkpoints/{name}.ckpt")

    return save


def both(content: bytes) -> Callable[[Path], None]:
    def save(run: Path) -> None:
        for name in ("best", "last"):
            (run / f"checkpoints/{name}.ckpt").write_bytes(content)

    return save


DAMAGES = {
    "checkpoint empty": (both(b""), "ckpt: is damaged, or not a checkpoint of mien train"),
    "checkpoint cut": (cut, "is damaged, or not a checkpoint"),
    "checkpoint random": (both(bytes(range(256)) * 40), "is damaged, or not a checkpoint"),
    "checkpoint of something else": (checkpoints({"weights": torch.zeros(3)}), "is damaged, or not a checkpoint"),
    "checkpoint a list": (checkpoints([1, 2]), "is damaged, or not a checkpoint"),
    "recipe of another network": (write("recipe.yaml", b"network: mien\n"), "does not fit the network 'mien'"),
    "recipe missing": (lambda run: (run / "recipe.yaml").unlink(), "is not a whole run folder, recipe.yaml is missing"),
    "recipe not YAML": (write("recipe.yaml", b"network: ["), "recipe.yaml: recipe is not valid YAML"),
    "data missing": (lambda run: (run / "data.yaml").unlink(), "is not a whole run folder, data.yaml is missing"),
    "data empty": (write("data.yaml", b""), "data.yaml: is damaged: expected keys and values, found None"),
    "data not YAML": (write("data.yaml", b"heads: ["), "data.yaml: is damaged: is not valid YAML"),
    "data not text": (write("data.yaml", b"\xff\xfe\x00"), "data.yaml: is damaged"),
    "data without a key": (change_data(mean=...), "data.yaml: is damaged: key 'mean' is missing"),
    "data infinite": (change_data(std=float("inf")), "data.yaml: is damaged: std: expected a finite number"),
    "data of other heads": (change_data(heads=["gender"]), "data.yaml: is damaged: expected the heads fer2013"),
}


@pytest.mark.parametrize(("damage", "message"), DAMAGES.values(), ids=DAMAGES)
def test_damage_is_named(run: Path, drawn: FaceSet, damage: Callable[[Path], None], message: str) -> None:
    damage(run)
    with pytest.raises(ModelError, match=message) as opened:
        load_run(run)
    assert "\n" not in str(opened.value)
    if "does not fit" not in message:
        with pytest.raises(ModelError, match=message.replace("best", "last")):
            fit(PLAN, drawn, run, resume=True, progress=False)


@pytest.mark.parametrize("command", ["export", "train", "compare"])
def test_an_empty_checkpoint_is_a_failure_and_not_an_interrupt(
    run: Path, drawn_csv: Path, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    both(b"")(run)
    arguments = {
        "export": ["export", run, "--out", run.parent / "model"],
        "train": ["train", run / "recipe.yaml", "--out", run, "--resume"],
        "compare": ["compare", run],
    }[command]
    monkeypatch.setattr(sys, "argv", ["mien", *map(str, arguments), "--data", str(drawn_csv)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("mien:")]
    assert len(said) == 1
    assert "is damaged, or not a checkpoint of mien train" in said[0]


def test_a_checkpoint_runs_no_code(run: Path, drawn: FaceSet, tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    checkpoints({"state_dict": Touch(mark)})(run)
    with pytest.raises(ModelError, match="is damaged, or not a checkpoint"):
        load_run(run)
    with pytest.raises(ModelError, match="is damaged, or not a checkpoint"):
        fit(PLAN, drawn, run, resume=True, progress=False)
    assert not mark.exists()
    pickle.loads(pickle.dumps(Touch(mark)))
    assert mark.exists(), "it would have been seen"


def test_a_damaged_history_begins_again(run: Path, drawn: FaceSet) -> None:
    (run / "metrics.csv").write_text("epoch\nmany\n")
    plan = yaml.safe_load((run / "recipe.yaml").read_text()) | {"epochs": 2}
    (run / "recipe.yaml").write_text(yaml.safe_dump(plan))
    from dataclasses import replace

    fit(replace(PLAN, epochs=2), drawn, run, resume=True, progress=False)
    assert [line.split(",")[0] for line in (run / "metrics.csv").read_text().splitlines()] == ["epoch", "2"]
