from __future__ import annotations

import lzma
import os
from pathlib import Path

import numpy as np
import pytest

from mien.errors import DataError
from mien.evaluation.datasets import FaceSet, list_images, read_fer2013, read_votes

HEADER = "emotion,pixels,Usage\n"
PIXELS = " ".join(str(value % 256) for value in range(2304))


def write_csv(path: Path, rows: list[str], header: str = HEADER) -> Path:
    path.write_text(header + "".join(row + "\n" for row in rows), encoding="utf-8")
    return path


ROWS = [f"0,{PIXELS},Training", f"3,{PIXELS},PublicTest", f"6,{PIXELS},PrivateTest"]


def test_reads_all_three_usages(tmp_path: Path) -> None:
    faces = read_fer2013(write_csv(tmp_path / "fer2013.csv", ROWS))
    assert faces.labels.tolist() == [0, 3, 6]
    assert faces.usage.tolist() == ["Training", "PublicTest", "PrivateTest"]
    np.testing.assert_array_equal(faces.pixels[1].ravel(), np.arange(2304) % 256)


def test_reads_xz_and_one_usage(tmp_path: Path) -> None:
    path = tmp_path / "fer2013.csv.xz"
    with lzma.open(path, "wt") as stream:
        stream.write(HEADER + "\n".join(ROWS) + "\n\n")
    assert read_fer2013(path, usage="PublicTest").labels.tolist() == [3]


@pytest.mark.parametrize("name", ["bom.csv", "bom.csv.xz"])
def test_a_byte_order_mark_is_taken(tmp_path: Path, name: str) -> None:
    content = (HEADER + "\r\n".join(ROWS)).encode("utf-8-sig")
    (tmp_path / name).write_bytes(lzma.compress(content) if name.endswith("xz") else content)
    assert len(read_fer2013(tmp_path / name)) == 3


