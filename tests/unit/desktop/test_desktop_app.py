"""What ``mien live`` says where it cannot open a window."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from mien.apps.desktop import app
from mien.errors import WindowError


@pytest.mark.parametrize(
    ("platform", "advice"),
    [
        ("linux", "sudo apt install python3-tk"),
        ("darwin", "brew install python-tk"),
        ("win32", "tick 'tcl/tk and IDLE'"),
    ],
)
def test_missing_tkinter_is_told_how_to_install(monkeypatch: pytest.MonkeyPatch, platform: str, advice: str) -> None:
    monkeypatch.setitem(sys.modules, "tkinter", None)
    monkeypatch.setattr("sys.platform", platform)
    with pytest.raises(WindowError) as caught:
        app.check_tkinter()
    assert "needs tkinter, which this Python lacks" in str(caught.value)
    assert advice in str(caught.value)
    assert "\n" not in str(caught.value)


def _live(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in os.environ.items() if name != "DISPLAY"} | environment
    command = [sys.executable, "-m", "mien.cli.main", "live", *arguments]
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there always is a screen")
def test_no_screen_is_one_line_and_exit_code_1() -> None:
    pytest.importorskip("tkinter", reason="this Python has no tkinter")
    done = _live()
    assert done.returncode == 1
    assert done.stderr.startswith("mien: no screen to open a window on")
    assert done.stderr.count("\n") == 1


def test_wrong_options_are_exit_code_2() -> None:
    done = _live("--min-confidence", "7")
    assert done.returncode == 2
    assert "min-confidence must lie in 0..1" in done.stderr


def test_one_install_brings_all_that_the_app_needs() -> None:
    """Without PyAV it is the extra of the app that is named, not that of reading videos."""
    pytest.importorskip("tkinter", reason="this Python has no tkinter")
    code = "import sys; sys.modules['av'] = None; sys.argv = ['mien', 'live']; from mien.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert done.stderr.endswith("run: pip install 'mien[desktop]'\n")
    assert done.stderr.count("\n") == 1
