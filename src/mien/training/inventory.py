"""What a data set holds: counts, duplicates, conflicts between labels."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mien.emotions import LABELS
from mien.evaluation.datasets import USAGES, FaceSet

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a data set holds.

    Attributes:
        counts: Number of faces by usage, then emotion.
        duplicates: Faces whose pixels an earlier face has already.
        conflicts: Groups of faces with the same pixels and different labels, each as 0-based positions.
        leaks: Groups of faces with the same pixels in more than one usage, likewise.
        no_face: Number of faces by usage that FER+ calls no face, or None without FER+.
        digest: See `mien.evaluation.datasets.FaceSet.digest`.
    """

    counts: dict[str, dict[str, int]]
    duplicates: int
    conflicts: list[list[int]]
    leaks: list[list[int]]
    no_face: dict[str, int] | None
    digest: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)


def take_inventory(faces: FaceSet) -> Inventory:
    """Count faces, and find exact duplicates by a digest of their pixels."""
    present = [usage for usage in USAGES if (faces.usage == usage).any()]
    groups: dict[str, list[int]] = {}
    for position, digest in enumerate(faces.digests().tolist()):
        groups.setdefault(digest, []).append(position)
    repeated = [group for group in groups.values() if len(group) > 1]
    counts = {usage: np.bincount(faces.labels[faces.usage == usage], minlength=len(LABELS)) for usage in present}
    return Inventory(
        counts={usage: dict(zip(LABELS, row.tolist(), strict=True)) for usage, row in counts.items()},
        duplicates=sum(len(group) - 1 for group in repeated),
        conflicts=[group for group in repeated if len(set(faces.labels[group].tolist())) > 1],
        leaks=[group for group in repeated if len(set(faces.usage[group].tolist())) > 1],
        no_face=None
        if faces.no_face is None
        else {usage: int(faces.no_face[faces.usage == usage].sum()) for usage in present},
        digest=faces.digest(),
    )


def class_complaints(faces: FaceSet) -> list[str]:
    """One line for each emotion with too few faces to learn from."""
    complaints = []
    for label, count in zip(LABELS, np.bincount(faces.labels, minlength=len(LABELS)).tolist(), strict=True):
        if count == 0:
            complaints.append(f"no face to learn {label!r} from: the network will never answer it")
        elif count == 1:
            complaints.append(f"only one face to learn {label!r} from: add more, or expect it to be missed")
    return complaints


def draw_inventory(inventory: Inventory) -> Figure:
    """A bar chart of the faces per emotion, one panel per usage."""
    from matplotlib.figure import Figure

    from mien.emotions import Emotion

    colors = [tuple(channel / 255 for channel in emotion.color) for emotion in Emotion]
    figure = Figure(figsize=(4.2 * len(inventory.counts), 3.6), layout="constrained")
    for panel, (usage, counts) in zip(
        np.atleast_1d(figure.subplots(1, len(inventory.counts))), inventory.counts.items(), strict=True
    ):
        bars = panel.bar(list(counts), list(counts.values()), color=colors, edgecolor="#444444", linewidth=0.5)
        panel.bar_label(bars, fontsize=8)
        panel.set_title(f"{usage}: {sum(counts.values())} faces")
        panel.tick_params(axis="x", rotation=40)
        panel.spines[["top", "right"]].set_visible(False)
    return figure
