"""Compare means of the weights of several runs, before one of them is exported; writes nothing.

    python benchmarks/weight_means.py fer2013.csv PHOTOS runs/mien-2-robust runs/mien-2-robust+runs/mien-2+mien-1

Each mean is runs and models joined by +; of runs the last checkpoint is taken. Prints accuracy and macro-F1 of the head
of FER-2013's labels on PublicTest, the accuracy averaged with the mirror image, the mean loss under the corruptions at
middle strength on every third face, and the balanced accuracy without fear on web photos, averaged with the mirror
image; all before calibration, in 32 bits.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray

from mien.analyzer import load
from mien.classification.classifier import blend, softmax
from mien.emotions import LABELS
from mien.evaluation.corruptions import CORRUPTIONS
from mien.evaluation.datasets import read_fer2013
from mien.evaluation.evaluate import predict_data
from mien.evaluation.metrics import evaluate
from mien.training.averaging import average_runs

MIDDLE = 1
PRIOR_POWER = 0.5


def main(
    data: Annotated[Path, typer.Argument(help="fer2013.csv, plain or .xz.")],
    photos: Annotated[Path, typer.Argument(help="Folder with labels.csv.")],
    means: Annotated[list[str], typer.Argument(help="Runs and models, joined by +.")],
) -> None:
    """Print the table."""
    test = read_fer2013(data, "PublicTest")
    third = slice(None, None, 3)
    corrupted = {}
    for corruption in CORRUPTIONS:
        rng = np.random.default_rng(0)
        faces = [corruption.apply(face, corruption.strengths[MIDDLE], rng) for face in test.pixels[third]]
        corrupted[corruption.name] = np.stack(faces)
    analyzer = load()
    found = predict_data(photos, analyzer, through_detector=True)
    seen = [k for k, crop in enumerate(found.crops) if crop is not None]
    crops = np.stack([found.crops[k] for k in seen])  # type: ignore[misc]
    priors = np.array(analyzer.classifier.config.priors)
    print(
        "| mean of | PublicTest | with mirror | macro-F1 | corruptions | web photos |\n|---|---:|---:|---:|---:|---:|"
    )
    for mean in means:
        first, *others = map(Path, mean.split("+"))
        module, _ = average_runs(first, others, read_fer2013(data, "Training").pixels, "last")
        module.eval()
        plain, mirrored = logits(module, test.pixels), logits(module, test.pixels[:, :, ::-1])
        report = evaluate(test.labels, softmax(plain[:, 0]))
        both = (plain + mirrored)[:, 0].argmax(axis=1) == test.labels
        clean = accuracy(plain[third], test.labels[third])
        losses = [clean - accuracy(logits(module, faces), test.labels[third]) for faces in corrupted.values()]
        answers = blend(
            (logits(module, crops) + logits(module, crops[:, :, ::-1])) / 2, priors, PRIOR_POWER, (0.5, 0.5)
        )
        labels = found.labels[seen]
        recalls = [(answers.argmax(axis=1)[labels == k] == k).mean() for k, name in enumerate(LABELS) if name != "fear"]
        print(
            f"| {mean} | {report.accuracy:.4f} | {both.mean():.4f} | {report.macro_f1:.4f} "
            f"| {100 * np.mean(losses):.1f} | {np.mean(recalls):.3f} |",
            flush=True,
        )


@torch.no_grad()
def logits(module: Any, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The network's answers to gray faces, uint8 (N, 48, 48), as float32 (N, heads, 7)."""
    parts = np.array_split(faces, len(faces) // 256 + 1)
    tensors = [torch.from_numpy(np.ascontiguousarray(part)).unsqueeze(1).float() / 255 for part in parts]
    return torch.cat([module.network(module.normalize(tensor)) for tensor in tensors]).numpy()


def accuracy(values: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Share of right answers of the first head."""
    return float((values[:, 0].argmax(axis=1) == labels).mean())


if __name__ == "__main__":
    typer.run(main)
