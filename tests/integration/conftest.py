"""What the integration tests share."""

from __future__ import annotations

import sys

import pytest
from programs import Run

from mien.cli import main as program


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the program in this process: exit code, stdout, stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mien", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            program.main()
        return int(caught.value.code or 0), *capsys.readouterr()

    return call
