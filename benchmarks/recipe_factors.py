"""What each factor of a recipe is worth: short runs of equal time that differ in one of them.

    python benchmarks/recipe_factors.py fer2013.csv ferplus_votes.csv runs/factors
    python benchmarks/recipe_factors.py fer2013.csv ferplus_votes.csv runs/factors --epochs 40

PublicTest takes no part: a fifth of the Training faces is held out instead. A network that takes longer for a face gets
fewer epochs, by the time of a step measured side by side; the rest changes the time of an epoch little (batches of 32
the most, by a sixth). A run that was stopped goes on where it was, and a finished one is only measured.
"""

from __future__ import annotations

import logging
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from numpy.typing import NDArray

from mien.evaluation.datasets import FaceSet, read_fer2013, read_votes
from mien.evaluation.metrics import evaluate
from mien.preprocessing import to_tensor
from mien.training.augment import Augment
from mien.training.datamodule import split_training
from mien.training.fit import fit
from mien.training.lightning_module import HEADS
from mien.training.networks import build_network
from mien.training.recipe import Optimizer, Recipe, load_recipe
from mien.training.runs import load_run, read_recipe

HELD_OUT = 5
"""One Training face in so many is held out."""
LIGHT = Augment(
    rotation=12, shift=0.06, zoom=0.12, brightness=0.1, contrast=0.2, blur=0, erase=0.25, erase_area=0.12, mixup=0
)
NOTHING = Augment(flip=0, rotation=0, shift=0, zoom=0, brightness=0, contrast=0, blur=0, erase=0, mixup=0)
REFERENCE = Recipe(
    "mien-tiny", optimizer=Optimizer(name="sgd", lr=0.1, momentum=0.9, weight_decay=5e-4), warmup_epochs=0.5,
    ema=0.99, precision="32-true", augment=LIGHT,
)  # fmt: skip
FACTORS: dict[str, Recipe] = {
    "the reference": REFERENCE,
    "no augmentation": replace(REFERENCE, augment=NOTHING),
    "as heavy as in `mien`": replace(REFERENCE, augment=load_recipe("mien").augment),
    "FER+ votes not learned": replace(REFERENCE, ferplus_weight=0),
    "`mien`: full resolution, 1.56 M parameters": replace(REFERENCE, network="mien"),
    "constant rate": replace(REFERENCE, schedule="constant"),
    "no averaged weights": replace(REFERENCE, ema=0),
    "a third of the rate": replace(REFERENCE, optimizer=replace(REFERENCE.optimizer, lr=0.033)),
    "no label smoothing": replace(REFERENCE, label_smoothing=0),
    "batches of 32, a quarter of the rate": replace(
        REFERENCE, batch_size=32, ema=0.9975, optimizer=replace(REFERENCE.optimizer, lr=0.025)
    ),
    "`mien-light`: wider, 1.04 M parameters": replace(REFERENCE, network="mien-light"),
}
"""What is said of a run, and its recipe."""


def main(
    data: Annotated[Path, typer.Argument(help="fer2013.csv, plain or .xz.")],
    votes: Annotated[Path, typer.Argument(help="FER+ votes.")],
    out: Annotated[Path, typer.Argument(help="Folder of the runs.")],
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of the reference.")] = 3,
) -> None:
    """Train, measure and print."""
    logging.basicConfig(format="%(asctime)s %(message)s", stream=sys.stderr)
    logging.getLogger("mien").setLevel(logging.INFO)
    faces = divide(read_votes(votes, read_fer2013(data)))
    held_out = faces.of_usage("PublicTest")
    print(f"{len(faces) - len(held_out)} faces to learn from and to calibrate, {len(held_out)} to measure on\n")
    print("| run | epochs | accuracy | macro-F1 | FER+ majority |\n|---|---:|---:|---:|---:|", flush=True)
    for number, (name, recipe) in enumerate(FACTORS.items()):
        folder = out / f"{epochs}-{number:02d}"
        plan = train(replace(recipe, seed=1), faces, folder, epochs)
        accuracy, macro_f1, majority = measure(folder, held_out)
        voted = f"{majority:.3f}" if plan.ferplus_weight else "-"
        print(f"| {name} | {plan.epochs} | {accuracy:.3f} | {macro_f1:.3f} | {voted} |", flush=True)


def train(recipe: Recipe, faces: FaceSet, folder: Path, epochs: int) -> Recipe:
    """Train as long as the reference takes for so many epochs, go on, or leave a finished run; the run's recipe."""
    if (folder / "curves.png").exists():
        return read_recipe(folder)
    if (folder / "checkpoints" / "last.ckpt").exists():
        plan = read_recipe(folder)
        fit(plan, faces, folder, resume=True, progress=False)
        return plan
    shutil.rmtree(folder, ignore_errors=True)
    plan = replace(recipe, epochs=equal_time(recipe.network, epochs))
    fit(plan, faces, folder, progress=False)
    return plan


def divide(faces: FaceSet) -> FaceSet:
    """The Training faces alone, a fifth of them, by a digest of their pixels, in the place of PublicTest."""
    learned, calibrated = split_training(faces)
    training = faces.select(learned | calibrated)
    held_out = np.array([int(digest[-8:], 16) % HELD_OUT == 0 for digest in training.digests()])
    return replace(training, usage=np.where(held_out, "PublicTest", "Training"))


def equal_time(network: str, epochs: int) -> int:
    """Epochs that take a network as long as the reference's network takes for its own, at least 1."""
    if network == REFERENCE.network:
        return epochs
    steps = [_step(name) for name in (REFERENCE.network, network)]
    best = [float("inf")] * 2
    for _ in range(15):
        for place, step in enumerate(steps):
            start = time.perf_counter()
            step()
            best[place] = min(best[place], time.perf_counter() - start)
    return max(1, round(epochs * best[0] / best[1]))


def _step(network: str) -> Callable[[], None]:
    """A step of training without the optimizer's share, which is small."""
    module = build_network(network, len(HEADS)).to(memory_format=torch.channels_last)
    batch = torch.randn(REFERENCE.batch_size, 1, 48, 48)

    def step() -> None:
        module(batch).square().mean().backward()

    return step


def measure(run: Path, faces: FaceSet) -> tuple[float, float, float]:
    """Accuracy and macro-F1 against FER-2013's labels, and accuracy of the second head against most FER+ voters."""
    module, _ = load_run(run, "last")
    with torch.inference_mode():
        parts = [
            module(torch.from_numpy(to_tensor(faces.pixels[k : k + 256], module.mean, module.std)))
            for k in range(0, len(faces), 256)
        ]
    logits: NDArray[np.float32] = torch.cat(parts).softmax(dim=-1).numpy()
    assert faces.votes is not None
    voted = faces.votes.sum(axis=1) > 0
    report = evaluate(faces.labels, logits[:, 0])
    majority = evaluate(faces.votes[voted].argmax(axis=1), logits[voted, 1])
    return report.accuracy, report.macro_f1, majority.accuracy


if __name__ == "__main__":
    typer.run(main)
