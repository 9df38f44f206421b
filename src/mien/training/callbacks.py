"""What happens around the epochs: the table of figures, the learning curves, lines on the log."""

from __future__ import annotations

import csv
import io
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING

import lightning.pytorch as pl
from lightning.pytorch import callbacks
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.callbacks.early_stopping import EarlyStoppingReason

from mien.files import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

logger = logging.getLogger(__name__)

_FIGURES = ("loss", "val_loss", "val_accuracy", "val_macro_f1")
_COLUMNS = ("epoch", "lr", *_FIGURES, "seconds")


class History(Callback):
    """One row of ``metrics.csv`` per epoch, kept over a resume (Lightning's own logger starts afresh).

    Args:
        folder: Run folder.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "metrics.csv"
        self._curves = folder / "curves.png"
        self._rows: list[dict[str, str]] = []
        self._started = 0.0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not trainer.is_global_zero or not trainer.current_epoch or not self._path.is_file():
            return
        # An epoch that was written but not saved before the run was killed is trained, and written, again.
        try:
            self._rows = [row for row in read_history(self._path) if int(row["epoch"]) <= trainer.current_epoch]
        except (ValueError, KeyError, TypeError, csv.Error):
            logger.warning("%s: is damaged, and begins again with this epoch", self._path)

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._started = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        figures = {name: f"{float(trainer.callback_metrics[name]):.6f}" for name in _FIGURES}
        self._rows.append(
            {
                "epoch": str(trainer.current_epoch + 1),
                "lr": f"{trainer.optimizers[0].param_groups[0]['lr']:.6g}",
                **figures,
                "seconds": f"{time.monotonic() - self._started:.1f}",
            }
        )
        content = io.StringIO()
        writer = csv.DictWriter(content, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._rows)
        write_whole(self._path, content.getvalue())

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.is_global_zero and self._rows:
            from mien.evaluation.charts import save_figure

            save_figure(draw_curves(self._rows), self._curves)


class EpochLines(Callback):
    """One line per epoch on the log, for runs without a terminal."""

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.is_global_zero:
            text = "  ".join(f"{name} {float(trainer.callback_metrics[name]):.4f}" for name in _FIGURES)
            logger.info("epoch %d/%s  %s", trainer.current_epoch + 1, trainer.max_epochs, text)


class EarlyStopping(callbacks.EarlyStopping):
    """Ends a resumed run that had stopped early at once; Lightning's own trains it on.

    A checkpoint holds a callback's state under the name of its class, hence the same name.
    """

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self.stopping_reason != EarlyStoppingReason.NOT_STOPPED:
            trainer.should_stop = True


def read_history(path: Path) -> list[dict[str, str]]:
    """The rows of a run's ``metrics.csv``."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def draw_curves(rows: list[dict[str, str]]) -> Figure:
    """Learning curves: losses on the left, accuracy and macro-F1 with the best epoch on the right."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    epochs = [int(row["epoch"]) for row in rows]
    column = {name: [float(row[name]) for row in rows] for name in _FIGURES}
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    losses, shares = figure.subplots(1, 2)
    losses.plot(epochs, column["loss"], ".-", label="training (augmented)")
    losses.plot(epochs, column["val_loss"], ".-", label="validation")
    losses.set_title("loss")
    shares.plot(epochs, column["val_accuracy"], ".-", label="accuracy")
    shares.plot(epochs, column["val_macro_f1"], ".-", label="macro-F1")
    best = max(range(len(rows)), key=lambda k: column["val_accuracy"][k])
    shares.axvline(epochs[best], color="#888888", linewidth=0.8, linestyle=":")
    shares.set_title(f"validation: best accuracy {column['val_accuracy'][best]:.3f} in epoch {epochs[best]}")
    for panel in (losses, shares):
        panel.set_xlabel("epoch")
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        panel.grid(alpha=0.3)
        panel.legend(frameon=False)
        panel.spines[["top", "right"]].set_visible(False)
    return figure
