"""Driving the program `mien` as a user does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

Run: TypeAlias = "Callable[..., tuple[int, str, str]]"
"""Runs the program in this process: exit code, stdout, stderr; see the fixture."""


def mien(*args: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mien", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload, no-any-return]


def assert_one_line(run: subprocess.CompletedProcess[str], code: int, message: str) -> None:
    assert run.returncode == code, run.stderr
    assert message in run.stderr
    assert "Traceback" not in run.stderr


def is_running(process: int) -> bool:
    """Whether a process has not ended yet; needs Linux."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    # Where nobody is left to ask for its exit code, it stays in the table as a zombie.
    return stat.rpartition(")")[2].split()[0] != "Z"
