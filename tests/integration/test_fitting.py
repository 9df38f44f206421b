"""Training from its start to its end: what a run leaves, resuming, stopping early, and several processes."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import yaml

from mien.classification.classifier import EmotionClassifier
from mien.errors import DataError, ModelError, OptionError, TrainingError
from mien.evaluation.datasets import FaceSet

pytest.importorskip("lightning")
import torch
from trainings import QUICK, assert_same_weights, history, weights

from mien.training.augment import Augment
from mien.training.datamodule import Faces, split_training
from mien.training.export import MAX_DIFFERENCE, export_run, write_onnx
from mien.training.fit import fit
from mien.training.lightning_module import FaceModule
from mien.training.recipe import Optimizer, Recipe

STILL = Augment(flip=0, rotation=0, shift=0, zoom=0, brightness=0, contrast=0, blur=0, erase=0, mixup=0)


def test_a_run_folder_says_everything(drawn: FaceSet, tmp_path: Path) -> None:
    run = fit(replace(QUICK, epochs=3), drawn, tmp_path / "run", progress=False)
    rows = history(run)
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    assert yaml.safe_load((run / "data.yaml").read_text())["digest"] == drawn.digest()
    assert yaml.safe_load((run / "environment.yaml").read_text())["packages"]["torch"] == version("torch")
    assert (run / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert list((run / "tensorboard").glob("events*"))
    with pytest.raises(OptionError, match="exists already"):
        fit(QUICK, drawn, run, progress=False)
    with pytest.raises(OptionError, match="nothing to resume"):
        fit(QUICK, drawn, tmp_path / "none", progress=False, resume=True)
    other = replace(drawn, labels=(drawn.labels + 1) % 7)
    with pytest.raises(DataError, match="was trained on other data"):
        fit(replace(QUICK, epochs=3), other, run, progress=False, resume=True)
    with pytest.raises(OptionError, match="began with another recipe .epochs 3, now 4"):
        fit(QUICK, drawn, run, progress=False, resume=True)


def train_command(recipe: Path, data: Path, out: Path, *more: str) -> list[str]:
    paths = [str(recipe), "--data", str(data), "--out", str(out)]
    return [sys.executable, "-m", "mien.cli.main", "train", *paths, *more]


def test_resume_after_kill_gives_the_uninterrupted_weights(drawn_csv: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    plan = replace(QUICK, network="mien", epochs=12, ema=0.9, schedule="cosine")
    recipe.write_text(yaml.safe_dump(plan.to_dict()))
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    subprocess.run(train_command(recipe, drawn_csv, whole), check=True, capture_output=True, env=environment)
    process = subprocess.Popen(
        train_command(recipe, drawn_csv, broken), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment
    )
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline and not (
        (broken / "checkpoints/last.ckpt").exists() and len(history(broken)) >= 3
    ):
        time.sleep(0.01)
    process.kill()
    process.wait()
    done = len(history(broken))
    assert 3 <= done < 12, "the run must be killed halfway"
    command = train_command(recipe, drawn_csv, broken, "--resume")
    resumed = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert resumed.returncode == 0, resumed.stderr
    assert_same_weights(whole, broken, 1e-6)
    kept, expected = history(broken), history(whole)
    for row in (*kept, *expected):
        del row["seconds"]
    assert kept == expected, "the history must go on where it stopped"


def test_a_loss_that_is_no_number_keeps_the_last_good_checkpoint(
    drawn: FaceSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = FaceModule.training_step

    def poisoned(self: FaceModule, batch: tuple[torch.Tensor, ...], index: int) -> torch.Tensor:
        if self.current_epoch == 2:
            with torch.no_grad():
                self.network.classifier.weight.fill_(float("nan"))  # type: ignore[operator, union-attr]
        return step(self, batch, index)  # type: ignore[arg-type]

    monkeypatch.setattr(FaceModule, "training_step", poisoned)
    with pytest.raises(TrainingError, match=r"loss is nan in epoch 3.*last good checkpoint is .*last\.ckpt"):
        fit(QUICK, drawn, tmp_path / "run", progress=False)
    assert all(torch.isfinite(value.float()).all() for value in weights(tmp_path / "run").values())


def test_a_full_disk_keeps_the_last_good_checkpoint(
    drawn: FaceSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mien.training import checkpoints

    write, written = checkpoints.write_whole, []  # type: ignore[attr-defined]

    def fill(path: Path, content: bytes) -> None:
        written.append(path)
        if len(written) > 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(path, content)

    monkeypatch.setattr(checkpoints, "write_whole", fill)
    with pytest.raises(TrainingError, match=r"No space left on device; the last good .*last\.ckpt; make room"):
        fit(QUICK, drawn, tmp_path / "run", progress=False)
    monkeypatch.undo()
    fit(QUICK, drawn, tmp_path / "run", progress=False, resume=True)
    assert len(history(tmp_path / "run")) == QUICK.epochs


def test_a_network_that_fixes_the_number_of_faces_is_refused(tmp_path: Path) -> None:
    class Fixed(torch.nn.Module):
        def forward(self, faces: torch.Tensor) -> torch.Tensor:
            return faces.flatten(1)[:, :7].reshape(len(faces), 1, 7)

    module = FaceModule(Recipe("cnn2-lite"), 0.5, 0.25, 1).eval()
    module.network = Fixed()
    with pytest.raises(ModelError, match="fixes the number of faces"):
        write_onnx(module, tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()


def test_data_that_hold_out_no_face_are_exported_uncalibrated(
    drawn: FaceSet, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _, held_out = split_training(drawn)
    faces = drawn.select(~held_out)
    run = fit(replace(QUICK, epochs=1), faces, tmp_path / "run", progress=False)
    assert export_run(run, faces, tmp_path / "model") <= MAX_DIFFERENCE
    assert "the data hold out 0 faces for calibration, 50 are needed" in caplog.text
    assert EmotionClassifier(str(tmp_path / "model")).predict_proba(faces.pixels).shape == (len(faces), 7)


def test_stops_at_the_target_and_out_of_patience(drawn: FaceSet, tmp_path: Path) -> None:
    run = fit(replace(QUICK, epochs=40, target=0.2), drawn, tmp_path / "target", progress=False)
    assert len(history(run)) < 40
    assert float(history(run)[-1]["val_accuracy"]) >= 0.2
    frozen = replace(QUICK, epochs=40, patience=2, optimizer=Optimizer("sgd", 1e-12), schedule="constant")
    assert len(history(fit(frozen, drawn, tmp_path / "patience", progress=False))) <= 10


@pytest.mark.parametrize(
    "stop", [{"target": 0.01}, {"patience": 2, "optimizer": Optimizer("sgd", 1e-12), "schedule": "constant"}]
)
def test_a_run_that_stopped_early_has_nothing_to_resume(
    drawn: FaceSet, tmp_path: Path, stop: dict[str, object]
) -> None:
    plan = replace(QUICK, epochs=40, **stop)  # type: ignore[arg-type]
    run = fit(plan, drawn, tmp_path / "run", progress=False)
    rows, last = history(run), (run / "checkpoints/last.ckpt").read_bytes()
    assert len(rows) < 40
    assert fit(plan, drawn, run, progress=False, resume=True) == run
    assert history(run) == rows
    assert (run / "checkpoints/last.ckpt").read_bytes() == last


def test_a_moved_run_keeps_its_best_epoch(drawn: FaceSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accuracy = iter([0.9, 0.1, 0.2, 0.3])

    def end_epoch(self: FaceModule) -> None:
        if self.trainer.sanity_checking:
            value = 0.0
        elif self.current_epoch == 2 and not (tmp_path / "moved").exists():
            raise RuntimeError("killed")
        else:
            value = next(accuracy)
        self.log_dict({"val_accuracy": value, "val_macro_f1": value})

    monkeypatch.setattr(FaceModule, "on_validation_epoch_end", end_epoch)
    run = tmp_path / "run"
    with pytest.raises(RuntimeError, match="killed"):
        fit(QUICK, drawn, run, progress=False)
    run.rename(tmp_path / "moved")
    moved = fit(QUICK, drawn, tmp_path / "moved", progress=False, resume=True)
    assert [float(row["val_accuracy"]) for row in history(moved)] == [0.9, 0.1, 0.2, 0.3]
    best = torch.load(moved / "checkpoints/best.ckpt", weights_only=True)
    assert best["epoch"] == 0


def test_normalization_after_a_dense_layer_needs_two_faces(drawn: FaceSet, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="batch_size 1 is too small for the network 'cnn4-dense'.* use 2 or more"):
        fit(replace(QUICK, network="cnn4-dense", batch_size=1), drawn, tmp_path / "dense", progress=False)
    assert not (tmp_path / "dense").exists()
    run = fit(replace(QUICK, epochs=1, batch_size=1), drawn, tmp_path / "plain", progress=False)
    assert len(history(run)) == 1


def test_the_head_learns_first(drawn: FaceSet, tmp_path: Path) -> None:
    plan = replace(QUICK, network="timm:resnet10t", epochs=1, freeze_epochs=1, augment=STILL, ema=0)
    run = fit(plan, drawn, tmp_path / "frozen", progress=False)
    import lightning.pytorch as pl

    pl.seed_everything(plan.seed, verbose=False)
    start = FaceModule(plan, 0.5, 0.2, 1).state_dict()
    for name, value in weights(run).items():
        same = torch.equal(value, start[name])
        assert same == ("classifier" not in name), f"{name} must {'' if not same else 'not '}stay in the first epoch"
    run = fit(replace(plan, epochs=2), drawn, tmp_path / "thawed", progress=False)
    moved = [name for name, value in weights(run).items() if not torch.equal(value, start[name])]
    assert any("backbone" in name for name in moved)


@pytest.mark.parametrize("imbalance", ["class-weights", "sampler", "balance-offline"])
def test_every_way_against_imbalance_trains(drawn: FaceSet, tmp_path: Path, imbalance: str) -> None:
    run = fit(replace(QUICK, imbalance=imbalance, epochs=1), drawn, tmp_path / "run", progress=False)  # type: ignore[arg-type]
    assert len(history(run)) == 1
    assert "class_weights" not in weights(run)


def test_the_sampler_draws_every_emotion_equally_often(drawn: FaceSet) -> None:
    training = drawn.of_usage("Training")
    many = FaceSet(np.tile(training.pixels, (20, 1, 1)), np.tile(training.labels, 20), np.tile(training.usage, 20))
    loader = Faces(many, drawn.of_usage("PublicTest"), replace(QUICK, imbalance="sampler")).train_dataloader()
    counts = np.bincount(np.concatenate([labels.numpy() for _, labels, _ in loader]), minlength=7)
    assert counts.min() > 0.7 * counts.mean(), counts
    assert np.bincount(many.labels).min() < 0.5 * counts.mean(), "the data itself is unbalanced"


def test_two_processes_are_one_with_twice_the_batch(drawn_csv: Path, tmp_path: Path) -> None:
    """Run under torchrun with gloo; the network has no normalization over the batch and nothing random."""
    script = tmp_path / "train.py"
    script.write_text(
        "import sys, torch\n"
        "torch.set_num_threads(1)\n"
        "from pathlib import Path\n"
        "from mien.evaluation.datasets import load_faces\n"
        "from mien.training import networks\n"
        "from mien.training.fit import fit\n"
        "from mien.training.networks.plain import Cnn2Lite\n"
        "from mien.training.recipe import load_recipe\n"
        "networks.NETWORKS['cnn2-lite'] = lambda heads: Cnn2Lite(heads, dropout=0.0)\n"
        "fit(load_recipe(sys.argv[1]), load_faces(Path(sys.argv[2])), sys.argv[3], progress=False)\n"
    )
    plan = replace(QUICK, epochs=3, augment=STILL, ema=0, optimizer=Optimizer("sgd", 0.05, 0.9))
    recipes = {}
    for name, size in (("two", 8), ("one", 16)):
        recipes[name] = tmp_path / f"{name}.yaml"
        recipes[name].write_text(yaml.safe_dump(replace(plan, batch_size=size).to_dict()))
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    two = subprocess.run(
        [*launcher, str(script), str(recipes["two"]), str(drawn_csv), str(tmp_path / "two")],
        check=False, capture_output=True, text=True, timeout=300, env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
    )  # fmt: skip
    assert two.returncode == 0, two.stderr
    one = subprocess.run(
        [sys.executable, str(script), str(recipes["one"]), str(drawn_csv), str(tmp_path / "one")],
        check=False, capture_output=True, text=True, env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
    )  # fmt: skip
    assert one.returncode == 0, one.stderr
    assert_same_weights(tmp_path / "one", tmp_path / "two", 1e-5)
    for first, second in zip(history(tmp_path / "one"), history(tmp_path / "two"), strict=True):
        for name in ("loss", "val_loss", "val_accuracy", "val_macro_f1"):
            assert float(first[name]) == pytest.approx(float(second[name]), abs=2e-5), name
