from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from mien.cli.main import app
from mien.errors import DataError, OptionError
from mien.evaluation.datasets import FaceSet, load_faces
from mien.evaluation.face_set import pixel_digest
from mien.training.class_folders import face_paths, write_faces
from mien.training.inventory import class_complaints, draw_inventory, take_inventory

pytest.importorskip("torch")
from mien.evaluation.charts import save_figure
from mien.training.balance import append, balanced_copies, class_weights
from mien.training.datamodule import split_training


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
    assert np.bincount(a.select(split_training(a)[0]).labels).tolist() == [15] * 7, "one of 16 is for calibration"
    assert np.bincount(a.of_usage("PublicTest").labels).tolist() == [4] * 7
    assert set(drawn.digests()) <= set(a.digests()), "the originals must stay as they are"
    assert not list((tmp_path / "a/train/happy").glob("*copy*")), "the largest class needs no copies"
    assert len(list((tmp_path / "a/train/disgust").glob("*copy*"))) == 12


def test_copies_spread_evenly_and_depend_on_the_seed(drawn: FaceSet) -> None:
    training = drawn.of_usage("Training")
    copies = balanced_copies(training, seed=1)
    assert copies.originals is not None
    labels = dict(zip(training.digests().tolist(), training.labels.tolist(), strict=True))
    assert [labels[original] for original in copies.originals.tolist()] == copies.labels.tolist()
    times = Counter(copies.originals[copies.labels == 1].tolist())
    assert set(times.values()) == {3}, "four faces that lack twelve are copied three times each"
    assert not set(copies.digests()) & set(training.digests())
    assert balanced_copies(training, seed=2).digest() != copies.digest()


def some_faces() -> FaceSet:
    """Noise, of which one Training face repeats a PublicTest one, and some of the rare ones are for calibration."""
    labels = np.array([*np.repeat(range(7), (15, 15, 15, 40, 15, 15, 15)), *range(7)])
    pixels = np.random.default_rng(0).integers(0, 256, (len(labels), 48, 48), np.uint8)
    faces = FaceSet(pixels, labels, np.where(np.arange(len(labels)) < 130, "Training", "PublicTest"))
    faces.pixels[0] = faces.pixels[130]
    assert (faces.select(split_training(faces)[1]).labels != 3).any(), "the tests need copies of faces to calibrate on"
    return faces


def save(faces: FaceSet, folder: Path) -> Path:
    write_faces(folder, faces.pixels, face_paths(faces))
    return folder


def check_copies(folder: Path, faces: FaceSet) -> FaceSet:
    """Copies tell nothing of the faces to calibrate and test on: the faces that training learns from this folder."""
    files = {path: pixel_digest(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)) for path in folder.rglob("*.png")}
    made_from = {digest: files[path.with_stem(path.stem.split("-")[0])] for path, digest in files.items()}
    assert len({original for copy, original in made_from.items() if copy != original}) > 20
    back = load_faces(folder)
    learned, held_out = (back.select(mask) for mask in split_training(back))
    originals = {made_from[digest] for digest in learned.digests()}
    assert not originals & set(held_out.digests())
    assert not originals & set(back.digests()[back.usage != "Training"])
    before = [set(faces.select(mask).digests()) for mask in split_training(faces)]
    assert [originals, set(held_out.digests())] == before, "the originals are dealt out as without copies"
    return learned


@pytest.mark.parametrize("again", ["", "export", "balance"])
def test_balanced_faces_are_learned_without_those_to_calibrate_and_test_on(tmp_path: Path, again: str) -> None:
    faces, out = some_faces(), tmp_path / "balanced"
    run("data", "balance", save(faces, tmp_path / "faces"), out)
    if again:
        run("data", again, out, tmp_path / "again")
        out = tmp_path / "again"
    counts = np.bincount(check_copies(out, faces).labels)
    assert set(counts.tolist()) == {counts[3]}
    assert len(load_faces(out)) == len(faces) + 7 * counts[3] - split_training(faces)[0].sum(), "no copy is in vain"


def test_copies_of_faces_to_calibrate_and_test_on_are_left_out(tmp_path: Path) -> None:
    """Folders of earlier versions have them."""
    whole = append(faces := some_faces(), balanced_copies(faces.of_usage("Training"), seed=0))
    check_copies(save(whole, tmp_path), faces)


def test_copies_stay_together_without_their_original(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for face in range(40):
        for copy in range(1, 6):
            path = tmp_path / f"train/sad/{face:05d}-copy{copy}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), rng.integers(0, 256, (48, 48), np.uint8))
    faces = load_faces(tmp_path)
    learned, held_out = (np.flatnonzero(mask) // 5 for mask in split_training(faces))
    assert len(held_out) > 0
    assert not set(learned.tolist()) & set(held_out.tolist())


def test_balancing_needs_a_face_to_learn_from(tmp_path: Path) -> None:
    held_out = (faces := some_faces()).select(split_training(faces)[1])
    source = save(held_out, tmp_path / "faces")
    result = CliRunner().invoke(app, ["data", "balance", str(source), str(tmp_path / "out")])
    assert isinstance(result.exception, DataError)
    assert "no face to learn from" in str(result.exception)


def refused(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert isinstance(result.exception, OptionError)
    return str(result.exception)


def test_faces_of_another_export_are_removed_when_forced_and_nothing_else(tmp_path: Path) -> None:
    faces, out = some_faces(), tmp_path / "out"
    first, second = (("data", "balance", save(faces, tmp_path / "faces"), out, "--seed", seed) for seed in "01")
    own = [out / name for name in ("train/sad/mine.png", "train/sad/00.png", "train/old/00000.png", "00000.png")]
    run(*first)
    for path in own:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    before = sorted(out.rglob("*"))
    assert "holds faces of another export" in refused(*second)
    assert sorted(out.rglob("*")) == before
    run(*second, "--force")
    run(*second[:3], tmp_path / "alone", *second[4:])
    assert {path.relative_to(out) for path in out.rglob("*.png")} == {
        *(path.relative_to(out) for path in own),
        *(path.relative_to(tmp_path / "alone") for path in (tmp_path / "alone").rglob("*.png")),
    }
    assert {path.read_text() for path in own} == {"mine"}


def test_a_folder_with_more_faces_is_no_export_of_these(tmp_path: Path) -> None:
    out = save(faces := some_faces(), tmp_path / "out")
    save(faces.select(np.arange(99)), source := tmp_path / "source")
    text = refused("data", "export", source, out)
    assert text.startswith(f"OUT {out}: holds faces of another export, {out}/train/")
    assert "add --force to remove them" in text
    assert len(load_faces(out)) == len(faces)
    assert "99 faces, 0 of them" in run("data", "export", source, out, "--force")
    assert load_faces(out).digest() == load_faces(source).digest()


def test_what_is_exported_is_not_removed(tmp_path: Path) -> None:
    save(some_faces(), tmp_path)
    (tmp_path / "train/angry/00000.png").unlink()
    before = load_faces(tmp_path).digest()
    assert "would overwrite an input file" in refused("data", "export", tmp_path, tmp_path, "--force")
    assert load_faces(tmp_path).digest() == before


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
