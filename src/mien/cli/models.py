"""``mien models``."""

from __future__ import annotations

from mien.cli.output import tables

# What the model cards measure, by the names that config.json has for them.
_FIGURES = {
    "publictest_accuracy": "accuracy on FER-2013's crops (PublicTest)",
    "publictest_macro_f1": "macro-F1 on them",
    "publictest_ece": "expected calibration error on them",
    "publictest_through_detector_accuracy": "accuracy when their faces are detected first",
    "publictest_corruptions_mean_drop": "accuracy lost on faces made harder to read",
    "wild_faces_found": "faces found in web photos",
    "wild_balanced_accuracy": "balanced accuracy on web photos",
    "wild_balanced_accuracy_without_fear": "the same without fear, which is rare in them",
}


def _say(name: str, value: float) -> str:
    if name == "publictest_ece":
        return f"{value:.4f}  {_FIGURES[name]}"
    return f"{100 * value:.2f}%  {_FIGURES.get(name, name.replace('_', ' '))}"


def models() -> None:
    """List the models that come with mien, with their figures."""
    from rich import box
    from rich.table import Table

    from mien.classification.model_config import find_model, load_config, shipped_models
    from mien.options import AnalyzerOptions

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("model")
    table.add_column("size", justify="right")
    table.add_column("figures (the model card names the commands)", no_wrap=True)
    for name in shipped_models():
        folder = find_model(name)
        config = load_config(folder)
        size = (folder / "model.onnx").stat().st_size / 1e6
        shown = f"{name}\n(default)" if name == AnalyzerOptions().model else name
        table.add_row(shown, f"{size:.1f} MB", "\n".join(_say(*figure) for figure in config.figures.items()))
    tables.print(table)
    for name in shipped_models():
        tables.print(f"{name}: {find_model(name) / 'README.md'}", soft_wrap=True)
