from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from mien.errors import DataError, OptionError
from mien.evaluation.datasets import FaceSet, assigned_usage, load_faces, read_votes


def write(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)


def test_reads_the_csv(drawn: FaceSet, drawn_csv: Path) -> None:
    faces = load_faces(drawn_csv)
    assert faces.digest() == drawn.digest()


def test_any_spelling_size_and_color(tmp_path: Path) -> None:
    gray = np.arange(48 * 48, dtype=np.uint8).reshape(48, 48)
    write(tmp_path / "train/Happiness/a.png", gray)
    write(tmp_path / "train/surprised/b.png", np.full((200, 100, 3), (10, 200, 90), np.uint8))
    write(tmp_path / "test/anger/c.jpg", np.full((20, 20), 77, np.uint8))
    faces = load_faces(tmp_path)
    assert faces.labels.tolist() == [3, 5, 0]
    assert faces.usage.tolist() == ["Training", "Training", "PublicTest"]
    assert (faces.pixels[0] == gray).all(), "a gray 48x48 picture must come back as it is"
    assert faces.pixels.shape == (3, 48, 48)
    assert abs(int(faces.pixels[2].mean()) - 77) <= 1


def test_three_splits(tmp_path: Path) -> None:
    for k, split in enumerate(("train", "validation", "test")):
        write(tmp_path / split / "sad" / "x.png", np.full((48, 48), 50 * k, np.uint8))
    assert load_faces(tmp_path).usage.tolist() == ["Training", "PublicTest", "PrivateTest"]


def test_faces_without_splits_are_assigned_by_content(tmp_path: Path, drawn: FaceSet) -> None:
    for k, face in enumerate(drawn.pixels):
        write(tmp_path / f"{drawn.labels[k]}" / f"{k}.png", face)
        write(tmp_path / f"{drawn.labels[k]}" / f"{k}-again.png", face)
    faces = load_faces(tmp_path)
    aside = faces.digests()[faces.usage == "PublicTest"]
    assert 4 <= len(aside) <= 40
    assert not set(aside) & set(faces.digests()[faces.usage == "Training"])


def test_faces_for_validation_and_for_calibration_are_chosen_independently() -> None:
    """One in ten is kept for validation and one in twenty for calibration, by different digits of one digest."""
    split_training = pytest.importorskip("mien.training.datamodule").split_training
    pixels = np.random.default_rng(0).integers(0, 256, (2000, 48, 48), np.uint8)
    usage = np.array([assigned_usage(face) for face in pixels])
    assert 0.08 < (usage == "PublicTest").mean() < 0.12
    learn, held_out = split_training(FaceSet(pixels, np.zeros(2000, np.int64), usage))
    assert 0.035 < held_out.sum() / (learn | held_out).sum() < 0.065


def test_labels_csv_with_usage(tmp_path: Path) -> None:
    write(tmp_path / "1.png", np.zeros((48, 48), np.uint8))
    write(tmp_path / "2.png", np.ones((48, 48), np.uint8))
    (tmp_path / "labels.csv").write_text("file,emotion,usage\n1.png,joy,train\n2.png,4,val\n")
    faces = load_faces(tmp_path)
    assert (faces.labels.tolist(), faces.usage.tolist()) == ([3, 4], ["Training", "PublicTest"])
    (tmp_path / "labels.csv").write_text("file,emotion,usage\n1.png,joy,tain\n")
    with pytest.raises(DataError, match=r"labels.csv:2: unknown usage 'tain'"):
        load_faces(tmp_path)


@pytest.mark.parametrize(("total", "works"), [(200, True), (100, True), (99, False)])
def test_damaged_pictures(tmp_path: Path, total: int, works: bool, caplog: pytest.LogCaptureFixture) -> None:
    for k in range(total - 1):
        write(tmp_path / "train/sad" / f"{k}.png", np.full((4, 4), k, np.uint8))
    (tmp_path / "train/sad/broken.png").write_bytes(b"not a picture")
    if works:
        assert len(load_faces(tmp_path)) == total - 1
        assert "broken.png" in caplog.text
        assert f"1 of {total} pictures skipped" in caplog.text
    else:
        with pytest.raises(DataError, match=r"1 of 99 pictures cannot be read.*broken\.png"):
            load_faces(tmp_path)


def test_refusals(tmp_path: Path, drawn_csv: Path) -> None:
    with pytest.raises(DataError, match="no labeled pictures"):
        load_faces(tmp_path)
    with pytest.raises(OptionError, match="votes belong to the rows"):
        load_faces(tmp_path, drawn_csv)
    (tmp_path / "train/hapy").mkdir(parents=True)
    with pytest.raises(DataError, match="did you mean 'happy'"):
        load_faces(tmp_path)
    with pytest.raises(DataError, match="no such file"):
        load_faces(tmp_path / "nothing.csv")


COLUMNS = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"


def test_public_vote_file(tmp_path: Path, drawn: FaceSet) -> None:
    """The public file has rows for PrivateTest too, which our faces lack, and says to which split a row belongs."""
    rows = [f"{usage},x.png,0,6,0,2,0,0,0,2,0,0" for usage in drawn.usage]
    rows.insert(5, "PrivateTest,,0,0,0,0,10,0,0,0,0,0")
    path = tmp_path / "fer2013new.csv"
    path.write_text("\n".join([COLUMNS, *rows]))
    votes = read_votes(path, drawn).votes
    assert votes is not None
    assert np.allclose(votes, [0, 0, 0, 0.75, 0.25, 0, 0])


def test_votes_of_another_order(tmp_path: Path, drawn: FaceSet) -> None:
    rows = [f"{usage},x.png,0,6,0,2,0,0,0,2,0,0" for usage in drawn.usage[::-1]]
    path = tmp_path / "fer2013new.csv"
    path.write_text("\n".join([COLUMNS, *rows]))
    with pytest.raises(DataError, match=r"votes for a \w+ face, but row \d+ is"):
        read_votes(path, drawn)
