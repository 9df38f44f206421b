"""Train the networks of all recipes that start from nothing, and print a table.

    python benchmarks/results.py fer2013.csv ferplus_votes.csv runs/results

Takes days on a CPU and hours on a GPU. A run that was stopped goes on where it was; a finished one is only measured.
"""

from __future__ import annotations

import sys
from pathlib import Path

from mien.datasets import read_fer2013, read_votes
from mien.training.callbacks import read_history
from mien.training.compare import measure_run
from mien.training.fit import fit
from mien.training.recipes import load_recipe

RECIPES = Path(__file__).parents[1] / "recipes"
# What the authors claim, on whichever faces they validated on.
CLAIMS = {"cnn4-dense": "-", "cnn4-gap": "0.60", "cnn2-lite": "-", "cnn5-deep": "0.702", "mien": "-"}


def main() -> None:
    """Train, measure and print."""
    plain, votes, out = read_fer2013(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    with_votes = read_votes(votes, plain)
    for name in CLAIMS:
        run, plan = out / name, load_recipe(RECIPES / f"{name}.yaml")
        # A run that stopped early has its curves, which are drawn last of all.
        if not (run / "curves.png").exists():
            resume = (run / "checkpoints" / "last.ckpt").exists()
            fit(plan, with_votes if name == "mien" else plain, run, resume=resume)
    print(
        "| network | epochs | hours | parameters | accuracy | macro-F1 | claimed |\n|---|---:|---:|---:|---:|---:|---:|"
    )
    for name, claim in CLAIMS.items():
        row, rows = measure_run(out / name, plain.of_usage("PublicTest")), read_history(out / name / "metrics.csv")
        hours = sum(float(epoch["seconds"]) for epoch in rows) / 3600
        print(
            f"| {name} | {len(rows)} | {hours:.1f} | {row.parameters / 1e6:.2f} M | {row.accuracy:.3f} "
            f"| {row.macro_f1:.3f} | {claim} |"
        )


if __name__ == "__main__":
    main()
