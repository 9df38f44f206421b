from __future__ import annotations

import pytest

from mien.errors import OptionError

pytest.importorskip("torch")
import torch

from mien.training.networks import build_network


@pytest.mark.parametrize(
    ("name", "millions"), [("mien", 1.557), ("cnn4-dense", 2.357), ("cnn4-gap", 0.587), ("cnn2-lite", 0.839)]
)
def test_networks_have_the_size_that_their_layers_give(name: str, millions: float) -> None:
    network = build_network(name, heads=2).eval()
    assert network(torch.zeros(3, 1, 48, 48)).shape == (3, 2, 7)
    assert sum(p.numel() for p in build_network(name).parameters()) / 1e6 == pytest.approx(millions, abs=0.001)


def test_system_b_drops_a_fifth_throughout() -> None:
    dropouts = [layer.p for layer in build_network("cnn4-gap").modules() if isinstance(layer, torch.nn.Dropout)]
    assert dropouts == [0.2] * 6


def test_system_d_has_three_and_a_half_million_parameters() -> None:
    assert sum(p.numel() for p in build_network("cnn5-deep").parameters()) == pytest.approx(3.5e6, rel=0.01)


def test_a_server_that_cannot_be_reached_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    from mien.training.networks import timm_backbones as backbones

    asked = []
    monkeypatch.setattr(backbones, "_reachable", asked.append)
    monkeypatch.setattr("timm.create_model", lambda *_, **__: asked.append(constants.is_offline_mode()))
    before = constants.is_offline_mode()
    backbones._create("resnet10t", pretrained=True)
    assert asked == [constants.ENDPOINT, True]
    assert constants.is_offline_mode() == before


@pytest.mark.parametrize("name", ["mien-wide", "mien-light", "mien-tiny", "se-resnet", "se-resnet-64", "vgg-bn"])
def test_students_and_strong_teachers(name: str) -> None:
    network = build_network(name, heads=2)
    assert network(torch.zeros(2, 1, 48, 48)).shape == (2, 2, 7)
    network.eval()
    face = torch.rand(1, 1, 48, 48)
    assert torch.equal(network(face), network(face)), "nothing is dropped in use"


def test_any_network_of_timm() -> None:
    network = build_network("timm:mobilenetv3_small_050", heads=2).eval()
    assert network(torch.zeros(2, 1, 48, 48)).shape == (2, 2, 7)


def test_weights_that_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    import timm

    real = timm.create_model

    def offline(name: str, pretrained: bool = False, **options: object) -> torch.nn.Module:
        if pretrained:
            raise ConnectionError("Name or service not known")
        return real(name, pretrained=pretrained, **options)

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(OptionError, match=r"are not available .*--no-pretrained"):
        build_network("timm:resnet10t", pretrained=True)
    build_network("timm:resnet10t", pretrained=False)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cnn5-dep", "did you mean 'cnn5-deep'"),
        ("timm:resnet5", "did you mean 'timm:resnet50'"),
        ("timm:vit_tiny_patch16_224", "does not take 96x96 pixels"),
    ],
)
def test_unknown_networks(name: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        build_network(name)
