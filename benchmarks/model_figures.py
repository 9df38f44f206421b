"""Measure a model folder and write the figures into its ``config.json`` and its card, ``README.md``.

    python benchmarks/model_figures.py MODEL_FOLDER fer2013.csv ferplus_votes.csv PHOTOS

PHOTOS is a folder with ``labels.csv``. In the card everything between the two marks is replaced; a folder without a
card gets one to be completed by hand. The reliability diagrams are drawn into the folder. Figures are those of the
precision that this machine chooses, which the card names; both precisions stand side by side in the first table.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from scipy import stats

from mien.analyzer import Analyzer, load
from mien.classification.base import PHOTO
from mien.classification.classifier import EmotionClassifier, dissent
from mien.classification.model_config import INT8_FILE, load_config, save_config
from mien.evaluation.charts import save_figure
from mien.evaluation.datasets import read_fer2013, read_votes
from mien.evaluation.evaluate import FER2013_HEAD, Predictions, predict_crops, predict_data
from mien.evaluation.metrics import Report, evaluate
from mien.evaluation.report import draw_reliability, robustness_table
from mien.evaluation.robustness import Robustness, measure_robustness
from mien.files import write_whole
from mien.options import AnalyzerOptions

BEGIN = "<!-- figures: written by benchmarks/model_figures.py -->"
END = "<!-- end of figures -->"
Set = tuple[str, str, Predictions]
"""Name of a set, what its labels are, and the answers on it."""


def main(
    folder: Path,
    data: Annotated[Path, typer.Argument(help="fer2013.csv, plain or .xz.")],
    votes: Annotated[Path, typer.Argument(help="FER+ votes.")],
    photos: Annotated[Path, typer.Argument(help="Folder with labels.csv.")],
    threads: Annotated[int, typer.Option(help="Threads for the networks; 0 takes all cores.")] = 0,
) -> None:
    """Measure, and write card, figures and diagrams."""
    analyzer = load(AnalyzerOptions(str(folder), threads=threads))
    classifier = analyzer.classifier
    given = predict_data(data, analyzer, head=natural_head(classifier))
    through = predict_data(data, analyzer, through_detector=True, head=given.head)
    wild = predict_data(photos, analyzer, through_detector=True)
    voted, shares = by_votes(data, votes, given)
    sets: list[Set] = [
        ("PublicTest", "FER-2013", given),
        ("PublicTest", "FER+ majority", voted),
        ("PublicTest through the detector", "FER-2013", through),
        ("web photos through the detector", "their own", wild),
    ]
    answers = [(*row[:2], answered(row[2], classifier, head)) for row in sets for head in heads(classifier)]
    robustness = measure_robustness(given, classifier)
    draw(folder, given, wild)
    body = [
        f"Precision {classifier.precision}; PublicTest has {len(given.labels)} faces, {len(voted.labels)} of them with "
        f"FER+ votes; there are {len(wild.labels)} web photos. A face that is not found counts as wrong. "
        "Faces are read as photos are, with the mean of the answers for the face and for its mirror image; "
        "videos go without the latter.",
        both_precisions(folder, given, wild, threads),
        *("Each answer on each set:", answer_table(answers)),
        *(f"Per emotion, head `{given.head}` on PublicTest as given:", emotion_table(report_of(given))),
        *("Per emotion, answer `photo` on the web photos:", emotion_table(report_of(wild))),
        *(doubt_sentence(classifier), doubt_table(answers, classifier)),
        "Of the web photos, per emotion that is answered, with the answer `photo`:",
        certain_table(wild, classifier),
        *ambiguity_figures(voted, shares, analyzer),
        *(f"Harder faces, head `{given.head}` on PublicTest, points of accuracy lost:", robustness_table(robustness)),
        "![Reliability on PublicTest](reliability.png) ![Reliability on web photos](reliability-photos.png)",
    ]
    write_card(folder, "\n\n".join(body))
    write_figures(folder, report_of(given), report_of(through), report_of(wild), robustness)
    print("\n\n".join(body))


def natural_head(classifier: EmotionClassifier) -> str:
    """The answer that FER-2013's labels ask for."""
    return FER2013_HEAD if FER2013_HEAD in classifier.config.heads else PHOTO


def heads(classifier: EmotionClassifier) -> list[str]:
    """The answers a model can give."""
    return [PHOTO, *classifier.config.heads]


def report_of(answers: Predictions) -> Report:
    """Figures of answers."""
    return evaluate(answers.labels, answers.probabilities)


def answered(answers: Predictions, classifier: EmotionClassifier, head: str) -> Predictions:
    """The same faces with another of the model's answers."""
    return replace(answers, head=head, probabilities=predict_crops(answers.crops, classifier, head, answers.mirrored))


