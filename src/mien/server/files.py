"""A file that nobody else can read and that does not stay."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

_OPEN_FILES = Path("/proc/self/fd")


class PrivateFile:
    """A temporary file for an upload. A context manager: at its end the file is gone.

    Where the system allows it (Linux), its name is removed at once, so that not even a process that is killed leaves
    it behind.

    Attributes:
        path: Where to read it from, as long as it is open.
        file: Where to write it to; flush before reading.
    """

    def __init__(self) -> None:
        descriptor, name = tempfile.mkstemp(prefix="mien-")
        self.file: BinaryIO = os.fdopen(descriptor, "w+b")
        self.path = self._name = Path(name)
        if _OPEN_FILES.is_dir():
            self._name.unlink()
            self.path = _OPEN_FILES / str(descriptor)

    def __enter__(self) -> PrivateFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.file.close()
        self._name.unlink(missing_ok=True)
