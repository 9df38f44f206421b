"""Trainings that go on from a run or a model, and the average of both."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from mien.classification.classifier import EmotionClassifier
from mien.classification.model_config import SHIPPED, load_config
from mien.errors import DataError, ModelError, OptionError
from mien.evaluation.datasets import FaceSet

pytest.importorskip("lightning")
import torch
from trainings import QUICK

from mien.training.averaging import average_runs
from mien.training.batchnorm import unfuse_batchnorm
from mien.training.export import export_run, write_onnx
from mien.training.fit import fit
from mien.training.lightning_module import FaceModule
from mien.training.networks import build_network
from mien.training.recipe import Optimizer, Recipe
from mien.training.runs import load_run
from mien.training.start import start_from


def test_a_run_starts_from_another_ones_best_weights(drawn: FaceSet, tmp_path: Path) -> None:
    first = fit(replace(QUICK, epochs=1), drawn, tmp_path / "first", progress=False)
    still = replace(QUICK, epochs=1, start=str(first), optimizer=Optimizer("sgd", 1e-12, 0.0, 0.0), ema=0)
    second = fit(still, drawn, tmp_path / "second", progress=False)
    trained, _ = load_run(first)
    going_on, _ = load_run(second)
    for one, other in zip(trained.network.parameters(), going_on.network.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)
    with pytest.raises(OptionError, match="its network is cnn2-lite, and cnn4-gap is needed"):
        fit(replace(still, network="cnn4-gap"), drawn, tmp_path / "third", progress=False)
    assert not (tmp_path / "third").exists()


@pytest.mark.parametrize("heads", [1, 2])
def test_a_network_starts_from_a_shipped_model_and_still_learns(drawn: FaceSet, heads: int) -> None:
    module = FaceModule(Recipe("mien"), 0.5071, 0.2543, heads)
    start_from(module, "mien-1", drawn.pixels)
    faces = module.normalize(torch.from_numpy(drawn.pixels).unsqueeze(1) / 255)
    module.eval()
    with torch.no_grad():
        answers = module(faces)
    shipped = EmotionClassifier("mien-1", precision="fp32").predict_logits(drawn.pixels)[:, :heads]
    assert np.allclose(answers.numpy(), shipped, atol=1e-2)
    # With the statistics of the batch, the network is the same one: normalization was laid out as it learns.
    module.train()
    module.network.get_submodule("dropout").eval()
    learning = module(faces).detach()
    assert (learning.argmax(-1) == answers.argmax(-1)).float().mean() > 0.9


@pytest.mark.parametrize("name", ["mien-light", "mien-tiny", "cnn2-lite", "vgg-bn"])
def test_an_exported_network_can_be_taken_back(name: str, drawn: FaceSet, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = FaceModule(Recipe(name), 0.5, 0.25, 1).eval()
    write_onnx(network, tmp_path / "model.onnx")
    faces = network.normalize(torch.from_numpy(drawn.pixels).unsqueeze(1) / 255)
    again = build_network(name, 1)
    unfuse_batchnorm(again, tmp_path / "model.onnx", faces)
    with torch.no_grad():
        assert torch.allclose(again(faces), network(faces), atol=1e-3)


def test_a_start_that_cannot_be_taken_is_refused(drawn: FaceSet, tmp_path: Path) -> None:
    def refuse(start: object, message: str, network: str = "mien", heads: int = 1) -> None:
        with pytest.raises((OptionError, ModelError), match=message):
            start_from(FaceModule(Recipe(network), 0.5, 0.25, heads), str(start), drawn.pixels)

    refuse("mien-1", "mien-1: is of another kind: its network is mien, and mien-light is needed", "mien-light")
    refuse(
        "mien-9",
        "mien-9: nothing to begin with; expected a run folder, a model folder, or one of "
        "mien-1, mien-1-tiny, mien-2, mien-2-tiny",
    )
    run = fit(replace(QUICK, epochs=1), drawn, tmp_path / "run", progress=False)
    refuse(run, "has no head 'ferplus'; leave --votes out", "cnn2-lite", 2)
    folder = tmp_path / "model"
    shutil.copytree(SHIPPED / "mien-1", folder)
    config = yaml.safe_load((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"training": {"recipe": None}}))
    refuse(folder, "its network is not known, and mien is needed")
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.onnx").write_bytes(b"no graph")
    refuse(folder, "model.onnx: cannot be loaded")
    deep = FaceModule(Recipe("cnn4-gap"), 0.5, 0.25, 1).eval()
    write_onnx(deep, tmp_path / "deep.onnx")
    with pytest.raises(OptionError, match="this kind of network cannot be taken back .* begin with its run folder"):
        unfuse_batchnorm(build_network("cnn4-gap", 1), tmp_path / "deep.onnx", torch.zeros(2, 1, 48, 48))


def test_a_start_keeps_its_normalization_over_a_resume(drawn: FaceSet, tmp_path: Path) -> None:
    plan = Recipe("mien", start="mien-1", epochs=1, batch_size=16, optimizer=Optimizer("sgd", 1e-3), warmup_epochs=0)
    run = fit(plan, drawn, tmp_path / "run", progress=False)
    shipped = load_config(SHIPPED / "mien-1")
    data = yaml.safe_load((run / "data.yaml").read_text())
    assert (data["mean"], data["std"]) == (shipped.mean, shipped.std)
    assert fit(plan, drawn, run, progress=False, resume=True) == run


def test_the_average_of_runs_is_the_mean_of_their_weights(drawn: FaceSet, tmp_path: Path) -> None:
    runs = [fit(replace(QUICK, epochs=1, seed=k), drawn, tmp_path / str(k), progress=False) for k in (1, 2, 3)]
    states = [load_run(run)[0].state_dict() for run in runs]
    for name, value in average_runs(runs[0], runs[1:], drawn.pixels)[0].state_dict().items():
        assert torch.allclose(value, sum(state[name] for state in states) / 3, atol=1e-6), name
    other = fit(replace(QUICK, epochs=1, network="cnn4-gap"), drawn, tmp_path / "other", progress=False)
    with pytest.raises(OptionError, match="its network is cnn4-gap, and cnn2-lite is needed"):
        average_runs(runs[0], [*runs[1:], other], drawn.pixels)


def test_a_run_is_averaged_with_the_model_it_went_on_from(drawn: FaceSet, tmp_path: Path) -> None:
    data = replace(drawn, votes=np.eye(7, dtype=np.float32)[drawn.labels], no_face=np.zeros(len(drawn), np.bool_))
    plan = Recipe("mien", epochs=1, batch_size=16, optimizer=Optimizer("sgd", 1e-3), warmup_epochs=0)
    first = fit(plan, data, tmp_path / "first", progress=False)
    with pytest.raises(DataError, match="was trained with FER\\+ votes; give them with --votes"):
        export_run(first, replace(data, votes=None), tmp_path / "model")
    others = replace(data, votes=np.eye(7, dtype=np.float32)[(drawn.labels + 1) % 7])
    with pytest.raises(DataError, match="these are not the votes that .* was trained on"):
        export_run(first, others, tmp_path / "model")
    with pytest.raises(DataError, match="was trained on other data .votes"):
        fit(plan, others, tmp_path / "first", progress=False, resume=True)
    export_run(first, data, tmp_path / "model")
    second = fit(replace(plan, start=str(tmp_path / "model")), data, tmp_path / "second", progress=False)
    mean, _ = average_runs(second, [tmp_path / "model"], data.pixels)
    module, _ = load_run(second)
    start = FaceModule(plan, module.mean, module.std, 2)
    start_from(start, str(tmp_path / "model"), data.pixels)
    for name, value in mean.network.state_dict().items():
        if not value.is_floating_point():
            continue  # counters of batches
        both = (start.network.state_dict()[name].double() + module.network.state_dict()[name].double()) / 2
        assert torch.allclose(value.double(), both, atol=1e-6), name
    with pytest.raises(OptionError, match="was trained on other faces"):
        average_runs(second, [Path("mien-1")], data.pixels)