def by_votes(data: Path, votes: Path, given: Predictions) -> tuple[Predictions, NDArray[np.float32]]:
    """The PublicTest faces that have FER+ votes for an emotion, labeled by the majority, and the votes' shares."""
    faces = read_votes(votes, read_fer2013(data)).of_usage("PublicTest")
    assert faces.votes is not None
    known = np.flatnonzero(faces.votes.sum(axis=1) > 0)
    voted = replace(
        given,
        names=[given.names[k] for k in known],
        crops=[given.crops[k] for k in known],
        labels=faces.votes[known].argmax(axis=1).astype(np.int64),
        probabilities=given.probabilities[known],
    )
    return voted, faces.votes[known]


def both_precisions(folder: Path, given: Predictions, wild: Predictions, threads: int) -> str:
    """Accuracy, size and speed of the network in 32 and in 8 bits."""
    kinds = ["fp32", "int8"] if (folder / INT8_FILE).is_file() else ["fp32"]
    models = {kind: EmotionClassifier(str(folder), "cpu", threads, kind) for kind in kinds}
    times = side_by_side({kind: EmotionClassifier(str(folder), "cpu", 1, kind) for kind in kinds})
    rows = []
    for kind, model in models.items():
        once = report_of(answered(replace(given, mirrored=False), model, given.head))
        reports = [report_of(answered(answers, model, answers.head)) for answers in (given, wild)]
        file = folder / (INT8_FILE if kind == "int8" else "model.onnx")
        rows.append(
            f"| {kind} | {file.stat().st_size / 1e6:.1f} MB | {times[kind]:.2f} | {once.accuracy:.4f} "
            f"| {reports[0].accuracy:.4f} | {reports[0].ece:.4f} | {reports[1].balanced_accuracy:.4f} |"
        )
    head = (
        f"| precision | file | ms a face, one thread, batch 1 | PublicTest accuracy (`{given.head}`), read once "
        "| with the mirror image | ECE | web photos, balanced accuracy (`photo`) |\n|---|---:|---:|---:|---:|---:|---:|"
    )
    return "\n".join([head, *rows])


def side_by_side(models: dict[str, EmotionClassifier], rounds: int = 200) -> dict[str, float]:
    """Best time of each model for one face in milliseconds, taking turns."""
    side = next(iter(models.values())).input_size
    face = np.random.default_rng(0).integers(0, 256, (1, side, side), np.uint8)
    best = dict.fromkeys(models, float("inf"))
    for _ in range(rounds):
        for name, model in models.items():
            start = time.perf_counter()
            model.predict_logits(face)
            best[name] = min(best[name], 1e3 * (time.perf_counter() - start))
    return best


