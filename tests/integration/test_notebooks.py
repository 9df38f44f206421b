from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from mien.training.shipped import find_recipe

DOCS = Path(__file__).parents[2] / "docs"


def test_the_tutorial_runs_on_small_data(drawn_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    pytest.importorskip("lightning")
    import nbformat

    # Batches of 64 need more faces than the drawn ones are.
    recipe = yaml.safe_load(find_recipe("cnn2-lite").read_text(encoding="utf-8"))
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump({**recipe, "batch_size": 16}))
    monkeypatch.setenv("MIEN_TUTORIAL_DATA", str(drawn_csv))
    monkeypatch.setenv("MIEN_TUTORIAL_RECIPE", str(tmp_path / "recipe.yaml"))
    notebook = nbformat.read(DOCS / "notebooks/training.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    assert not any(cell.get("outputs") for cell in notebook.cells), "no faces of the data set in the repository"
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(DOCS / "notebooks")}}).execute()
    printed = "".join(
        output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", ()) if "text" in output
    )
    assert "98 faces" in printed
    assert "accuracy" in printed
    assert "mien's: happy" in printed, printed
