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
from tempfile import TemporaryDirectory, gettempdir
from threading import Event, Thread
from time import monotonic
from typing import Any, NamedTuple, cast

from prometheus_client.multiprocess import mark_process_dead

from mien.errors import MienError
from mien.options import AnalyzerOptions
from mien.server.app import create_app
from mien.server.logs import configure
from mien.server.run import LAST_S, run
from mien.server.settings import ServerSettings
from mien.server.video_store import VideoStore, make_store

logger = logging.getLogger("mien.server")

# How often is looked whether a process has ended.
_LOOK_S = 1.0


class Job(NamedTuple):
    """What every process is to do.

    Attributes:
        settings: Limits, which hold for each process.
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
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda number, frame: stop.set())
    store = make_store(job.settings)
    with TemporaryDirectory(prefix="mien-") as folder:
        # Figures without a process of their own: prometheus_client keeps those of each in a file.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        group = _Group(job, listener, _share(store), store)
        try:
            group.start(count)
            while len(store.owners()) < count and not stop.wait(0.05):
                if group.ended():
                    raise MienError("a process of the service ended before it was ready; --processes 1 tells why")
            if not stop.is_set():
                announce()
            while not stop.wait(_LOOK_S):
                group.replace()
        finally:
            group.stop()


def _share(store: VideoStore) -> str:
    """Let the other processes, and nobody else, call a store.

    Returns:
        The path of the socket by which they reach it.
    """

    class Manager(_Manager):
        pass

    Manager.register("store", lambda: store)
    try:
        server = Manager().get_server()
    except OSError as error:
        raise MienError(f"cannot open a socket in {gettempdir()}: {error}; set TMPDIR to another folder") from error
    Thread(target=server.serve_forever, daemon=True).start()
    return cast(str, server.address)


class _Group:
    """The processes that serve."""

    def __init__(self, job: Job, listener: socket.socket, address: str, store: VideoStore) -> None:
        self._job, self._listener, self._address, self._store = job, listener, address, store
        self._processes: list[SpawnProcess] = []

    def start(self, count: int) -> None:
        """Start so many more."""
        # Ctrl-C reaches all processes of a terminal. The first tells the others.
        handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            for _ in range(count):
                arguments = (self._job, self._listener, self._address, DupFd(sys.stderr.fileno()))
                process = get_context("spawn").Process(target=_serve, args=arguments, daemon=True)
                process.start()
                self._processes.append(process)
        finally:
            signal.signal(signal.SIGINT, handler)

    def ended(self) -> list[SpawnProcess]:
        """Those that are not alive any more."""
        return [process for process in self._processes if process.exitcode is not None]

    def replace(self) -> None:
        """Start another for each that has ended."""
        for process in self.ended():
            logger.warning("a process ended (exit code %s), another takes its place", process.exitcode)
            self._processes.remove(process)
            self._store.lose(process.pid or 0)
            mark_process_dead(process.pid)  # type: ignore[no-untyped-call]
            self.start(1)

    def stop(self) -> None:
        """Have all of them end."""
        for process in self._processes:
            process.terminate()
        end = monotonic() + self._job.settings.grace_s + 2 * LAST_S
        for process in self._processes:
            process.join(max(0.0, end - monotonic()))
            process.kill()
            process.join()


def _serve(job: Job, listener: socket.socket, address: str, errors: Any) -> None:
    """Runs in each process."""
    # The program's own, see `mien.__main__`.
    sys.stderr = os.fdopen(errors.detach(), "w", encoding="utf-8", errors="backslashreplace", buffering=1)
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
