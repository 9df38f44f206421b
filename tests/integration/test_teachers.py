"""Students that learn from finished runs and model folders."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra train")
import torch

pytest.importorskip("lightning", reason="needs the extra train")

from trainings import assert_same_weights, weights

from mien.classification.classifier import EmotionClassifier
from mien.errors import DataError, OptionError
from mien.evaluation.datasets import FaceSet
from mien.training import fit as fitting
from mien.training.augment import Augment
from mien.training.distillation import Teachers, load_teachers
from mien.training.fit import fit
from mien.training.lightning_module import HEADS, FaceModule
from mien.training.recipe import Distil, Optimizer, Recipe
from mien.training.runs import load_run

STILL = Augment(flip=0, rotation=0, shift=0, zoom=0, brightness=0, contrast=0, blur=0, erase=0, mixup=0)
QUICK = Recipe(
    "cnn2-lite", epochs=2, batch_size=16, optimizer=Optimizer("adam", 1e-3), warmup_epochs=0, precision="32-true",
    ema=0.9, augment=STILL,
)  # fmt: skip


class Fixed:
    """A teacher with the same answer for every face, and another one for faces whose left side is brighter."""

    name, weights, faces = "fixed", "", ""

    def __init__(self, heads: tuple[str, ...], plain: float, left: float) -> None:
        self.heads, self._plain, self._left = heads, plain, left

    def to(self, device: torch.device) -> None:
        pass

    def logits(self, faces: torch.Tensor) -> torch.Tensor:
        bright = faces[..., : faces.shape[-1] // 2].mean(dim=(1, 2, 3)) > faces.mean(dim=(1, 2, 3))
        out = torch.zeros(len(faces), len(self.heads), 7)
        out[..., 0] = torch.where(bright, self._left, self._plain).log()[:, None]
        return out


def left_bright() -> torch.Tensor:
    faces = torch.zeros(2, 1, 48, 48)
    faces[0, :, :, :24] = 1
    return faces


def test_answers_are_averaged_by_head() -> None:
    # exp(log 2) against six times exp(0) is 2/8, of 8 it is 8/14.
    members = [Fixed(("fer2013",), 2.0, 8.0), Fixed(("fer2013", "ferplus"), 8.0, 8.0)]
    first, second = Teachers(members, Distil(temperature=1.0)).answers(left_bright(), HEADS)
    assert first is not None
    assert second is not None
    assert first[:, 0].tolist() == pytest.approx([8 / 14, (2 / 8 + 8 / 14) / 2])
    assert second[:, 0].tolist() == pytest.approx([8 / 14, 8 / 14])
    assert first.sum(dim=1).tolist() == pytest.approx([1, 1])
    (absent,) = Teachers(members[:1], Distil()).answers(left_bright(), ("ferplus",))
    assert absent is None


def test_mirrored_views_and_temperature() -> None:
    member = Fixed(("fer2013",), 2.0, 8.0)
    (answer,) = Teachers([member], Distil(temperature=1.0, flip=True)).answers(left_bright()[:1], ("fer2013",))
    assert answer is not None
    assert float(answer[0, 0]) == pytest.approx((8 / 14 + 2 / 8) / 2)
    (soft,) = Teachers([member], Distil(temperature=3.0)).answers(left_bright()[:1], ("fer2013",))
    assert soft is not None
    assert float(soft[0, 0]) == pytest.approx(2 / 8), "the cube root of 8 is 2"


def test_the_teachers_share_keeps_its_weight_at_any_temperature() -> None:
    """Gradients of softened answers shrink with the square of the temperature (Hinton et al. 2015)."""
    plan = replace(QUICK, distil=Distil(weight=0.25, temperature=4.0))
    logits, answer = torch.tensor([[[1.0, 2, 3, 4, 5, 6, 7]]]), torch.tensor([[0.4, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]])
    (loss,) = FaceModule(plan, 0.5, 0.2, 1)._taught([torch.tensor(2.0)], logits, [answer])
    soft = (logits[:, 0] / 4).softmax(-1)
    expected = 0.75 * 2.0 + 0.25 * 16 * float((answer * (answer / soft).log()).sum())
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_teachers_see_whole_faces_where_the_student_sees_dark_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, torch.Tensor] = {}

    class Looking(Fixed):
        def logits(self, faces: torch.Tensor) -> torch.Tensor:
            seen["teacher"] = faces
            return super().logits(faces)

    def look(self: FaceModule, faces: torch.Tensor) -> torch.Tensor:
        seen["student"] = faces * self.std + self.mean
        return torch.zeros(len(faces), 1, 7, requires_grad=True)

    plan = replace(QUICK, augment=replace(QUICK.augment, dark=1.0, mixup=0.4, cutmix=1.0))
    module = FaceModule(plan, 0.5, 0.2, 1, teachers=Teachers([Looking(("fer2013",), 2.0, 8.0)], Distil()))
    monkeypatch.setattr(FaceModule, "forward", look)
    monkeypatch.setattr(FaceModule, "log", lambda *_, **__: None)
    pixels = torch.full((16, 1, 48, 48), 200, dtype=torch.uint8)
    module.training_step((pixels, torch.zeros(16, dtype=torch.int64), torch.zeros(16, 7)), 0)
    assert seen["teacher"].shape == seen["student"].shape
    assert torch.allclose(seen["teacher"], pixels / 255, atol=1e-4)
    assert float(seen["student"].amax()) <= 0.5 * 200 / 255 + 1e-4


@pytest.fixture(scope="module")
def teacher(drawn: FaceSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fit(replace(QUICK, epochs=6), drawn, tmp_path_factory.mktemp("teachers") / "one", progress=False)


def test_a_model_folder_answers_as_the_classifier_does(drawn: FaceSet) -> None:
    teachers = load_teachers(Distil(("mien-1",), temperature=1.0))
    assert teachers is not None
    faces = torch.from_numpy(drawn.pixels[:5]).unsqueeze(1).float() / 255
    logits = EmotionClassifier("mien-1").predict_logits(drawn.pixels[:5])
    assert np.allclose(teachers.members[0].logits(faces).numpy(), logits, atol=1e-4)


def test_a_student_becomes_its_teacher(teacher: Path, drawn: FaceSet, tmp_path: Path) -> None:
    """From other first weights and without a look at the labels, it ends with the teacher's answers."""
    wrong = replace(drawn, labels=np.where(drawn.usage == "Training", (drawn.labels + 3) % 7, drawn.labels))
    distil = Distil((str(teacher),), weight=1.0, temperature=1.0)
    plan = replace(QUICK, epochs=30, seed=5, distil=distil)
    student, _ = load_run(fit(plan, wrong, tmp_path / "student", progress=False), "last")
    original, _ = load_run(teacher)
    faces = torch.from_numpy(drawn.pixels).unsqueeze(1).float() / 255
    with torch.inference_mode():
        answers = [m(m.normalize(faces))[:, 0].softmax(-1) for m in (student, original)]
    apart = float((answers[0] - answers[1]).abs().mean())
    assert apart < 0.02, apart


