from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from mien.training.shipped import find_recipe

DOCS = Path(__file__).parents[2] / "docs"
pytestmark = pytest.mark.slow


def open_notebook(name: str) -> Any:
    pytest.importorskip("ipykernel")
    nbformat = pytest.importorskip("nbformat")
    return nbformat.read(DOCS / f"notebooks/{name}.ipynb", as_version=4)


def execute(notebook: Any) -> str:
    """Run a notebook where it lies; what it printed and showed as text."""
    nbclient = pytest.importorskip("nbclient")
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(DOCS / "notebooks")}}).execute()
    return "\n".join(
        output.get("text", "") or output.get("data", {}).get("text/plain", "")
        for cell in notebook.cells
        for output in cell.get("outputs", ())
    )


def test_the_tutorial_runs_on_small_data(drawn_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("lightning")
    # Batches of 64 need more faces than the drawn ones are.
    recipe = yaml.safe_load(find_recipe("cnn2-lite").read_text(encoding="utf-8"))
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump({**recipe, "batch_size": 16}))
    monkeypatch.setenv("MIEN_TUTORIAL_DATA", str(drawn_csv))
    monkeypatch.setenv("MIEN_TUTORIAL_RECIPE", str(tmp_path / "recipe.yaml"))
    notebook = open_notebook("training")
    assert not any(cell.get("outputs") for cell in notebook.cells), "no faces of the data set in the repository"
    printed = execute(notebook)
    assert "98 faces" in printed
    assert "accuracy" in printed
    assert "mien's: happy" in printed, printed


@pytest.mark.parametrize(
    ("name", "needs", "said"),
    [
        ("photos", ("pandas", "matplotlib"), ["13 pictures,", "left out: /broken.jpg", "Figure"]),
        ("video", ("pandas", "matplotlib", "av"), ["180 rows, 180 frames, 1 person", "Figure"]),
    ],
)
def test_the_notebooks_run_and_show_what_they_are_saved_with(
    name: str, needs: tuple[str, ...], said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Figures belong into the notebook, whatever backend other tests have chosen.
    monkeypatch.delenv("MPLBACKEND", raising=False)
    for module in needs:
        pytest.importorskip(module)
    notebook = open_notebook(name)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert sum(bool(cell.outputs) for cell in code) >= 4, "saved with its outputs"
    kinds = [[output.output_type for output in cell.outputs] for cell in code]
    assert not any("error" in kind for kind in kinds)
    printed = execute(notebook)
    for words in said:
        assert words in printed
    assert [[output.output_type for output in cell.outputs] for cell in code] == kinds
