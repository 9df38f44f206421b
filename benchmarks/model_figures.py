"""Measure a model folder and write the figures into its ``config.json``.

    python benchmarks/model_figures.py MODEL_FOLDER fer2013.csv PHOTOS

Runs ``mien evaluate`` on PublicTest as given and through the detector, and on PHOTOS (a folder with ``labels.csv``)
with each of the model's answers; prints the Markdown tables of the model card.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer


def main(folder: Path, data: Path, photos: Annotated[Path, typer.Argument(help="Folder with labels.csv.")]) -> None:
    """Print the tables and update the folder's figures."""
    given = measure(folder, data)
    through = measure(folder, data, "--through-detector")
    print("| PublicTest | faces found | accuracy | macro-F1 | balanced accuracy | ECE |\n|---|---|---|---|---|---|")
    print_row("crops as given", given)
    print_row("on a canvas, through detector and crop", through)
    print("\n| emotion | precision | recall | F1 | support |\n|---|---|---|---|---|")
    for name, row in given["per_class"].items():
        print(f"| {name} | {row['precision']:.3f} | {row['recall']:.3f} | {row['f1']:.3f} | {row['support']} |")
    print(
        "\n| web photos | faces found | accuracy | macro-F1 | balanced accuracy | without fear | ECE |\n"
        + "|---" * 7
        + "|"
    )
    answers = {head: measure(folder, photos, "--through-detector", "--head", head) for head in heads(folder)}
    for head, report in answers.items():
        print_row(f"`{head}`", report, f" {without_fear(report):.3f} |")
    figures = {
        "publictest_accuracy": given["accuracy"],
        "publictest_macro_f1": given["macro_f1"],
        "publictest_ece": given["ece"],
        "publictest_through_detector_accuracy": through["accuracy"],
        "wild_faces_found": answers["photo"]["found"] / answers["photo"]["n"],
        "wild_balanced_accuracy": answers["photo"]["balanced_accuracy"],
        "wild_balanced_accuracy_without_fear": without_fear(answers["photo"]),
    }
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["figures"] = {name: round(value, 4) for name, value in figures.items()}
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def measure(folder: Path, data: Path, *options: str) -> dict[str, Any]:
    """What ``mien evaluate --json`` says."""
    command = [sys.executable, "-m", "mien", "evaluate", str(data), "--model", str(folder), "--json", *options]
    report: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return report


def heads(folder: Path) -> list[str]:
    """The answers a model can give."""
    return ["photo", *json.loads((folder / "config.json").read_text(encoding="utf-8"))["heads"]]


def without_fear(report: dict[str, Any]) -> float:
    """Balanced accuracy over the six emotions other than fear, of which the photos have too few."""
    recalls = [row["recall"] for name, row in report["per_class"].items() if name != "fear"]
    return float(sum(recalls) / len(recalls))


def print_row(name: str, report: dict[str, Any], extra: str = "") -> None:
    """Print one row of a table; ``extra`` goes before the last column."""
    print(
        f"| {name} | {report['found'] / report['n']:.1%} | {report['accuracy']:.3f} | {report['macro_f1']:.3f} "
        f"| {report['balanced_accuracy']:.3f} |{extra} {report['ece']:.3f} |"
    )


if __name__ == "__main__":
    typer.run(main)
