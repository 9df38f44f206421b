"""Options that several commands have mean the same in each, and their defaults have one home."""

from __future__ import annotations

from dataclasses import asdict

import pytest
import typer
from typer.testing import CliRunner

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


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("photo --detector ", {"yunet", "haar"}),
        ("video --device c", {"cpu", "cuda"}),
        ("live --precision ", {"auto", "fp32", "int8"}),
        ("photo --model mien-1-", {"mien-1-tiny"}),
        ("photo --mirror o", {"on", "off"}),
        ("evaluate --usage P", {"PublicTest", "PrivateTest"}),
        ("evaluate --head f", {"fer2013", "ferplus"}),
        ("explain --emotion s", {"sad", "surprise"}),
        ("export --checkpoint ", {"best", "last"}),
        ("batch --engine ", {"local", "ray"}),
        ("train cnn4-d", {"cnn4-dense"}),
        ("pho", {"photo"}),
        ("photo --ann", {"--annotate"}),
    ],
)
def test_the_shell_completes_choices(words: str, offered: set[str]) -> None:
    line = f"mien {words}"
    run = CliRunner().invoke(
        app,
        prog_name="mien",
        env={"_MIEN_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)},
    )
    assert set(run.stdout.split()) == offered