@pytest.mark.parametrize(
    ("row", "message"),
    [
        pytest.param("7," + PIXELS + ",Training", ":3: emotion must be a number from 0 to 6, found '7'", id="emotion"),
        pytest.param("happy," + PIXELS + ",Training", ":3: emotion must be a number", id="word"),
        pytest.param("1,1 2 3,Training", ":3: expected 2304 pixels, found 3", id="few pixels"),
        pytest.param(f"1,{PIXELS} 0,Training", ":3: expected 2304 pixels, found 2305", id="many pixels"),
        pytest.param(f"1,{PIXELS[:-3]}300,Training", ":3: pixels must lie in 0..255, found 0..", id="range"),
        pytest.param(f"1,{PIXELS[:-1]}x,Training", ":3: pixels must be whole numbers", id="not a number"),
        pytest.param(f"1,{PIXELS},Test", ":3: unknown usage 'Test'", id="usage"),
        pytest.param(f"1,{PIXELS}", ":3: expected 3 columns, found 2", id="columns"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, row: str, message: str) -> None:
    path = write_csv(tmp_path / "fer2013.csv", [ROWS[0], row])
    with pytest.raises(DataError) as caught:
        read_fer2013(path)
    assert str(caught.value).startswith(str(path) + message)


def test_bad_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_fer2013(tmp_path / "absent.csv")
    with pytest.raises(DataError, match=":1: expected the columns emotion,pixels,Usage, found 'a,b'"):
        read_fer2013(write_csv(tmp_path / "a.csv", [], header="a,b\n"))
    with pytest.raises(DataError, match="no face has usage 'PrivateTest'; usages present: Training, PublicTest"):
        read_fer2013(write_csv(tmp_path / "b.csv", ROWS[:2]), usage="PrivateTest")
    with pytest.raises(DataError, match="has no rows"):
        read_fer2013(write_csv(tmp_path / "e.csv", []))
    with pytest.raises(DataError, match="unknown usage 'Private'"):
        read_fer2013(tmp_path / "b.csv", usage="Private")
    (tmp_path / "c.csv.xz").write_bytes(b"not xz")
    with pytest.raises(DataError, match="cannot be read: it is damaged or incomplete, or not compressed with xz"):
        read_fer2013(tmp_path / "c.csv.xz")
    (tmp_path / "d.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="cannot be read: it is not text, or not in UTF-8"):
        read_fer2013(tmp_path / "d.csv")


VOTES = "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"


def test_votes_become_shares_of_the_seven(tmp_path: Path) -> None:
    faces = read_fer2013(write_csv(tmp_path / "fer2013.csv", ROWS))
    lines = ["2,0,0,0,6,0,0,2,0,0", "0,0,0,0,0,0,0,0,0,10", "0,0,0,0,0,0,0,5,5,0"]
    voted = read_votes(write_csv(tmp_path / "votes.csv", lines, VOTES), faces)
    assert voted.votes is not None
    assert voted.no_face is not None
    np.testing.assert_allclose(voted.votes[0], [0.75, 0, 0, 0, 0, 0, 0.25])
    assert voted.votes[1:].sum() == 0
    assert voted.no_face.tolist() == [False, True, False]


def test_votes_by_row_number_and_their_errors(tmp_path: Path) -> None:
    faces = read_fer2013(write_csv(tmp_path / "fer2013.csv", ROWS))
    zeros = "0,0,0,0,0,0,0,0,0"
    good = write_csv(tmp_path / "v.csv", [f"2,9,{zeros}", f"0,8,{zeros}", f"1,0,{zeros[:-1]}7"], "row," + VOTES)
    voted = read_votes(good, faces)
    assert voted.no_face is not None
    assert voted.no_face.tolist() == [False, True, False]
    with pytest.raises(DataError, match="no votes for row 1 "):
        read_votes(write_csv(tmp_path / "w.csv", [f"2,9,{zeros}", f"0,8,{zeros}"], "row," + VOTES), faces)
    with pytest.raises(DataError, match=r":2: row 3 is outside the 3 rows"):
        read_votes(write_csv(tmp_path / "x.csv", [f"3,9,{zeros}"], "row," + VOTES), faces)
    with pytest.raises(DataError, match="column 'NF' is missing"):
        read_votes(write_csv(tmp_path / "y.csv", [], VOTES.replace(",NF", "")), faces)
    with pytest.raises(DataError, match=":2: expected numbers"):
        read_votes(write_csv(tmp_path / "z.csv", [f"0,x,{zeros}"], "row," + VOTES), faces)


@pytest.mark.parametrize("count", ["nan", "inf", "-9", "1e300"])
def test_senseless_votes_are_refused(tmp_path: Path, count: str) -> None:
    faces = read_fer2013(write_csv(tmp_path / "fer2013.csv", ROWS))
    lines = ["2,0,0,0,6,0,0,2,0,0", f"2,0,0,0,{count},0,0,2,0,0", "0,0,0,0,0,0,0,5,5,0"]
    with pytest.raises(DataError, match=r"votes\.csv:3: anger must be a number of votes, 0 or more, found"):
        read_votes(write_csv(tmp_path / "votes.csv", lines, VOTES), faces)


def test_face_set_selects_and_identifies(toy_faces: FaceSet) -> None:
    part = toy_faces.of_usage("PublicTest")
    assert len(part) == 84
    assert part.votes is not None
    assert part.votes.shape == (84, 7)
    assert part.digest() != toy_faces.digest()
    assert toy_faces.select(np.ones(len(toy_faces), np.bool_)).digest() == toy_faces.digest()
    with pytest.raises(DataError, match="no face has usage 'PrivateTest'; usages present: Training, PublicTest"):
        toy_faces.of_usage("PrivateTest")


def touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        (["val/anger/a.png", "test/happy/b.png"], [("a.png", 0, "PublicTest"), ("b.png", 3, "PrivateTest")]),
        (["train/sad/c.jpg", "Test/Happiness/b.PNG"], [("c.jpg", 4, "Training"), ("b.PNG", 3, "PublicTest")]),
        (["valid/sad/a.jpg", "Validation/sad/b.jpg"], [("b.jpg", 4, "PublicTest"), ("a.jpg", 4, "PublicTest")]),
        (["disgusted/deep/a.png", "neutral/b.jpg", "neutral/notes.txt"], [("a.png", 1, ""), ("b.jpg", 6, "")]),
    ],
)
def test_class_folders(tmp_path: Path, layout: list[str], expected: list[tuple[str, int, str]]) -> None:
    for name in layout:
        touch(tmp_path / name)
    assert [(image.path.name, image.label, image.usage) for image in list_images(tmp_path)] == expected


def test_labels_csv(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("file,emotion\na.jpg,Surprised\nsub/b.jpg,3\n", encoding="utf-8-sig")
    assert list_images(tmp_path) == [(tmp_path / "a.jpg", 5, ""), (tmp_path / "sub/b.jpg", 3, "")]


def test_a_list_of_training_and_test_pictures_is_read_as_the_folders_are(tmp_path: Path) -> None:
    rows = "file,emotion,usage\na.png,sad,Train\nb.png,sad, TEST\n"
    (tmp_path / "labels.csv").write_text(rows)
    assert [image.usage for image in list_images(tmp_path)] == ["Training", "PublicTest"]
    (tmp_path / "labels.csv").write_text(rows + "c.png,sad,val\n")
    assert [image.usage for image in list_images(tmp_path)] == ["Training", "PrivateTest", "PublicTest"]
    (tmp_path / "labels.csv").write_text("file,emotion,usage\na.png,sad,train\nb.png,sad,PrivateTest\n")
    assert [image.usage for image in list_images(tmp_path)] == ["Training", "PrivateTest"]


@pytest.mark.parametrize("name", ["dev", "happy", "Tset"])
def test_folders_that_are_no_split_are_named(tmp_path: Path, name: str) -> None:
    for folder in ("train", "test", ".cache", "__MACOSX"):
        touch(tmp_path / folder / "sad/a.png")
    assert len(list_images(tmp_path)) == 2, "what is hidden or made by a system is passed over"
    touch(tmp_path / name / "b.png")
    with pytest.raises(DataError, match=f"/{name}: is no split, as test beside it is; call it train, val or test, or"):
        list_images(tmp_path)


def test_bad_folders(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no labeled pictures"):
        list_images(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        list_images(tmp_path / "absent")
    touch(tmp_path / "train/hapy/b.png")
    with pytest.raises(DataError, match=r"hapy: unknown emotion 'hapy'; did you mean 'happy'\?"):
        list_images(tmp_path)
    (tmp_path / "labels.csv").write_text("file,emotion\na.jpg,bored\n")
    with pytest.raises(DataError, match=r"labels.csv:2: unknown emotion 'bored'"):
        list_images(tmp_path)
    (tmp_path / "labels.csv").write_text("name,label\n")
    with pytest.raises(DataError, match="expected the columns file,emotion"):
        list_images(tmp_path)


def test_hidden_pictures_and_named_pipes_are_passed_over(tmp_path: Path) -> None:
    touch(tmp_path / "happy/a.png")
    touch(tmp_path / "happy/.00042.x7b2.partial.png")
    os.mkfifo(tmp_path / "happy/pipe.png")
    assert [image.path.name for image in list_images(tmp_path)] == ["a.png"]


def test_real_fer2013(shared: Path) -> None:
    faces = read_fer2013(shared / "data/fer2013/fer2013.csv.xz", usage="PublicTest")
    assert np.bincount(faces.labels).tolist() == [467, 56, 496, 895, 653, 415, 607]