def test_the_student_keeps_nothing_of_its_teachers(teacher: Path, drawn: FaceSet, tmp_path: Path) -> None:
    run = fit(replace(QUICK, distil=Distil((str(teacher), "mien-1"))), drawn, tmp_path / "run", progress=False)
    assert weights(run).keys() == weights(teacher).keys()


def test_resuming_with_teachers_gives_the_uninterrupted_run(
    teacher: Path, drawn: FaceSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replace(QUICK, epochs=4, augment=Augment(cutmix=1.0), distil=Distil((str(teacher.parent),), flip=True))
    whole = fit(plan, drawn, tmp_path / "whole", progress=False)

    class Stop(fitting.Callback):  # type: ignore[name-defined, misc]
        def on_train_epoch_start(self, trainer: object, pl_module: object) -> None:
            if trainer.current_epoch == 2:  # type: ignore[attr-defined]
                raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(fitting, "EpochLines", Stop)
        with pytest.raises(RuntimeError, match="killed"):
            fit(plan, drawn, tmp_path / "cut", progress=False)
    with pytest.raises(OptionError, match="began with another recipe"):
        fit(replace(plan, distil=Distil()), drawn, tmp_path / "cut", resume=True, progress=False)
    fit(plan, drawn, tmp_path / "cut", resume=True, progress=False)
    assert_same_weights(whole, tmp_path / "cut", 1e-6)


def test_a_teacher_that_went_on_learning_is_another_one(teacher: Path, drawn: FaceSet, tmp_path: Path) -> None:
    other = fit(replace(QUICK, seed=3), drawn, tmp_path / "teacher", progress=False)
    plan = replace(QUICK, distil=Distil((str(other),)))
    run = fit(plan, drawn, tmp_path / "run", progress=False)
    (other / "checkpoints/best.ckpt").write_bytes((teacher / "checkpoints/best.ckpt").read_bytes())
    with pytest.raises(DataError, match="teachers"):
        fit(plan, drawn, run, resume=True, progress=False)


def test_teachers_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="is not a teacher; expected a run folder"):
        load_teachers(Distil((str(tmp_path / "absent"),)))
    with pytest.raises(OptionError, match="expected a run folder, a folder of these, or a model folder"):
        load_teachers(Distil((str(tmp_path),)))
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun/recipe.yaml").write_text("network: mien\n")
    with pytest.raises(OptionError, match="no such checkpoint; train first"):
        load_teachers(Distil((str(tmp_path),)))
