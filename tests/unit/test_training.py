"""One tiny training end to end: recipe, fit, resume, export, parity, use."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

pytest.importorskip("torch", reason="needs the extra train")
import torch

pytest.importorskip("lightning", reason="needs the extra train")

from mien.classification.classifier import EmotionClassifier
from mien.errors import DataError, ModelError, OptionError
from mien.evaluation.datasets import FaceSet
from mien.training import export
from mien.training.augment import Augment
from mien.training.datamodule import split_training
from mien.training.fit import fit
from mien.training.lightning_module import FaceModule
from mien.training.networks import build_network
from mien.training.recipe import Optimizer, Recipe

QUIET = Augment(flip=0, rotation=0, shift=0, zoom=0, brightness=0, contrast=0, blur=0, erase=0, mixup=0)
TINY = Recipe(
    network="mien",
    epochs=12,
    batch_size=32,
    optimizer=Optimizer(lr=0.02),
    warmup_epochs=0.5,
    ema=0.5,
    precision="32-true",
    seed=1,
    augment=QUIET,
)


@pytest.fixture(scope="module")
def faces() -> FaceSet:
    """As ``toy_faces``, once for all tests of this module."""
    rng = np.random.default_rng(0)
    labels = np.arange(420) % 7
    pixels = rng.integers(0, 80, (420, 48, 48)).astype(np.uint8)
    for face, label in zip(pixels, labels, strict=True):
        row, column = divmod(int(label), 3)
        face[row * 16 : row * 16 + 14, column * 16 : column * 16 + 14] += 150
    usage = np.where(np.arange(420) % 10 < 8, "Training", "PublicTest")
    return FaceSet(pixels, labels, usage, np.eye(7, dtype=np.float32)[labels], np.zeros(420, np.bool_))


@pytest.fixture(scope="module")
def run(faces: FaceSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fit(TINY, faces, tmp_path_factory.mktemp("runs") / "tiny", progress=False)


def weights(run: Path) -> dict[str, torch.Tensor]:
    state = torch.load(run / "checkpoints" / "last.ckpt", weights_only=False)["state_dict"]
    return {name: tensor for name, tensor in state.items() if tensor.is_floating_point()}


def test_it_learns(run: Path, faces: FaceSet, tmp_path: Path) -> None:
    export.export_run(run, faces, tmp_path / "toy", "last")
    test = faces.of_usage("PublicTest")
    answers = EmotionClassifier(str(tmp_path / "toy")).predict_proba(test.pixels, "fer2013")
    assert (answers.argmax(axis=1) == test.labels).mean() > 0.9


def test_run_folder_is_complete(run: Path) -> None:
    for name in ("recipe.yaml", "data.yaml", "metrics.csv", "checkpoints/best.ckpt", "checkpoints/last.ckpt"):
        assert (run / name).is_file(), name


def test_resuming_gives_the_uninterrupted_run(
    run: Path, faces: FaceSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mien.training.fit as module

    class Stop(module.Callback):  # type: ignore[name-defined, misc]
        def on_train_epoch_start(self, trainer: object, pl_module: object) -> None:
            if trainer.current_epoch == 5:  # type: ignore[attr-defined]
                raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(module, "EpochLines", Stop)
        with pytest.raises(RuntimeError, match="killed"):
            fit(TINY, faces, tmp_path / "cut", progress=False)
    fit(TINY, faces, tmp_path / "cut", resume=True, progress=False)
    whole, resumed = weights(run), weights(tmp_path / "cut")
    assert whole.keys() == resumed.keys()
    for name, tensor in whole.items():
        torch.testing.assert_close(resumed[name], tensor, rtol=1e-4, atol=1e-5, msg=name)


def test_export_agrees_with_pytorch_and_names_no_files(run: Path, faces: FaceSet, tmp_path: Path) -> None:
    assert export.export_run(run, faces, tmp_path / "a") <= export.MAX_DIFFERENCE
    # Millions of random bytes hold a shorter pattern by chance.
    assert not re.search(rb"\w{6}\.py", (tmp_path / "a" / "model.onnx").read_bytes())


def test_export_fails_where_the_network_differs(
    run: Path, faces: FaceSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = export.write_onnx

    def write_another(module: FaceModule, path: Path) -> None:
        other = build_network("mien", module.heads).eval()
        original, module.network = module.network, other
        write(module, path)
        module.network = original

    monkeypatch.setattr(export, "write_onnx", write_another)
    with pytest.raises(ModelError, match="differ from PyTorch's"):
        export.export_run(run, faces, tmp_path / "b")
    assert list(tmp_path.iterdir()) == [], "nothing is left half-written"


def test_export_refuses_other_data_and_existing_folders(run: Path, faces: FaceSet, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="digests differ"):
        export.export_run(run, faces.of_usage("Training"), tmp_path / "c")
    with pytest.raises(OptionError, match="exists already"):
        export.export_run(run, faces, tmp_path)
    with pytest.raises(OptionError, match="no such checkpoint"):
        export.export_run(tmp_path, faces, tmp_path / "d")


def test_export_refuses_a_run_that_learned_by_another_split(run: Path, faces: FaceSet, tmp_path: Path) -> None:
    """As with copies of a balanced folder, which once went elsewhere than their originals."""
    old = tmp_path / "old"
    shutil.copytree(run, old)
    data = yaml.safe_load((old / "data.yaml").read_text())
    (old / "data.yaml").write_text(yaml.safe_dump(data | {"train": data["train"] + 3}))
    with pytest.raises(DataError, match=f"learned from {data['train'] + 3} faces .* learns from {data['train']} and"):
        export.export_run(old, faces, tmp_path / "model")
    with pytest.raises(OptionError, match=f"learned from {data['train'] + 3} of the faces, .* from {data['train']}"):
        export.export_run(run, faces, tmp_path / "model", average=[old])
    assert not (tmp_path / "model").exists()


def test_fit_refuses_folders_in_use_and_nothing_to_resume(run: Path, faces: FaceSet, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="exists already"):
        fit(TINY, faces, run, progress=False)
    with pytest.raises(OptionError, match="nothing to resume"):
        fit(TINY, faces, tmp_path / "none", resume=True, progress=False)
    with pytest.raises(DataError, match="fewer than one batch of 4096; add faces, or .* smaller batch_size"):
        fit(replace(TINY, batch_size=4096), faces, tmp_path / "big", progress=False)


def test_fit_refuses_less_than_a_batch_for_each_process(faces: FaceSet, tmp_path: Path) -> None:
    enough = int(split_training(faces)[0].sum())
    with pytest.raises(DataError, match=f"fewer than one batch of {enough} for each of 2 processes"):
        fit(replace(TINY, batch_size=enough), faces, tmp_path / "two", progress=False, devices=2)


def test_split_keeps_duplicates_together_and_out_of_the_test(faces: FaceSet) -> None:
    doubled = FaceSet(
        np.concatenate([faces.pixels, faces.pixels[:300], faces.pixels[:5]]),
        np.concatenate([faces.labels, faces.labels[:300], faces.labels[:5]]),
        np.concatenate([faces.usage, faces.usage[:300], np.array(["PrivateTest"] * 5)]),
        None,
        np.arange(725) == 20,
    )
    learn, held_out = split_training(doubled)
    digests = doubled.digests()
    assert not set(digests[learn]) & set(digests[held_out])
    assert not set(digests[learn | held_out]) & set(digests[doubled.usage != "Training"])
    assert not (learn | held_out)[20], "what FER+ calls no face is left out"
    assert held_out.sum() > 0
    assert (doubled.usage[learn | held_out] == "Training").all()


def test_unknown_network_names_the_nearest() -> None:
    with pytest.raises(OptionError, match=r"unknown network 'mein'; did you mean 'mien'\?"):
        build_network("mein")


def test_network_size_and_shape() -> None:
    network = build_network("mien", heads=2).eval()
    assert sum(p.numel() for p in network.parameters()) <= 5_000_000
    assert network(torch.zeros(3, 1, 48, 48)).shape == (3, 2, 7)
