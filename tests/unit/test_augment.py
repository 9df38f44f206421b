from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("torch", reason="needs the extra train")
import torch

from mien.training.augment import Augment

NOTHING = Augment(flip=0, rotation=0, shift=0, zoom=0, brightness=0, contrast=0, blur=0, erase=0, mixup=0)


def faces(count: int = 8) -> torch.Tensor:
    return torch.rand(count, 1, 48, 48, generator=torch.Generator().manual_seed(0))


def test_nothing_changes_nothing() -> None:
    assert torch.allclose(NOTHING(faces()), faces(), atol=1e-5)
    (same,) = NOTHING.mix(faces())
    assert torch.equal(same, faces())


def test_flip_mirrors() -> None:
    assert torch.allclose(Augment(1, 0, 0, 0, 0, 0, 0, 0, 0)(faces()), faces().flip(-1), atol=1e-4)


@pytest.mark.parametrize(
    "name", ["rotation", "shift", "zoom", "brightness", "contrast", "blur", "erase", "dark", "noise"]
)
def test_each_variation_changes_faces_and_keeps_the_range(name: str) -> None:
    strength = {"rotation": 30.0}.get(name, 1.0 if name in ("blur", "erase", "dark") else 0.3)
    torch.manual_seed(0)
    out = replace(NOTHING, **{name: strength})(faces())
    assert out.shape == faces().shape
    assert 0 <= float(out.min()) <= float(out.max()) <= 1
    changed = (out - faces()).abs().amax(dim=(1, 2, 3)) > 0.01
    # Half of the faces stay without noise.
    assert changed.float().mean() >= (0.25 if name == "noise" else 0.75), "a draw may by chance be next to nothing"
    differences = (out - faces()).flatten(1)
    assert not torch.allclose(differences[0], differences[1]), "every face has its own draw"


def test_varied_faces_are_whole_and_degraded_ones_stay_in_place() -> None:
    degrading = replace(NOTHING, blur=1.0, erase=1.0, dark=1.0, noise=0.5)
    assert torch.allclose(degrading.vary(faces()), faces(), atol=1e-5)
    moving = replace(NOTHING, flip=1.0, rotation=30.0, contrast=0.5)
    assert torch.equal(moving.degrade(faces()), faces())


@pytest.mark.parametrize("largest", [0.05, 0.25])
def test_erasing_covers_no_more_than_asked_for(largest: float) -> None:
    torch.manual_seed(0)
    erased = replace(NOTHING, erase=1.0, erase_area=largest)(faces(200))
    share = ((erased - faces(200)).abs() > 1e-3).float().mean(dim=(1, 2, 3))
    # A rectangle covers whole pixels, up to one more at each edge.
    assert 0.9 * largest < float(share.max()) < largest + 0.03


def test_the_dark_keeps_a_tenth_to_a_half_of_the_light() -> None:
    dimmed = replace(NOTHING, dark=1.0)(faces(64)).mean(dim=(1, 2, 3)) / faces(64).mean(dim=(1, 2, 3))
    assert 0.1 <= float(dimmed.min()) < 0.2 and 0.4 < float(dimmed.max()) <= 0.5


def test_half_of_the_faces_get_no_noise_and_none_more_than_asked_for() -> None:
    gray = torch.full((200, 1, 48, 48), 0.5)
    deviations = replace(NOTHING, noise=0.1)(gray).std(dim=(1, 2, 3))
    assert 0.35 < float((deviations < 1e-4).float().mean()) < 0.65
    assert 0.08 < float(deviations.max()) < 0.105


def test_shift_moves_by_at_most_its_share() -> None:
    dot = torch.zeros(64, 1, 48, 48)
    dot[:, :, 23:25, 23:25] = 1
    torch.manual_seed(1)
    out = Augment(0, 0, 0.25, 0, 0, 0, 0, 0, 0)(dot)
    rows = out.amax(dim=3).squeeze(1).argmax(dim=1)
    assert 23 - 12 <= int(rows.min()) < 20
    assert 28 < int(rows.max()) <= 24 + 12


@pytest.mark.parametrize(("mixup", "cutmix"), [(1.0, 0.0), (0.0, 1.0), (1.0, 1.0)])
def test_mix_mixes_targets_as_it_mixes_faces(mixup: float, cutmix: float) -> None:
    constant = torch.arange(64).float().view(64, 1, 1, 1).expand(64, 1, 16, 16)
    target = torch.arange(64).float().view(64, 1)
    torch.manual_seed(0)
    mixed, mixed_target = Augment(mixup=mixup, cutmix=cutmix).mix(constant, target)
    assert torch.allclose(mixed.mean(dim=(1, 2, 3)), mixed_target[:, 0], atol=1e-4)
    assert not torch.equal(mixed_target, target)
    # What is cut out is one face's or the other's, what is blended is neither's, but for a face mixed with itself.
    whole = sum(torch.equal(face, face.round()) for face in mixed) / len(mixed)
    lowest, highest = {(1.0, 0.0): (0.0, 0.2), (0.0, 1.0): (1.0, 1.0), (1.0, 1.0): (0.25, 0.75)}[mixup, cutmix]
    assert lowest <= whole <= highest
