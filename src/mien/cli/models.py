"""``mien models``."""

from __future__ import annotations

from mien.cli.output import tables


def models() -> None:
    """List the models that come with mien, with their figures."""
    from rich import box
    from rich.table import Table

    from mien.classification.model_config import find_model, load_config, shipped_models

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("model")
    table.add_column("size", justify="right")
    table.add_column("figures (the model card names the commands)", no_wrap=True)
    for name in shipped_models():
        folder = find_model(name)
        config = load_config(folder)
        size = (folder / "model.onnx").stat().st_size / 1e6
        figures = "\n".join(f"{figure}  {value:.4f}" for figure, value in config.figures.items())
        table.add_row(name, f"{size:.1f} MB", figures)
    tables.print(table)
    for name in shipped_models():
        tables.print(f"{name}: {find_model(name) / 'README.md'}", soft_wrap=True)
