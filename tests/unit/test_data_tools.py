from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mien.cli.main import app
from mien.errors import DataError, OptionError
from mien.evaluation.datasets import FaceSet, load_faces
from mien.training.class_folders import face_paths, write_faces
from mien.training.inventory import class_complaints, draw_inventory, take_inventory

pytest.importorskip("torch")
from mien.evaluation.charts import save_figure
from mien.training.balance import balanced_copies, class_weights


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_inventory_finds_duplicates_and_conflicts() -> None:
    one, two, three = (np.full((48, 48), k, np.uint8) for k in (1, 2, 3))
    faces = FaceSet(
        np.stack([one, two, one, three, two]),
        np.array([0, 3, 0, 4, 5]),
        np.array(["Training", "Training", "PublicTest", "Training", "Training"]),
        no_face=np.array([False, True, False, True, False]),
    )
    inventory = take_inventory(faces)
    assert inventory.duplicates == 2
    assert inventory.conflicts == [[1, 4]]
    assert inventory.leaks == [[0, 2]]
    assert inventory.no_face == {"Training": 2, "PublicTest": 0}
    assert inventory.counts["Training"] == {
        "angry": 1, "disgust": 0, "fear": 0, "happy": 1, "sad": 1, "surprise": 1, "neutral": 0,
    }  # fmt: skip
    complaints = class_complaints(faces.of_usage("Training"))
    assert "no face to learn 'disgust'" in complaints[1]
    assert "only one face to learn 'angry'" in complaints[0]


def test_export_gives_identical_pixels_back(drawn: FaceSet, drawn_csv: Path, tmp_path: Path) -> None:
    out = tmp_path / "faces"
    assert "98 of them written now" in run("data", "export", drawn_csv, out)
    back = load_faces(out)

    def rows(faces: FaceSet) -> list[tuple[str, int, str]]:
        return sorted(zip(faces.digests().tolist(), faces.labels.tolist(), faces.usage.tolist(), strict=True))

    assert rows(back) == rows(drawn)
    (out / face_paths(drawn)[7]).unlink()
    assert "1 of them written now" in run("data", "export", drawn_csv, out)


def test_export_refuses_a_folder_with_other_pictures(drawn: FaceSet, tmp_path: Path) -> None:
    paths = face_paths(drawn)
    write_faces(tmp_path, drawn.pixels, paths)
    with pytest.raises(DataError, match="holds another picture"):
        write_faces(tmp_path, drawn.pixels[::-1], paths)


def test_balance_fills_only_the_rarer_classes(drawn: FaceSet, drawn_csv: Path, tmp_path: Path) -> None:
    run("data", "balance", drawn_csv, tmp_path / "a", "--seed", "3")
    run("data", "balance", drawn_csv, tmp_path / "b", "--seed", "3")
    a, b = load_faces(tmp_path / "a"), load_faces(tmp_path / "b")
    assert a.digest() == b.digest(), "the same seed must give the same faces"
    assert np.bincount(a.of_usage("Training").labels).tolist() == [16] * 7
    assert np.bincount(a.of_usage("PublicTest").labels).tolist() == [4] * 7
    assert set(drawn.digests()) <= set(a.digests()), "the originals must stay as they are"
    assert not list((tmp_path / "a/train/happy").glob("*copy*")), "the largest class needs no copies"
    assert len(list((tmp_path / "a/train/disgust").glob("*copy*"))) == 12


def test_copies_spread_evenly_and_depend_on_the_seed(drawn: FaceSet) -> None:
    training = drawn.of_usage("Training")
    copies, positions = balanced_copies(training, seed=1)
    assert (training.labels[positions] == copies.labels).all()
    times = np.bincount(positions[copies.labels == 1])
    assert set(times[times > 0]) == {3}, "four faces that lack twelve are copied three times each"
    assert not set(copies.digests()) & set(training.digests())
    assert balanced_copies(training, seed=2)[0].digest() != copies.digest()


def test_class_weights_are_scikit_learns() -> None:
    weights = class_weights(np.array([0] * 6 + [3] * 2))
    assert weights.tolist() == pytest.approx([8 / (2 * 6), 0, 0, 8 / (2 * 2), 0, 0, 0])


def test_info_as_json_and_picture(drawn_csv: Path, tmp_path: Path) -> None:
    picture = tmp_path / "bars.png"
    found = json.loads(run("data", "info", drawn_csv, "--json", "--picture", picture))
    assert found["counts"]["Training"]["happy"] == 16
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "PublicTest" in run("data", "info", drawn_csv)


def test_chart_of_unknown_format(drawn: FaceSet, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="unknown chart format"):
        save_figure(draw_inventory(take_inventory(drawn)), tmp_path / "bars.jpeg2")


def test_data_that_are_not_there_are_wrong_usage(drawn_csv: Path, tmp_path: Path) -> None:
    from mien.cli.data import load_data

    for paths in ((tmp_path / "absent.csv",), (drawn_csv, tmp_path / "votes.csv")):
        with pytest.raises(OptionError, match="no such file or folder"):
            load_data(*paths)
