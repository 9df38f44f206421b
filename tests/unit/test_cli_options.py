"""Options that several commands have mean the same in each, and their defaults have one home."""

from __future__ import annotations

from dataclasses import asdict

import pytest
import typer

from mien.cli.main import app
from mien.options import AnalyzerOptions

GROUP = typer.main.get_group(app)
SHARED = ("model", "detector", "detect_size", "precision", "mirror", "min_confidence", "device", "threads")


@pytest.mark.parametrize("command", ["photo", "video", "live", "app"])
def test_front_ends_have_every_shared_option(command: str) -> None:
    assert set(SHARED) <= {parameter.name for parameter in GROUP.commands[command].params}


@pytest.mark.parametrize("name", SHARED)
def test_shared_options_are_the_same_everywhere(name: str) -> None:
    found = [
        parameter
        for command in GROUP.commands.values()
        for parameter in command.params
        if parameter.name == name and "--" + name.replace("_", "-") in parameter.opts
    ]
    assert len(found) >= 3
    assert {parameter.default for parameter in found} == {asdict(AnalyzerOptions())[name]}
    assert len({vars(parameter)["help"] for parameter in found}) == 1
