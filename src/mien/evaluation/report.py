"""A folder that shows how a model does: Markdown, JSON and pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.emotions import LABELS, Emotion
from mien.evaluation.charts import save_figure
from mien.evaluation.evaluate import Predictions
from mien.evaluation.metrics import ECE_BINS, Report, calibration_bins
from mien.evaluation.robustness import LEVELS, Robustness
from mien.files import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHEET_ROWS, SHEET_COLUMNS = 6, 8

_FIGURES = ("confusion", "classes", "precision-recall", "reliability", "mistakes")


def report_files(corruptions: bool) -> list[str]:
    """The files that `write_report` writes.

    Args:
        corruptions: Whether it shows what corruptions of the faces cost.
    """
    figures = (*_FIGURES, "corruptions") if corruptions else _FIGURES
    return ["report.md", "report.json", *(f"{name}.png" for name in figures)]


def write_report(
    folder: Path,
    title: str,
    report: Report,
    predictions: Predictions,
    values: dict[str, Any],
    robustness: Robustness | None = None,
) -> None:
    """Write ``report.md``, ``report.json`` and the pictures that it shows.

    Args:
        folder: Where to; made if it is not there.
        title: Heading of the report.
        report: The figures.
        predictions: What they were computed from.
        values: What ``report.json`` holds in addition to the title.
        robustness: What corruptions of the faces cost, if that was measured.

    Raises:
        OSError: If a file cannot be written.
    """
    found = ~np.isnan(predictions.probabilities).any(axis=1)
    labels, probabilities = predictions.labels[found], predictions.probabilities[found]
    drawn = (
        draw_confusion(report),
        draw_classes(report),
        draw_precision_recall(labels, probabilities),
        draw_reliability(labels, probabilities, report.ece),
        draw_mistakes(predictions),
    )
    figures = dict(zip(_FIGURES, drawn, strict=True))
    if robustness is not None:
        figures["corruptions"] = draw_robustness(robustness)
    for name, figure in figures.items():
        save_figure(figure, folder / f"{name}.png")
    write_whole(folder / "report.json", json.dumps({"title": title, **values}, indent=2) + "\n")
    write_whole(folder / "report.md", _markdown(title, report, values, robustness))


def draw_confusion(report: Report) -> Figure:
    """Confusion matrices side by side: counts, and shares of each label."""
    from matplotlib.figure import Figure
    from sklearn.metrics import ConfusionMatrixDisplay

    counts = np.array(report.confusion)
    support = np.array([row.support for row in report.per_class.values()])
    shares = counts / np.maximum(support, 1)[:, None]
    figure = Figure(figsize=(12, 5.4), layout="constrained")
    for panel, values, form, name in zip(
        figure.subplots(1, 2), (counts, shares), ("d", ".2f"), ("faces", "share of the label"), strict=True
    ):
        ConfusionMatrixDisplay(values, display_labels=LABELS).plot(
            cmap="Blues", values_format=form, xticks_rotation=40, colorbar=False, ax=panel
        )
        panel.set(title=name, xlabel="predicted", ylabel="label")
    return figure


def draw_classes(report: Report) -> Figure:
    """Precision, recall and F1 of each emotion."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.8), layout="constrained")
    panel = figure.subplots()
    places = np.arange(len(LABELS))
    for offset, name, color in ((-0.27, "precision", "#0072b2"), (0, "recall", "#e69f00"), (0.27, "f1", "#009e73")):
        values = [getattr(row, name) for row in report.per_class.values()]
        bars = panel.bar(places + offset, values, 0.26, label="F1" if name == "f1" else name, color=color)
        panel.bar_label(bars, fmt="%.2f", fontsize=7)
    panel.set_xticks(places, [f"{name}\n({row.support})" for name, row in report.per_class.items()])
    panel.set(ylim=(0, 1.05))
    panel.legend(ncols=3, frameon=False, loc="upper center", bbox_to_anchor=(0.5, 1.14))
    panel.spines[["top", "right"]].set_visible(False)
    return figure


