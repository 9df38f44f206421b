"""How sources are found, cut into tasks, and what happens when workers die."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mien.batch.run import _run_all
from mien.batch.shards import Finished
from mien.batch.sources import list_sources
from mien.batch.tasks import Item, Receipt, Task, make_tasks
from mien.errors import MienError, OptionError


def found(*paths: object) -> tuple[list[str], list[str]]:
    problems: list[str] = []
    sources = list(list_sources(map(str, paths), lambda place, reason: problems.append(f"{place}: {reason}")))
    return [source.path for source in sources], problems


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("b.jpg", "a/z.MP4", "a/y.png", "a/notes.md", ".hidden/x.jpg", "a/.x.jpg", "c/d/e.webp"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_folders_are_searched_in_a_fixed_order(tree: Path) -> None:
    sources, problems = found(tree)
    assert sources == [str(tree / name) for name in ("b.jpg", "a/y.png", "a/z.MP4", "c/d/e.webp")]
    assert problems == []


def test_addresses_are_searched_as_folders_are(tree: Path) -> None:
    pytest.importorskip("fsspec")
    sources, problems = found(f"file://{tree}")
    assert sorted(sources) == sorted(f"file://{path}" for path in found(tree)[0])
    assert found(f"file://{tree}/a/*.png")[0] == [f"file://{tree}/a/y.png"]
    assert problems == []


def test_files_patterns_and_lists(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree)
    (tree / "list.txt").write_text("b.jpg\n\ns3://bucket/a.jpg\r\n", encoding="utf-8")
    assert found("list.txt")[0] == [str(tree / "b.jpg"), "s3://bucket/a.jpg"]
    assert found("a/*.png", "none.jpg")[0] == [str(tree / "a/y.png"), str(tree / "none.jpg")]
    monkeypatch.setenv("HOME", str(tree))
    assert found("~/a/*.png", "~/b.jpg")[0] == [str(tree / "a/y.png"), str(tree / "b.jpg")]


def test_a_single_source_is_no_list_of_letters(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree)
    for source in ("b.jpg", Path("b.jpg")):
        assert list(list_sources(source, pytest.fail)) == [(str(tree / "b.jpg"), False)]


def test_what_is_named_several_times_comes_once_where_it_stands_first(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree)
    (tree / "list.txt").write_text(f"b.jpg\n{tree}/a/../b.jpg\ns3://x/a.jpg\ns3://x/a.jpg\nno.jpg\nno.jpg\n")
    (tree / "link.jpg").symlink_to("b.jpg")
    first = [str(tree / "a/y.png"), str(tree / "b.jpg"), "s3://x/a.jpg", str(tree / "no.jpg")]
    assert found("a/y.png", "list.txt", "*.jpg", tree)[0] == [*first, str(tree / "a/z.MP4"), str(tree / "c/d/e.webp")]
    pytest.importorskip("fsspec")
    url = f"file://{tree}/b.jpg"
    assert found(url, f"file://{tree}/*.jpg", url)[0] == [url, f"file://{tree}/link.jpg"]


def test_files_without_a_suffix_are_known_by_their_first_bytes(tree: Path, astronaut_path: Path) -> None:
    (tree / "a/portrait").write_bytes(astronaut_path.read_bytes())
    (tree / "a/LICENSE").write_text("Anyone may read this.")
    assert found(tree / "a")[0] == [str(tree / name) for name in ("a/portrait", "a/y.png", "a/z.MP4")]


def test_what_cannot_be_listed_is_reported(tree: Path) -> None:
    assert found(tree / "no.txt") == ([], [f"{tree / 'no.txt'}: list: No such file or directory"])
    with pytest.raises(OptionError, match="a path is empty"):
        found(tree, "")
    pytest.importorskip("fsspec")
    with pytest.raises(OptionError, match="nonesuch"):
        found("nonesuch://bucket/")


def test_every_item_stands_in_one_task_and_videos_stand_alone() -> None:
    items = [Item(f"{number}.{'mp4' if number % 500 == 7 else 'jpg'}") for number in range(3000)]
    tasks = list(make_tasks(items))
    assert sorted(item.path for task in tasks for item in task.items) == sorted(item.path for item in items)
    assert all(len(task.items) == 1 for task in tasks if any(item.is_video for item in task.items))
    assert len({task.file for task in tasks}) == len(tasks)
    assert max(len(task.items) for task in tasks) == 256
    assert len(tasks[1].items) == 16


class FakeEngine:
    """Does one task at a time in this process; dies over tasks that hold a poisonous item."""

    def __init__(self, poison: str, deaths: int = 10**9) -> None:
        self.poison, self.deaths, self.done = poison, deaths, []
        self._task: Task | None = None

    def has_room(self) -> bool:
        return self._task is None

    def submit(self, task: Task) -> None:
        self._task = task

    def completed(self) -> list[tuple[Task, Receipt | None]]:
        task, self._task = self._task, None
        if self.deaths and any(self.poison in item.path for item in task.items):
            self.deaths -= 1
            return [(task, None)]
        if task.items[0].path == "long.mp4" and task.items[0].start is None:
            return [(task, Receipt(more=(Item("long.mp4", 0.0, 9.0), Item("long.mp4", 9.0))))]
        self.done.extend(task.items)
        return [(task, Receipt(done=len(task.items)))]


NOTHING = Finished(np.zeros(0, np.uint64), [])


def test_a_source_that_kills_its_worker_is_blamed_alone() -> None:
    engine = FakeEngine("7.jpg")
    items = [Item(f"{number}.jpg") for number in range(40)]
    receipts = list(_run_all(engine, iter(items), NOTHING))
    blamed = [failure.item.path for receipt in receipts for failure in receipt.failures]
    assert blamed == ["7.jpg", "17.jpg", "27.jpg", "37.jpg"]
    assert sorted(item.path for item in engine.done) == sorted({item.path for item in items} - set(blamed))


def test_a_worker_that_dies_once_costs_nothing() -> None:
    engine = FakeEngine("7.jpg", deaths=1)
    items = [Item(f"{number}.jpg") for number in range(40)]
    assert sum(receipt.done for receipt in _run_all(engine, iter(items), NOTHING)) == 40
    assert sorted(item.path for item in engine.done) == sorted(item.path for item in items)


def test_workers_that_cannot_start_end_the_run() -> None:
    with pytest.raises(MienError, match="workers died one after the other"):
        list(_run_all(FakeEngine(""), (Item(f"{number}.jpg") for number in range(10**6)), NOTHING))


def test_what_is_finished_is_left_out_also_ranges_of_long_videos() -> None:
    engine = FakeEngine("nothing")
    keys = np.sort(np.array([Item("1.jpg").key, Item("long.mp4", 9.0).key], np.uint64))
    items = [Item("0.jpg"), Item("1.jpg"), Item("long.mp4")]
    list(_run_all(engine, iter(items), Finished(keys, [])))
    assert {(item.path, item.start) for item in engine.done} == {("0.jpg", None), ("long.mp4", 0.0)}
