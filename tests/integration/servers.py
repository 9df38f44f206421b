"""`mien serve` as a program."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class Server:
    """A running `mien serve`."""

    def __init__(self, *args: str, **environment: str) -> None:
        command = [sys.executable, "-m", "mien", "serve", "--port", "0", *args]
        variables = {key: value for key, value in os.environ.items() if key != "MIEN_TOKEN"} | environment
        self.process = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, env=variables, start_new_session=True
        )
        assert self.process.stderr is not None
        self.said = ""
        while "mien serves at" not in self.said:
            line = self.process.stderr.readline()
            assert line, f"it ended: {self.said}"
            self.said += line
        (self.url,) = re.findall(r"http://\S+", self.said)
        self.live = self.url.replace("http", "ws") + "/v1/stream"

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Exit code, and what it said since it was ready."""
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said


@contextmanager
def serving(*args: str, **environment: str) -> Iterator[Server]:
    server = Server(*args, **environment)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.communicate()
