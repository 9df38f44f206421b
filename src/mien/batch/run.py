"""The whole way from a list of sources to a folder of results."""

from __future__ import annotations

import dataclasses
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from mien.batch.folder import ResultFolder
from mien.batch.manifest import BatchReport, Manifest
from mien.batch.reader import FaceReader
from mien.batch.sources import list_sources
from mien.batch.tasks import Failure, Item, Receipt, Task, after_crash, make_tasks
from mien.errors import MienError

if TYPE_CHECKING:
    from mien.batch.engines import Engine
    from mien.batch.shards import Finished, ParquetBytes

ERRORS_FILE = "_errors.parquet"
_DIED = "WorkerError: the process that read it died twice, perhaps for want of memory"
# So many tasks in a row that no worker survives mean that workers cannot start at all.
_HOPELESS = 12
_SHOWN = 5


def run_batch(
    sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    reader: FaceReader | None = None,
    engine: str = "local",
    workers: int = 0,
    address: str | None = None,
    on_progress: Callable[[BatchReport], None] = lambda report: None,
) -> BatchReport:
    """Read photos and videos into a folder of Parquet files, on all cores or on many machines.

    What the folder holds already is left out, so that the same call again goes on where the last one ended, however
    that was; sources that could not be read are tried again. One run at a time may write to a folder. With the engine
    ``local`` the call must stand under ``if __name__ == "__main__":`` in a script, as always where Python starts
    processes.

    Args:
        sources: As for `mien.batch.sources.list_sources`.
        out: The folder: a local path, or an address for fsspec. The machines of a cluster must all reach it.
        reader: How to read; None for the defaults.
        engine: ``local`` for processes of this machine, or ``ray``.
        workers: How many sources are read at a time; 0 for one per core.
        address: Of a Ray cluster, or ``auto``; None starts Ray on this machine.
        on_progress: Called now and then with what was read so far.

    Returns:
        What the folder holds. Everything written so far stays there if an exception ends the run.

    Raises:
        OptionError: If an option is not possible, or the folder holds results of another model or other options.
        OutputError: If results cannot be written.
        ModelError: If the model is damaged.
        MissingExtraError: If a package is not installed.
    """
    from mien.batch.engines import open_engine
    from mien.batch.shards import error_table, find_finished

    folder = ResultFolder(os.fspath(out))
    manifest, reader = Manifest.prepare(folder, reader or FaceReader(), engine)
    folder.clear_partial()
    finished = find_finished(folder)
    report = BatchReport()
    errors = error_table()
    for receipt in finished.receipts:
        report.add(receipt)
        _note(errors, report, receipt.damages)
    report.resumed = report.photos + report.videos
    finished.receipts.clear()
    on_progress(report)

    def unreadable(place: str, reason: str) -> None:
        _note(errors, report, [Failure(Item(place), f"cannot be listed: {reason}")])

    listed = list_sources(sources, unreadable)
    # The manifest is written once all options have been found right, because it ties the folder to them.
    workforce = open_engine(engine, reader, folder, workers, address)
    manifest.begin()
    try:
        with workforce as running:
            items = (Item(path, found=found) for path, found in listed)
            for receipt in _run_all(running, items, finished):
                report.add(receipt)
                _note(errors, report, (*receipt.failures, *receipt.damages))
                on_progress(report)
        report.is_complete = True
    finally:
        folder.write(ERRORS_FILE, errors.close())
        manifest.end(report)
    return report


def _note(errors: ParquetBytes, report: BatchReport, failures: Iterable[Failure]) -> None:
    from mien.batch.shards import error_row

    for failure in failures:
        errors.add(error_row(failure))
        report.failed += 1
        if len(report.examples) < _SHOWN:
            report.examples.append(f"{failure.item.path}: {failure.error}")


def _run_all(engine: Engine, items: Iterator[Item], finished: Finished) -> Iterator[Receipt]:
    """What comes of every item that is not finished, in the order in which it ends."""
    waiting: deque[Task] = deque()
    tasks = make_tasks(items)

    def left(task: Task) -> Task | None:
        todo = tuple(item for item in task.items if item not in finished)
        return dataclasses.replace(task, items=todo) if todo else None

    fresh = filter(None, map(left, tasks))
    running = crashes = 0
    while True:
        while engine.has_room():
            task = waiting.popleft() if waiting else next(fresh, None)
            if task is None:
                break
            engine.submit(task)
            running += 1
        if not running:
            return
        for task, receipt in engine.completed():
            running -= 1
            if receipt is None:
                crashes += 1
                if crashes >= _HOPELESS:
                    raise MienError(f"{crashes} workers died one after the other; is there enough memory for them?")
                again = after_crash(task)
                waiting.extend(again)
                if not again:
                    yield Receipt(failures=(Failure(task.items[0], _DIED),))
                continue
            crashes = 0
            waiting.extend(filter(None, (left(Task((item,))) for item in receipt.more)))
            yield receipt
