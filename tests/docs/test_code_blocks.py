"""All code of the documentation runs, page by page, in a folder with the files that it talks about."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import typer
from page_code import ROOT, Block, blocks, commands, lay_out, provide

from mien.cli.main import app

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
SHELL = {"", "sh", "bash", "console"}
MODULES = {"train": "lightning", "video": "av", "server": "fastapi", "app": "streamlit", "batch": "ray"}
# Other packages that blocks need are modules of the same name.
# Options of `mien` that name what is written; whatever else looks like a picture or a video is read.
WRITES = {"--out", "--table", "--annotate", "--timeline", "--report", "--picture", "--html", "--crops", "--folder"}
# Commands that need neither a camera, nor a data set, nor another program to ask them.
RUNS = {"photo", "video", "explain", "models"}
READS = re.compile(
    r"(?:open|analyze|predict_emotion|explain|analyze_video|analyze_many|imread|read_image|Path|from_glob_path|load)"
    r"""\(\s*\[?["']([^"']+)"""
)


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def having(languages: set[str]) -> list[Path]:
    return [page for page in PAGES if any(block.language in languages for block in blocks(page))]


def shell_commands(page: Path) -> Iterator[list[str]]:
    for block in blocks(page):
        if block.language in SHELL and not block.not_run:
            yield from commands(block)


@pytest.mark.parametrize("page", having(SHELL), ids=name)
def test_commands_and_options_of_a_page_exist(page: Path) -> None:
    for words in shell_commands(page):
        command: Any = typer.main.get_group(app)
        rest = list(words)
        while rest and rest[0] in getattr(command, "commands", {}):
            command = command.commands[rest.pop(0)]
        said = f"{name(page)}: mien {' '.join(words)}"
        assert not hasattr(command, "commands") or rest[:1] in (["--version"], ["--help"]), said
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        asked = {word.partition("=")[0] for word in rest if word.startswith("--")}
        assert asked <= {*known, "--help", "--version"}, said


@pytest.mark.slow
@pytest.mark.parametrize("page", having({"python", *SHELL}), ids=name)
def test_code_of_a_page_runs(page: Path, tmp_path: Path) -> None:
    lay_out(tmp_path)
    runnable = [words for words in shell_commands(page) if words[0] in RUNS and not missing(words)]
    for words in runnable:
        provide(tmp_path, inputs(words))
        run([sys.executable, "-m", "mien", *expand(words, tmp_path)], tmp_path, f"{name(page)}: mien {' '.join(words)}")
    script = [block for block in blocks(page) if block.language == "python" and can_run(block)]
    for block in script:
        provide(tmp_path, READS.findall(block.code))
    if not script and not runnable:
        pytest.skip("every block is marked as not run, or needs a camera, a data set or a service")
    if script:
        run([sys.executable, "-c", joined(script)], tmp_path, name(page))


def can_run(block: Block) -> bool:
    return not block.not_run and (not block.needs or find_spec(MODULES.get(block.needs, block.needs)) is not None)


def joined(script: list[Block]) -> str:
    """The blocks as one program, in which each stands in the lines of its page, so that a traceback names them."""
    code = ""
    for block in script:
        code += "\n" * (block.line - code.count("\n")) + block.code
    return code


def inputs(command: list[str]) -> list[str]:
    """The arguments of a command that are no options and belong to none that writes."""
    return [word for before, word in zip(["", *command], command, strict=False) if before not in WRITES]


def missing(words: list[str]) -> bool:
    """Whether a command needs a model of one's own, a video longer than the sample, or an extra not installed."""
    if "--start" in words:
        return True
    models = [words[k + 1] for k, word in enumerate(words) if word == "--model"]
    return any("/" in model for model in models) or (words[0] == "video" and find_spec("av") is None)


def expand(words: list[str], folder: Path) -> list[str]:
    """As a shell would, for patterns that mien does not expand itself."""
    expanded: list[str] = []
    for word in words:
        found = sorted(str(path.relative_to(folder)) for path in folder.glob(word)) if "*" in word else []
        expanded += found or [word]
    return expanded


def run(command: list[str], folder: Path, what: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "MPLBACKEND": "agg", "PYSPARK_PYTHON": sys.executable}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{what}\n{done.stderr}"
