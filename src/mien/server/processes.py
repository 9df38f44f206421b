"""Several processes that serve at one address, with common videos and metrics."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from multiprocessing.managers import BaseManager
from multiprocessing.reduction import DupFd
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory, gettempdir
from threading import Thread
from time import monotonic
from typing import Any, NamedTuple, TextIO, cast

from prometheus_client.multiprocess import mark_process_dead

from mien.errors import MienError
from mien.options import AnalyzerOptions
from mien.server.app import create_app
from mien.server.logs import configure
from mien.server.run import LAST_S, run
from mien.server.settings import ServerSettings
from mien.server.video_store import VideoStore, make_store

logger = logging.getLogger("mien.server")

# How often to look for processes that have ended, and how long to wait after one that never became ready.
_LOOK_S, _PATIENCE_S = 1.0, 10.0


class Job(NamedTuple):
    """What every process is to do.

    Attributes:
        settings: Limits; each process keeps them for itself.
        options: How pictures are read.
        root_path: As for `run`.
        log_level: As for `configure`.
        log_format: As for `configure`.
    """

    settings: ServerSettings
    options: AnalyzerOptions
    root_path: str
    log_level: str
    log_format: str


class _Manager(BaseManager):
    """Lets the processes call the store of videos, which lies in the memory of the first."""


_Manager.register("store")


def run_processes(job: Job, count: int, listener: socket.socket, announce: Callable[[], None]) -> None:
    """Serve with several processes until SIGINT, SIGTERM or SIGHUP. One that dies is replaced.

    Args:
        job: What every process is to do.
        count: Number of processes.
        listener: From `mien.server.run.listen`.
        announce: Called when all of them answer.

    Raises:
        MienError: If one ends before all have answered.
    """
    # An event would not do: a handler that sets it can meet its lock held by the very thread that it interrupted.
    signals: SimpleQueue[int] = SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # nohup has SIGHUP ignored, which is to stay so.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda number, frame: signals.put(number))

    def is_over(seconds: float) -> bool:
        """Wait so long for a signal."""
        try:
            # Whoever asks next is to know as well.
            signals.put(signals.get(timeout=seconds))
        except Empty:
            return False
        return True

    store = make_store(job.settings)
    store.join(os.getpid())
    with TemporaryDirectory(prefix="mien-") as folder:
        # prometheus_client keeps the figures of each process in files, and adds them up.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        group = _Group(job, count, listener, _share(store), store)
        try:
            group.start()
            while not is_over(0.05) and not group.is_ready():
                if group.ended():
                    raise MienError("a process of the service ended before it was ready; --processes 1 tells why")
            if not is_over(0):
                announce()
            while not is_over(_LOOK_S):
                group.replace()
        finally:
            # Nobody is to wait for those that stop.
            listener.close()
            group.stop()


def _share(store: VideoStore) -> str:
    """Let the other processes, and nobody else, call a store.

    Returns:
        The path of the socket by which they reach it.
    """
    _Manager.register("store", lambda: store)
    try:
        server = _Manager().get_server()
    except OSError as error:
        raise MienError(f"cannot open a socket in {gettempdir()}: {error}; set TMPDIR to another folder") from error
    Thread(target=server.serve_forever, daemon=True).start()
    return cast(str, server.address)


class _Group:
    """The processes that serve."""

    def __init__(self, job: Job, count: int, listener: socket.socket, address: str, store: VideoStore) -> None:
        self._job, self._count = job, count
        self._listener, self._address, self._store = listener, address, store
        self._processes: list[SpawnProcess] = []
        self._not_before = 0.0

    def start(self) -> None:
        """Start those that are missing."""
        # Ctrl-C in a terminal is for the first process alone; each of the others leaves its group, but not at once.
        handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            while len(self._processes) < self._count:
                arguments = (self._job, self._listener, self._address, _Errors())
                process = get_context("spawn").Process(target=_serve, args=arguments, daemon=True)
                process.start()
                self._processes.append(process)
        finally:
            signal.signal(signal.SIGINT, handler)

    def is_ready(self) -> bool:
        """Whether all of them answer."""
        return {process.pid for process in self._processes} <= set(self._store.owners())

    def ended(self) -> list[SpawnProcess]:
        """Those that are not alive any more."""
        return [process for process in self._processes if process.exitcode is not None]

    def replace(self) -> None:
        """Start another for each that has ended."""
        for process in self.ended():
            logger.warning("a process ended (exit code %s), another takes its place", process.exitcode)
            if process.pid not in self._store.owners():
                self._not_before = monotonic() + _PATIENCE_S
            self._processes.remove(process)
            self._store.lose(process.pid or 0)
            mark_process_dead(process.pid)  # type: ignore[no-untyped-call]
        if monotonic() >= self._not_before:
            try:
                self.start()
            except OSError as error:
                logger.warning("cannot start a process: %s", error)

    def stop(self) -> None:
        """Have all of them end."""
        for process in self._processes:
            process.terminate()
        end = monotonic() + self._job.settings.grace_s + 2 * LAST_S
        for process in self._processes:
            process.join(max(0.0, end - monotonic()))
            process.kill()
            process.join()


class _Errors:
    """Stands for stderr, the program's own (see `mien.__main__`), on its way to a process that is being started."""

    def __reduce__(self) -> tuple[Callable[..., TextIO], tuple[Any, ...]]:
        return (_open_errors, () if sys.stderr is None else (DupFd(sys.stderr.fileno()),))


def _open_errors(handle: Any = None) -> TextIO:
    file = os.devnull if handle is None else handle.detach()
    return open(file, "w", encoding="utf-8", errors="backslashreplace", buffering=1)  # noqa: PTH123


def _serve(job: Job, listener: socket.socket, address: str, errors: TextIO) -> None:
    """Runs in each process."""
    os.setsid()
    sys.stderr = errors
    configure(job.log_level, job.log_format)
    Thread(target=_follow_parent, daemon=True).start()
    manager = _Manager(address)
    manager.connect()
    store: VideoStore = manager.store()  # type: ignore[attr-defined]
    run(create_app(job.settings, job.options, videos=store), job.settings, listener, job.root_path)


def _follow_parent() -> None:
    """End when the first process was killed: nobody else would end this one, and the videos are gone."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        logger.error("the first process was killed, so this one ends")
        logging.shutdown()
        os._exit(1)
