"""Train the networks of all recipes that start from nothing, and print a table.

    python benchmarks/results.py fer2013.csv ferplus_votes.csv runs/results
    python benchmarks/results.py fer2013.csv ferplus_votes.csv runs/results --epochs 20 --only cnn4-gap

Takes days on a CPU and minutes on a GPU; ``--epochs`` caps the epochs of each recipe, its schedule with them, and
the table says so. A run that was stopped goes on where it was, with the epochs that it began with; a finished one is
only measured.
"""

from __future__ import annotations

import argparse
import logging
import sys
from dataclasses import replace
from pathlib import Path

from mien.evaluation.datasets import FaceSet, read_fer2013, read_votes
from mien.training.callbacks import read_history
from mien.training.compare import measure_run
from mien.training.fit import fit
from mien.training.recipe import load_recipe

# What the authors claim, on whichever faces they validated on.
CLAIMS = {"cnn4-dense": "-", "cnn4-gap": "0.60", "cnn2-lite": "-", "cnn5-deep": "0.702", "mien": "-"}


def main() -> None:
    """Train, measure and print."""
    parser = argparse.ArgumentParser(description="Train the networks of all recipes that start from nothing.")
    parser.add_argument("data", help="fer2013.csv")
    parser.add_argument("votes", help="FER+ votes, for mien")
    parser.add_argument("out", type=Path, help="folder of the runs")
    parser.add_argument("--epochs", type=int, default=sys.maxsize, help="train so many epochs at the most")
    parser.add_argument("--only", action="append", choices=CLAIMS, help="this network alone; may be repeated")
    options = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(message)s", stream=sys.stderr)
    logging.getLogger("mien").setLevel(logging.INFO)
    plain = read_fer2013(options.data)
    with_votes = read_votes(options.votes, plain)
    print("| network | epochs | hours | parameters | accuracy | macro-F1 | claimed |")
    print("|---|---:|---:|---:|---:|---:|---:|", flush=True)
    for name in options.only or CLAIMS:
        run = train(name, with_votes if name == "mien" else plain, options.out / name, options.epochs)
        print(describe(name, run, plain.of_usage("PublicTest")), flush=True)


def train(name: str, faces: FaceSet, run: Path, epochs: int) -> Path:
    """Train, go on, or leave a finished run as it is."""
    # A run that stopped early has its curves, which are drawn last of all.
    if (run / "curves.png").exists():
        return run
    if (run / "checkpoints" / "last.ckpt").exists():
        return fit(load_recipe(run / "recipe.yaml"), faces, run, resume=True, progress=sys.stderr.isatty())
    plan = load_recipe(name)
    plan = replace(plan, epochs=min(epochs, plan.epochs))
    return fit(plan, faces, run, progress=sys.stderr.isatty())


def describe(name: str, run: Path, faces: FaceSet) -> str:
    """The table's row of a finished run."""
    row, rows = measure_run(run, faces), read_history(run / "metrics.csv")
    hours = sum(float(epoch["seconds"]) for epoch in rows) / 3600
    asked, allowed = load_recipe(name).epochs, load_recipe(run / "recipe.yaml").epochs
    epochs = f"{len(rows)} of {asked}" + (", then no better" if len(rows) < allowed else "")
    return (
        f"| {name} | {epochs} | {hours:.2f} | {row.parameters / 1e6:.2f} M | {row.accuracy:.3f} | {row.macro_f1:.3f} "
        f"| {CLAIMS[name]} |"
    )


if __name__ == "__main__":
    main()