def draw_precision_recall(labels: NDArray[np.int64], probabilities: NDArray[np.float32]) -> Figure:
    """Precision over recall for each emotion against all others, with the average precision."""
    from matplotlib.figure import Figure
    from sklearn.metrics import average_precision_score, precision_recall_curve

    figure = Figure(figsize=(7.6, 5), layout="constrained")
    panel = figure.subplots()
    for number, emotion in enumerate(Emotion):
        positive, scores = labels == number, probabilities[:, number]
        if not positive.any():
            continue
        precision, recall, _ = precision_recall_curve(positive, scores)
        name = f"{emotion}  {average_precision_score(positive, scores):.2f}"
        color = tuple(channel / 255 for channel in emotion.color)
        panel.plot(recall, precision, color=color, linewidth=1.8, drawstyle="steps-post", label=name)
    panel.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02), title="one emotion against the others")
    panel.legend(title="average precision", frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    panel.grid(alpha=0.3)
    return figure


def draw_reliability(labels: NDArray[np.int64], probabilities: NDArray[np.float32], ece: float) -> Figure:
    """Accuracy over confidence, and how often each confidence occurs."""
    from matplotlib.figure import Figure

    counts, accuracy, _ = calibration_bins(labels, probabilities)
    middles = (np.arange(ECE_BINS) + 0.5) / ECE_BINS
    figure = Figure(figsize=(5.4, 5.6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.bar(middles[counts > 0], accuracy[counts > 0], 0.9 / ECE_BINS, color="#0072b2", label="accuracy")
    upper.plot([0, 1], [0, 1], color="#888888", linestyle="--", linewidth=1, label="confidence")
    upper.set(ylim=(0, 1), ylabel="accuracy", title=f"expected calibration error {ece:.3f}")
    upper.legend(frameon=False)
    lower.bar(middles, counts, 0.9 / ECE_BINS, color="#b0bec5")
    lower.set(xlim=(0, 1), xlabel="confidence", ylabel="faces")
    return figure


def draw_mistakes(predictions: Predictions) -> Figure:
    """A contact sheet of the mistakes that the model was most confident of."""
    from matplotlib.figure import Figure

    confidence = np.nan_to_num(predictions.probabilities, nan=0.0).max(axis=1)
    given = np.nan_to_num(predictions.probabilities, nan=-1.0).argmax(axis=1)
    order = np.argsort(-confidence, kind="stable")
    wrong = [k for k in order.tolist() if predictions.crops[k] is not None and given[k] != predictions.labels[k]]
    rows = min(SHEET_ROWS, max(1, -(-len(wrong) // SHEET_COLUMNS)))
    figure = Figure(figsize=(1.5 * SHEET_COLUMNS, 1.9 * rows), layout="constrained")
    panels = figure.subplots(rows, SHEET_COLUMNS).ravel()
    for panel in panels:
        panel.axis("off")
    for panel, k in zip(panels, wrong, strict=False):
        crop = predictions.crops[k]
        assert crop is not None, "faces that were not found were left out"
        panel.imshow(cv2.resize(crop, (96, 96), interpolation=cv2.INTER_CUBIC), cmap="gray", vmin=0, vmax=255)
        name = Path(predictions.names[k]).name
        panel.set_title(
            f"{LABELS[given[k]]} {confidence[k]:.0%}\nlabel {LABELS[predictions.labels[k]]}\n{name[-22:]}", fontsize=7
        )
    return figure


def draw_robustness(robustness: Robustness) -> Figure:
    """Points of accuracy that each corruption costs at each strength."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.4, 5.4), layout="constrained")
    panel = figure.subplots()
    rows = robustness.corruptions[::-1]
    places = np.arange(len(rows))
    for level, (name, color) in enumerate(zip(LEVELS, ("#9ecae1", "#4292c6", "#084594"), strict=True)):
        drops = [100 * row.drops[level] for row in rows]
        bars = panel.barh(places + 0.27 * (1 - level), drops, 0.25, color=color, label=name)
        labels = [f"{drop:.1f}  ({row.strengths[level]})" for drop, row in zip(drops, rows, strict=True)]
        panel.bar_label(
            bars, labels, fontsize=7, padding=3, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6}
        )
    mean = 100 * robustness.mean_drop
    panel.axvline(mean, color="#d55e00", linestyle="--", linewidth=1, label=f"mean of the middle strength, {mean:.1f}")
    panel.set_yticks(places, [row.name for row in rows])
    # Room for the texts behind the bars.
    panel.set_xlim(right=1.35 * max(1, *(100 * max(row.drops) for row in rows)))
    panel.set(xlabel="points of accuracy lost", title=f"accuracy as the faces are: {robustness.accuracy:.3f}")
    panel.legend(frameon=False, loc="lower right")
    panel.spines[["top", "right"]].set_visible(False)
    return figure


def robustness_table(robustness: Robustness) -> str:
    """What corruptions cost, as a Markdown table."""
    lines = ["| corruption | weak | lost | middle | lost | strong | lost |", "|---|---|---:|---|---:|---|---:|"]
    for row in robustness.corruptions:
        cells = [f"{text} | {100 * drop:.1f}" for text, drop in zip(row.strengths, row.drops, strict=True)]
        lines.append(f"| {row.name} | {' | '.join(cells)} |")
    return "\n".join(
        [*lines, "", f"Mean drop at the middle strength: {100 * robustness.mean_drop:.1f} points of accuracy."]
    )


def _markdown(title: str, report: Report, values: dict[str, Any], robustness: Robustness | None) -> str:
    # Found are counted only where faces had to be found.
    counts = {"faces": report.n, "found": values.get("found"), "damaged": values.get("damaged") or None}
    counts = {name: count for name, count in counts.items() if count is not None}
    lines = [
        f"# {title}",
        "",
        f"| {' | '.join(counts)} | accuracy | macro-F1 | balanced accuracy | ECE |",
        "|---:" * (len(counts) + 4) + "|",
        f"| {' | '.join(map(str, counts.values()))} | {report.accuracy:.4f} | {report.macro_f1:.4f} "
        f"| {report.balanced_accuracy:.4f} | {report.ece:.4f} |",
        "",
        "| emotion | precision | recall | F1 | support |",
        "|---|---:|---:|---:|---:|",
        *(
            f"| {name} | {row.precision:.3f} | {row.recall:.3f} | {row.f1:.3f} | {row.support} |"
            for name, row in report.per_class.items()
        ),
        "",
        "Figures as JSON: [report.json](report.json).",
    ]
    pictures = {
        "confusion": "Confusion, as counts and as shares of the label",
        "classes": "Precision, recall and F1",
        "precision-recall": "Precision over recall",
        "reliability": "Reliability: how far confidence can be taken at its word",
        "mistakes": "The most confident mistakes: answer, confidence and label",
    }
    if robustness is not None:
        lines += ["", "## Harder faces", "", robustness_table(robustness)]
        pictures = {"corruptions": "What each corruption costs"} | pictures
    for name, heading in pictures.items():
        lines += ["", f"## {heading}", "", f"![{heading}]({name}.png)"]
    return "\n".join(lines) + "\n"
