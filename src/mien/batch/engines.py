"""Who does the tasks: processes of this machine, or the machines of a Ray cluster."""

from __future__ import annotations

import multiprocessing
import os
import signal
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, wait
from contextlib import suppress
from multiprocessing.connection import Connection
from threading import Thread
from types import TracebackType
from typing import Any, Protocol

from mien.analyzer import cached_analyzer, load
from mien.batch.folder import ResultFolder
from mien.batch.reader import FaceReader
from mien.batch.shards import run_task
from mien.batch.tasks import Receipt, Task
from mien.errors import MienError, MissingExtraError, OptionError
from mien.options import AnalyzerOptions, available_cores

ENGINES = ("local", "ray")


class Engine(Protocol):
    """Does tasks in the order in which they end. A context manager; leaving it ends the workers."""

    def has_room(self) -> bool:
        """Whether another task would find a worker."""
        ...

    def submit(self, task: Task) -> None:
        """Begin a task."""
        ...

    def completed(self) -> list[tuple[Task, Receipt | None]]:
        """Wait until a task or several have ended; None in place of what came of it where the worker died."""
        ...

    def __enter__(self) -> Engine: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_engine(name: str, reader: FaceReader, folder: ResultFolder, workers: int, address: str | None) -> Engine:
    """Start the workers.

    Args:
        name: ``local`` or ``ray``.
        reader: What they read with.
        folder: Where they write to.
        workers: How many tasks are done at a time; 0 for one per core.
        address: Of a Ray cluster, or ``auto``; None starts Ray on this machine.

    Raises:
        OptionError: If there is no such engine, or the number, the address or an option of the reader is not possible.
        MissingExtraError: If Ray is not installed.
    """
    if name not in ENGINES:
        raise OptionError(f"must be one of {', '.join(ENGINES)}, found {name!r}", field="engine")
    if workers < 0:
        raise OptionError(f"must be 0 (one per core) or more, found {workers}", field="workers")
    if name == "ray":
        return RayEngine(reader, folder, workers, address)
    if address is not None:
        raise OptionError("goes with the engine ray", field="address")
    # What the workers cannot open is said here; of Ray's, which may have what this machine lacks, one of them says it.
    load(reader.options)
    return LocalEngine(reader, folder, workers or available_cores())


class LocalEngine:
    """Processes of this machine; see `open_engine`.

    Each is a pool of its own, because a pool with several processes is lost as a whole when one of them dies.
    """

    def __init__(self, reader: FaceReader, folder: ResultFolder, workers: int) -> None:
        self._work = reader, folder
        self._context = multiprocessing.get_context("spawn")
        # The workers hold one end; the other closes with this process, however it ends.
        self._watched, self._alive = self._context.Pipe(duplex=False)
        self._free = [self._new_worker() for _ in range(workers)]
        self._busy: dict[Future[Receipt], tuple[Task, ProcessPoolExecutor]] = {}

    def _new_worker(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(1, self._context, _start_worker, (self._watched,))

    def __enter__(self) -> LocalEngine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What they write appears whole, so that they may end at any moment.
        self._alive.close()
        for worker in (*self._free, *(worker for _, worker in self._busy.values())):
            worker.shutdown(cancel_futures=True)
        self._watched.close()

    def has_room(self) -> bool:
        return bool(self._free)

    def submit(self, task: Task) -> None:
        worker = self._free.pop()
        self._busy[worker.submit(run_task, *self._work, task)] = task, worker

    def completed(self) -> list[tuple[Task, Receipt | None]]:
        finished: list[tuple[Task, Receipt | None]] = []
        for future in wait(self._busy, return_when=FIRST_COMPLETED).done:
            task, worker = self._busy.pop(future)
            try:
                finished.append((task, future.result()))
            except BrokenExecutor:
                worker.shutdown()
                worker = self._new_worker()
                finished.append((task, None))
            self._free.append(worker)
        return finished


def _start_worker(watched: Connection) -> None:
    import cv2

    # Ctrl-C reaches every process of a terminal; the one that started the workers ends them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)

    def end_with_parent() -> None:
        try:
            watched.recv_bytes()
        except (EOFError, OSError):
            os._exit(1)

    Thread(target=end_with_parent, daemon=True).start()


class RayEngine:
    """Tasks of a Ray cluster; see `open_engine`.

    Ray places them, starts machines for them where the cluster may grow, and repeats those whose machine was lost. Its
    worker processes live on from task to task, so that each opens the model once.
    """

    _REPEAT = 2

    def __init__(self, reader: FaceReader, folder: ResultFolder, workers: int, address: str | None) -> None:
        # Ray reports its use to its makers unless told otherwise.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray
        except ImportError as error:
            raise MissingExtraError("the engine ray", "batch") from error
        self._ray: Any = ray
        self._busy: dict[Any, Task] = {}
        self._is_own = not ray.is_initialized()
        if self._is_own:
            try:
                ray.init(address=address, log_to_driver=False, include_dashboard=False if address is None else None)
            except (ConnectionError, ValueError, RuntimeError) as error:
                raise OptionError(f"{address}: no Ray cluster there: {str(error).splitlines()[0]}") from error
        errors = ray.exceptions
        # What is lost with its machine is repeated; of the rest the run itself tells whether workers can start at all.
        self._crashes = errors.WorkerCrashedError, errors.NodeDiedError, errors.OutOfMemoryError
        try:
            with suppress(*self._crashes):
                self._get(ray.remote(num_cpus=1, max_retries=self._REPEAT)(_open).remote(reader.options))
        except BaseException:
            self.__exit__(None, None, None)
            raise
        self._workers = workers
        self._run = ray.remote(num_cpus=1, max_retries=self._REPEAT)(run_task)
        self._work = ray.put(reader), ray.put(folder)

    def __enter__(self) -> RayEngine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for reference in self._busy:
            self._ray.cancel(reference, force=True)
        if self._is_own:
            self._ray.shutdown()

    def has_room(self) -> bool:
        # Twice the cores: what waits keeps them busy, and tells a cluster that it may grow.
        return len(self._busy) < (self._workers or 2 * int(self._ray.cluster_resources().get("CPU", 1)))

    def submit(self, task: Task) -> None:
        self._busy[self._run.remote(*self._work, task)] = task

    def completed(self) -> list[tuple[Task, Receipt | None]]:
        finished: list[tuple[Task, Receipt | None]] = []
        for reference in self._ray.wait(list(self._busy), num_returns=1)[0]:
            task = self._busy.pop(reference)
            try:
                finished.append((task, self._get(reference)))
            except self._crashes:
                finished.append((task, None))
        return finished

    def _get(self, reference: Any) -> Any:
        """What came of a call on a worker; errors of mien as they were raised there."""
        try:
            return self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, MienError):
                raise error.cause from error
            raise


def _open(options: AnalyzerOptions) -> None:
    """Open detector and model on a worker, which keeps them."""
    cached_analyzer(options)
