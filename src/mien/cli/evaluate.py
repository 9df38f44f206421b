"""``mien evaluate``."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli.options import USAGES, DataArgument, ForceOption, OneJsonOption, analyzer_options, one_of
from mien.cli.output import check_outputs, tables, with_progress
from mien.errors import MissingExtraError
from mien.options import AnalyzerOptions

if TYPE_CHECKING:
    from mien.analyzer import Analyzer
    from mien.evaluation.evaluate import Predictions
    from mien.evaluation.metrics import Report
    from mien.evaluation.robustness import Robustness


@analyzer_options("smoothing", "reidentify")
def evaluate(
    data: DataArgument,
    usage: Annotated[
        str | None,
        typer.Option(
            help="Split: Training, PublicTest, PrivateTest, or all.  [default: PublicTest; all of data without splits]",
            autocompletion=one_of(*USAGES, "all"),
        ),
    ] = None,
    through_detector: Annotated[
        bool, typer.Option("--through-detector", help="Find the face first, rather than take the picture for a crop.")
    ] = False,
    head: Annotated[
        str | None,
        typer.Option(
            help="Which of the model's answers: photo, fer2013 or ferplus.  [default: fer2013 for a CSV, else photo]",
            autocompletion=one_of("photo", "fer2013", "ferplus"),
        ),
    ] = None,
    corruptions: Annotated[
        bool,
        typer.Option(
            "--corruptions",
            help="Make the faces harder to read in nine ways at three strengths, and say what it costs.",
        ),
    ] = False,
    report: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write a report with pictures to this folder.")
    ] = None,
    force: ForceOption = False,
    as_json: OneJsonOption = False,
    *,
    options: AnalyzerOptions,
) -> None:
    """Measure a model on labeled faces.

    Damaged pictures of a folder are named and left out; if they are more than one in a hundred, nothing is measured.
    """
    if report is not None and (find_spec("matplotlib") is None or find_spec("sklearn") is None):
        raise MissingExtraError("the report", "report")
    if report is not None:
        from mien.evaluation.report import report_files

        check_outputs("--report", [report / name for name in report_files(corruptions)], force)
    from mien.analyzer import load
    from mien.classification.base import PHOTO
    from mien.evaluation.evaluate import predict_data, summarize
    from mien.evaluation.metrics import evaluate as measure

    analyzer = load(options)
    predictions = predict_data(
        data, analyzer, usage, through_detector, head, lambda items, total: with_progress(items, total, "reading")
    )
    figures = measure(predictions.labels, predictions.probabilities)
    values = summarize(figures, predictions) | {"precision": analyzer.classifier.precision}
    if predictions.head == PHOTO:
        # Sets of photos have few afraid faces, and this figure does not hang on them.
        values["balanced_accuracy_without_fear"] = figures.balanced_accuracy_without("fear")
    robustness = _harden(predictions, analyzer) if corruptions else None
    if robustness is not None:
        values["corruptions"] = robustness.to_dict()
    if report is not None:
        from mien.evaluation.report import write_report

        title = f"{options.model} on {predictions.usage} of {data.name}"
        write_report(report, title, figures, predictions, values, robustness)
    if as_json:
        print(json.dumps(values, allow_nan=False), flush=True)
    else:
        _print(figures, values)
        if robustness is not None:
            _print_robustness(robustness)
        if report is not None:
            tables.print(f"report: {report / 'report.md'}", soft_wrap=True)


def _harden(predictions: Predictions, analyzer: Analyzer) -> Robustness:
    from mien.evaluation.robustness import measure_robustness

    return measure_robustness(
        predictions, analyzer.classifier, lambda items, total: with_progress(items, total, "corrupting")
    )


def _print(report: Report, values: dict[str, Any]) -> None:
    from rich import box
    from rich.table import Table

    reading = "with the mirror image" if values["mirrored"] else "read once"
    counts = {"faces": report.n, "found": values.get("found"), "damaged and left out": values["damaged"] or None}
    tables.print(
        "   ".join(f"{name} {count}" for name, count in counts.items() if count is not None)
        + f"   usage {values['usage']}   answer {values['head']}, {reading}   {values['precision']}\n"
        f"accuracy {report.accuracy:.4f}   macro-F1 {report.macro_f1:.4f}   "
        f"balanced accuracy {report.balanced_accuracy:.4f}   ECE {report.ece:.4f}"
    )
    if "balanced_accuracy_without_fear" in values:
        tables.print(f"balanced accuracy without fear {values['balanced_accuracy_without_fear']:.4f}")
    figures = Table(box=box.SIMPLE_HEAD, pad_edge=False, title="per emotion", title_justify="left")
    for column in ("emotion", "precision", "recall", "F1", "support"):
        figures.add_column(column, justify="left" if column == "emotion" else "right")
    for name, row in report.per_class.items():
        figures.add_row(name, f"{row.precision:.3f}", f"{row.recall:.3f}", f"{row.f1:.3f}", str(row.support))
    tables.print(figures)
    confusion = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, title="label (down), predicted (across)", title_justify="left"
    )
    confusion.add_column("")
    for name in report.per_class:
        confusion.add_column(name, justify="right")
    for name, counts_of_label in zip(report.per_class, report.confusion, strict=True):
        confusion.add_row(name, *map(str, counts_of_label))
    tables.print(confusion)


def _print_robustness(robustness: Robustness) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left")
    table.title = "points of accuracy lost on harder faces"
    for column in ("corruption", "weak", "middle", "strong"):
        table.add_column(column, justify="left" if column == "corruption" else "right")
    for row in robustness.corruptions:
        cells = [f"{text}  {100 * drop:5.1f}" for text, drop in zip(row.strengths, row.drops, strict=True)]
        table.add_row(row.name, *cells)
    tables.print(table)
    tables.print(f"mean drop at the middle strength {100 * robustness.mean_drop:.1f} points")
