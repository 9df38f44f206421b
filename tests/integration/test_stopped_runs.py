"""Runs that are stopped by a signal, and what becomes of one that was stopped before its first checkpoint."""

from __future__ import annotations

import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("lightning")

from mien.cli.main import main
from mien.errors import OptionError, TrainingError
from mien.evaluation.datasets import FaceSet
from mien.training.callbacks import read_history
from mien.training.fit import fit
from mien.training.lightning_module import FaceModule
from mien.training.recipe import Recipe

PLAN = Recipe("cnn2-lite", epochs=3, batch_size=16, warmup_epochs=0, precision="32-true")


def stop_in(epoch: int, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send this process a signal in the first step of an epoch."""
    step = FaceModule.training_step

    def stopped(self: FaceModule, batch: Any, batch_idx: int) -> Any:
        if self.current_epoch + 1 == epoch and batch_idx == 0:
            signal.raise_signal(number)
        return step(self, batch, batch_idx)

    monkeypatch.setattr(FaceModule, "training_step", stopped)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize(
    ("epoch", "said"),
    [
        (1, "stopped before the first checkpoint; the same command starts again"),
        (3, "stopped after epoch 2; go on with --resume"),
    ],
)
def test_a_signal_ends_with_its_exit_code_and_one_line(
    drawn_csv: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: int,
    code: int,
    epoch: int,
    said: str,
) -> None:
    recipe, run = tmp_path / "recipe.yaml", tmp_path / "run"
    recipe.write_text(yaml.safe_dump(PLAN.to_dict()))
    stop_in(epoch, number, monkeypatch)
    monkeypatch.setattr(sys, "argv", ["mien", "train", str(recipe), "--data", str(drawn_csv), "--out", str(run)])
    before = signal.getsignal(number)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == code
    assert [line for line in capsys.readouterr().err.splitlines() if line.startswith("mien:")] == [
        f"mien: {run}: {said}"
    ]
    assert signal.getsignal(number) == before


def test_ctrl_c_is_a_keyboard_interrupt_in_python(
    drawn: FaceSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_in(2, signal.SIGINT, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        fit(PLAN, drawn, tmp_path / "run", progress=False)


@pytest.mark.parametrize("resume", [False, True])
def test_a_run_without_a_checkpoint_starts_afresh(
    drawn: FaceSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resume: bool
) -> None:
    def no_number(self: FaceModule, loss: object) -> None:
        raise TrainingError("the loss is nan")

    run, note = tmp_path / "run", tmp_path / "run" / "note.txt"
    with monkeypatch.context() as patch:
        patch.setattr(FaceModule, "_check", no_number)
        with pytest.raises(TrainingError, match="there is no checkpoint yet"):
            fit(replace(PLAN, seed=1), drawn, run, progress=False)
    note.write_text("mine")
    fit(PLAN, drawn, run, progress=False, resume=resume)
    assert [row["epoch"] for row in read_history(run / "metrics.csv")] == ["1", "2", "3"]
    assert yaml.safe_load((run / "recipe.yaml").read_text())["seed"] == PLAN.seed
    assert note.read_text() == "mine"


@pytest.mark.parametrize("name", ["recipe.yaml", "checkpoints/best.ckpt"])
@pytest.mark.parametrize(("resume", "message"), [(False, "exists already; choose"), (True, "nothing to resume")])
def test_a_folder_that_may_hold_more_is_left_alone(
    drawn: FaceSet, tmp_path: Path, name: str, resume: bool, message: str
) -> None:
    path = tmp_path / name
    if path.suffix == ".ckpt":
        path.parent.mkdir()
        for other in ("recipe.yaml", "data.yaml", "environment.yaml"):
            (tmp_path / other).write_text("")
    path.write_text("mine")
    with pytest.raises(OptionError, match=message):
        fit(PLAN, drawn, tmp_path, progress=False, resume=resume)
    assert path.read_text() == "mine"
