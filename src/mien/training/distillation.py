"""Teachers: finished networks whose answers a student learns from.

After Hinton et al. 2015, "Distilling the knowledge in a neural network". Teachers see the very faces that the student
sees, varied and mixed as they are, in every step (Beyer et al. 2022, "Knowledge distillation: a good teacher is patient
and consistent"); but before blur, darkness, noise and covered parts, so that the student learns to answer as if
these were not there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from mien.classification.classifier import choose_file
from mien.classification.model_config import find_model, load_config, shipped_models
from mien.errors import OptionError
from mien.preprocessing import normalize
from mien.runtime import create_session
from mien.training.recipe import Distil
from mien.training.runs import checkpoint_path, load_run


class Teacher(Protocol):
    """A finished network.

    Attributes:
        name: Its folder, or its name if it is a shipped one.
        heads: Names of its heads, in the order of its answers.
        weights: SHA-256 of its weights.
        faces: Digest of the faces it was trained on.
    """

    name: str
    heads: tuple[str, ...]
    weights: str
    faces: str

    def to(self, device: torch.device) -> None:
        """Move to a device."""

    def logits(self, faces: Tensor) -> Tensor:
        """Logits (N, heads, 7) for faces in 0..1, float (N, 1, 48, 48), on the same device."""


class Teachers:
    """Several teachers, asked as one.

    They are not part of the student: its checkpoints, gradients, averaged weights and processes know nothing of them.

    Args:
        members: At least one.
        settings: Temperature, and whether each face is shown mirrored as well.
    """

    def __init__(self, members: Sequence[Teacher], settings: Distil) -> None:
        self.members = tuple(members)
        self._settings = settings

    def __deepcopy__(self, memo: dict[int, Any]) -> Teachers:
        """The copy of the student that averages its weights shares them; they never change."""
        return self

    def to(self, device: torch.device) -> None:
        """Move all to a device."""
        for member in self.members:
            member.to(device)

    @torch.no_grad()
    def answers(self, faces: Tensor, heads: Sequence[str]) -> list[Tensor | None]:
        """The teachers' mean probabilities for faces, softened by the temperature.

        Args:
            faces: float (N, 1, 48, 48) in 0..1.
            heads: Names of the student's heads.

        Returns:
            For each head float (N, 7), rows add up to 1; None if no teacher has such a head.
        """
        views = (faces, faces.flip(-1)) if self._settings.flip else (faces,)
        given: dict[str, list[Tensor]] = {head: [] for head in heads}
        for member in self.members:
            for view in views:
                soft = (member.logits(view).float() / self._settings.temperature).softmax(dim=-1)
                for position, head in enumerate(member.heads):
                    if head in given:
                        given[head].append(soft[:, position])
        return [torch.stack(given[head]).mean(dim=0) if given[head] else None for head in heads]


class _Run:
    """A run's best network."""

    def __init__(self, run: Path) -> None:
        path = checkpoint_path(run)
        module, data = load_run(run)
        self._module = module.requires_grad_(False)
        self._module.network.to(memory_format=torch.channels_last)
        self.name = str(run)
        self.heads: tuple[str, ...] = data.heads
        self.weights, self.faces = _sha256(path), data.digest

    def to(self, device: torch.device) -> None:
        self._module.to(device)

    def logits(self, faces: Tensor) -> Tensor:
        answers: Tensor = self._module(self._module.normalize(faces))
        return answers


class _Folder:
    """An exported model folder, run by ONNX Runtime, in 8 bits where that is faster."""

    def __init__(self, name: str) -> None:
        folder = find_model(name)
        config = load_config(folder)
        self._mean, self._std = config.mean, config.std
        file = choose_file(folder, "auto", "auto")
        self._session = create_session(file)
        self.name, self.heads = name, config.heads
        self.weights, self.faces = _sha256(file), str(config.training.get("data_sha256", ""))

    def to(self, device: torch.device) -> None:
        """Stays where ONNX Runtime has put it."""

    def logits(self, faces: Tensor) -> Tensor:
        batch = normalize(faces.float(), self._mean, self._std).cpu().numpy()
        return torch.from_numpy(self._session.run(["logits"], {"faces": batch})[0]).to(faces.device)


def load_teachers(settings: Distil) -> Teachers | None:
    """Open the teachers that a recipe names.

    Args:
        settings: Run folders, of which the best checkpoint is taken, folders of run folders, model folders, or shipped
            models by name.

    Returns:
        None if it names none.

    Raises:
        OptionError: If one is none of these, or has no checkpoint yet.
        ModelError: If a folder is damaged.
    """
    members = [teacher for name in settings.teachers for teacher in _open(name)]
    return Teachers(members, settings) if members else None


def _open(name: str) -> list[Teacher]:
    folder = Path(name)
    if _is_run(folder):
        return [_Run(folder)]
    runs = sorted(filter(_is_run, folder.iterdir())) if folder.is_dir() else []
    if runs:
        return [_Run(run) for run in runs]
    if name not in shipped_models() and not (folder / "config.json").is_file():
        raise OptionError("is not a teacher; expected a run folder, a folder of these, or a model folder", name)
    return [_Folder(name)]


def _is_run(folder: Path) -> bool:
    return (folder / "recipe.yaml").is_file()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
