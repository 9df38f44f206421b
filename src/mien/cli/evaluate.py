"""``mien evaluate``."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.options import (
    DEFAULTS,
    DataArgument,
    DetectorOption,
    DeviceOption,
    ModelOption,
    OneJsonOption,
    ThreadsOption,
    UsageOption,
)
from mien.cli.output import tables, with_progress
from mien.errors import MissingExtraError, OptionError
from mien.options import AnalyzerOptions

if TYPE_CHECKING:
    from mien.metrics import Report


def evaluate(
    data: DataArgument,
    usage: UsageOption = "PublicTest",
    model: ModelOption = DEFAULTS.model,
    through_detector: Annotated[
        bool, typer.Option("--through-detector", help="Find the face first, rather than take the picture for a crop.")
    ] = False,
    head: Annotated[
        str | None,
        typer.Option(
            help="Which of the model's answers: photo, fer2013 or ferplus.  [default: fer2013 for a CSV, else photo]"
        ),
    ] = None,
    detector: DetectorOption = DEFAULTS.detector,
    device: DeviceOption = DEFAULTS.device,
    threads: ThreadsOption = DEFAULTS.threads,
    report: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write a report with pictures to this folder.")
    ] = None,
    as_json: OneJsonOption = False,
) -> None:
    """Measure a model on labelled faces."""
    from mien.datasets import USAGES

    if usage not in USAGES:
        raise OptionError(f"unknown usage {usage!r}; expected one of {', '.join(USAGES)}")
    from mien.analyzer import load
    from mien.evaluation import answer_data
    from mien.metrics import evaluate as measure

    if report is not None and (find_spec("matplotlib") is None or find_spec("sklearn") is None):
        raise MissingExtraError("the report", "train")
    analyzer = load(AnalyzerOptions(model, detector, device=device, threads=threads))
    answers = answer_data(
        data, analyzer, usage, through_detector, head, lambda items, total: with_progress(items, total, "reading")
    )
    figures = measure(answers.labels, answers.probabilities)
    if report is not None:
        from mien.report import write_report

        write_report(report, f"{model} on {usage} of {data.name}", figures, answers)
    if as_json:
        print(json.dumps(figures.to_dict()), flush=True)
    else:
        _print(figures)
        if report is not None:
            tables.print(f"report: {report / 'report.md'}", soft_wrap=True)


def _print(report: Report) -> None:
    from rich import box
    from rich.table import Table

    tables.print(
        f"faces {report.n}   found {report.found}\n"
        f"accuracy {report.accuracy:.4f}   macro-F1 {report.macro_f1:.4f}   "
        f"balanced accuracy {report.balanced_accuracy:.4f}   ECE {report.ece:.4f}"
    )
    figures = Table(box=box.SIMPLE_HEAD, pad_edge=False, title="per emotion", title_justify="left")
    for column in ("emotion", "precision", "recall", "F1", "support"):
        figures.add_column(column, justify="left" if column == "emotion" else "right")
    for name, row in report.per_class.items():
        figures.add_row(name, f"{row.precision:.3f}", f"{row.recall:.3f}", f"{row.f1:.3f}", str(row.support))
    tables.print(figures)
    confusion = Table(box=box.SIMPLE_HEAD, pad_edge=False, title="label (down), answer (across)", title_justify="left")
    confusion.add_column("")
    for name in report.per_class:
        confusion.add_column(name, justify="right")
    for name, counts in zip(report.per_class, report.confusion, strict=True):
        confusion.add_row(name, *map(str, counts))
    tables.print(confusion)