def answer_table(sets: Sequence[Set]) -> str:
    """Figures of every answer on every set."""
    lines = [
        "| set | labels | answer | faces found | accuracy | macro-F1 | balanced accuracy | without fear | ECE |",
        "|---|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, labels, answers in sets:
        report = report_of(answers)
        found = f"{report.found / report.n:.1%}" if answers.searched else "given"
        lines.append(
            f"| {name} | {labels} | `{answers.head}` | {found} | {report.accuracy:.4f} | {report.macro_f1:.4f} "
            f"| {report.balanced_accuracy:.4f} | {without_fear(report):.4f} | {report.ece:.4f} |"
        )
    return "\n".join(lines)


def emotion_table(report: Report) -> str:
    """Figures per emotion."""
    rows = [
        f"| {name} | {row.precision:.3f} | {row.recall:.3f} | {row.f1:.3f} | {row.support} |"
        for name, row in report.per_class.items()
    ]
    return "\n".join(["| emotion | precision | recall | F1 | support |", "|---|---:|---:|---:|---:|", *rows])


def doubt_sentence(classifier: EmotionClassifier) -> str:
    """What the next table is about."""
    return f"Not called uncertain are answers with a confidence of {classifier.config.uncertain_below} or more:"


def doubt_table(sets: Sequence[Set], classifier: EmotionClassifier) -> str:
    """How many answers are certain, and how often these are right."""
    lines = ["| set | labels | answer | certain | of these right |", "|---|---|---|---:|---:|"]
    for name, labels, answers in sets:
        probabilities = np.nan_to_num(answers.probabilities, nan=0.0)
        kept = probabilities.max(axis=1) >= classifier.config.uncertain_below
        right = (probabilities.argmax(axis=1) == answers.labels)[kept]
        share = f"{right.mean():.1%}" if kept.any() else "-"
        lines.append(f"| {name} | {labels} | `{answers.head}` | {kept.mean():.1%} | {share} |")
    return "\n".join(lines)


def certain_table(answers: Predictions, classifier: EmotionClassifier) -> str:
    """Per answered emotion, how many answers are certain, and how often these are right."""
    lines = ["| emotion | answered | certain | of these right |", "|---|---:|---:|---:|"]
    probabilities = np.nan_to_num(answers.probabilities, nan=0.0)
    confidence, said = probabilities.max(axis=1), probabilities.argmax(axis=1)
    for number, name in enumerate(classifier.config.labels):
        mine = (said == number) & (confidence > 0)
        kept = mine & (confidence >= classifier.config.uncertain_below)
        right = f"{(answers.labels[kept] == number).mean():.1%}" if kept.any() else "-"
        share = f"{kept.sum() / mine.sum():.1%}" if mine.any() else "-"
        lines.append(f"| {name} | {mine.sum()} | {share} | {right} |")
    return "\n".join(lines)


def ambiguity_figures(voted: Predictions, shares: NDArray[np.float32], analyzer: Analyzer) -> list[str]:
    """How the ambiguity of faces compares with how far their FER+ voters disagreed; nothing if there is none."""
    crops = [face for face in voted.crops if face is not None]
    answers = analyzer.classify_crops(crops)
    said = np.array([answer.ambiguity for answer in answers if answer.ambiguity is not None])
    if len(said) != len(shares):
        return []
    disagreed = dissent(shares)
    lines = ["| ambiguity | faces | voters who disagreed, expected | counted |", "|---|---:|---:|---:|"]
    edges = [*np.arange(0, 0.6, 0.1), 1]
    for low, high in pairwise(edges):
        inside = (said >= low) & (said < high)
        if inside.any():
            name = f"{low:.1f} to {high:.1f}" if high < 1 else f"{low:.1f} or more"
            lines.append(f"| {name} | {inside.sum()} | {said[inside].mean():.3f} | {disagreed[inside].mean():.3f} |")
    entropy = stats.entropy(shares, axis=1) / np.log(shares.shape[1])
    error, guess = (float(np.abs(values - disagreed).mean()) for values in (said, np.median(disagreed)))
    summary = (
        f"Over all {len(said)} faces: rank correlation (Spearman) with the share of voters who disagreed with the "
        f"majority {stats.spearmanr(said, disagreed).statistic:.3f}, with the entropy of the votes "
        f"{stats.spearmanr(said, entropy).statistic:.3f}; mean absolute error {error:.3f} "
        f"({guess:.3f} if every face got the median), bias {said.mean() - disagreed.mean():+.3f}."
    )
    return ["Ambiguity, against the FER+ votes on PublicTest:", "\n".join(lines), summary]


def draw(folder: Path, given: Predictions, wild: Predictions) -> None:
    """Draw the reliability diagrams."""
    for name, title, answers in (("reliability", "PublicTest", given), ("reliability-photos", "web photos", wild)):
        found = ~np.isnan(answers.probabilities).any(axis=1)
        figure = draw_reliability(answers.labels[found], answers.probabilities[found], report_of(answers).ece)
        figure.suptitle(f"{title}, answer {answers.head}")
        save_figure(figure, folder / f"{name}.png")


def write_card(folder: Path, body: str) -> None:
    """Replace what stands between the marks of the card."""
    path = folder / "README.md"
    card = path.read_text(encoding="utf-8") if path.is_file() else f"# Model card: {folder.name}\n\n{BEGIN}\n{END}\n"
    if card.count(BEGIN) != 1 or card.count(END) != 1:
        raise typer.BadParameter(f"{path}: expected the marks {BEGIN} and {END} once each")
    before, rest = card.split(BEGIN)
    write_whole(path, f"{before}{BEGIN}\n\n{body}\n\n{END}{rest.split(END)[1]}")


def write_figures(folder: Path, given: Report, through: Report, wild: Report, robustness: Robustness) -> None:
    """Write the figures that `mien models` shows."""
    figures = {
        "publictest_accuracy": given.accuracy,
        "publictest_macro_f1": given.macro_f1,
        "publictest_ece": given.ece,
        "publictest_through_detector_accuracy": through.accuracy,
        "publictest_corruptions_mean_drop": robustness.mean_drop,
        "wild_faces_found": wild.found / wild.n,
        "wild_balanced_accuracy": wild.balanced_accuracy,
        "wild_balanced_accuracy_without_fear": without_fear(wild),
    }
    rounded = {name: round(value, 4) for name, value in figures.items()}
    save_config(replace(load_config(folder), figures=rounded), folder)


def without_fear(report: Report) -> float:
    """Balanced accuracy over the six emotions other than fear, of which the photos have too few."""
    return report.balanced_accuracy_without("fear")


if __name__ == "__main__":
    typer.run(main)
