"""Against imbalance: class weights, and augmented copies that fill the rarer emotions up."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import torch
from numpy.typing import NDArray

from mien.emotions import LABELS
from mien.evaluation.datasets import FaceSet
from mien.training.augment import Augment

# Enough that a copy is not the face again, little enough that the expression stays: what system A varies.
_VARIATION = Augment(
    flip=0.5, rotation=10, shift=0.1, zoom=0.1, brightness=0.0, contrast=0.0, blur=0.0, erase=0.0, mixup=0.0
)
_BATCH = 1024


def class_weights(labels: NDArray[np.int64]) -> NDArray[np.float32]:
    """scikit-learn's balanced weights, float32 (7,): n / (classes * count).

    An emotion that does not occur weighs nothing and does not count as a class.
    """
    from sklearn.utils.class_weight import compute_class_weight

    present = np.unique(labels)
    weights = np.zeros(len(LABELS), np.float32)
    weights[present] = compute_class_weight("balanced", classes=present, y=labels)
    return weights


def balanced_copies(faces: FaceSet, seed: int) -> FaceSet:
    """Varied copies of the faces of the rarer emotions, as many as fill each up to the most frequent one.

    Args:
        faces: The faces to learn from; left as they are.
        seed: Decides which faces are copied and how they are varied.

    Returns:
        The copies alone, which name their originals. Each face of an emotion is copied as often as any other, give or
        take one. An emotion without a face stays empty.
    """
    rng = np.random.default_rng(seed)
    counts = np.bincount(faces.labels, minlength=len(LABELS))
    chosen: list[NDArray[np.int64]] = []
    for label in np.flatnonzero(counts):
        own, missing = np.flatnonzero(faces.labels == label), counts.max() - counts[label]
        rounds = [rng.permutation(own) for _ in range(-(-missing // len(own)))]
        chosen.append(np.concatenate([*rounds, own[:0]])[:missing])
    copies = _with_originals(faces).select(np.concatenate(chosen))
    return replace(copies, pixels=_vary(copies.pixels, seed))


def append(faces: FaceSet, copies: FaceSet) -> FaceSet:
    """Faces and copies of them, one after the other; both have FER+ votes or neither."""
    named = _with_originals(faces)

    def joined(name: str) -> NDArray[np.generic] | None:
        first, second = getattr(named, name), getattr(copies, name)
        return None if first is None else np.concatenate([first, second])

    return FaceSet(**{field.name: joined(field.name) for field in fields(FaceSet)})  # type: ignore[arg-type]


def _with_originals(faces: FaceSet) -> FaceSet:
    return faces if faces.originals is not None else replace(faces, originals=faces.digests())


def _vary(pixels: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        varied = []
        for start in range(0, len(pixels), _BATCH):
            batch = torch.from_numpy(pixels[start : start + _BATCH]).unsqueeze(1).float() / 255
            varied.append((_VARIATION(batch) * 255).round().to(torch.uint8).squeeze(1).numpy())
    return np.concatenate(varied) if varied else pixels
