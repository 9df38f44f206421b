"""What a release says of itself agrees with what is in it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
yaml = pytest.importorskip("yaml")


def _release() -> dict[str, Any]:
    code = (ROOT / "tools/release.py").read_text(encoding="utf-8")
    names: dict[str, Any] = {"__name__": "release", "__file__": str(ROOT / "tools/release.py")}
    exec(compile(code, "release.py", "exec"), names)
    return names


@pytest.fixture
def release(tmp_path: Path) -> Callable[..., Any]:
    """A function of tools/release.py, run on a small project of its own."""
    (tmp_path / "src/mien").mkdir(parents=True)
    (tmp_path / "src/mien/__init__.py").write_text('__version__ = "1.2.0"\n')
    (tmp_path / "CITATION.cff").write_text("title: x\nversion: 1.2.0\n")
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## 1.2.0 - 2026-11-24\n\n- new\n\n## 1.1.0\n\n- old\n")
    for command in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *identity, "commit", "-qm", "x"], cwd=tmp_path, check=True)
    names = _release()
    names["ROOT"] = tmp_path
    return lambda name, *arguments: names[name](*arguments)


def test_a_release_in_order(release: Callable[..., Any]) -> None:
    assert release("read_version") == "1.2.0"
    assert release("notes", "1.2.0") == "- new"
    assert release("problems", "1.2.0") == []


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("CHANGELOG.md", "## Unreleased\n", "has no section '## 1.2.0"),
        ("CITATION.cff", "version: 1.1.0\n", "CITATION.cff: the version is not 1.2.0"),
        ("new.txt", "x", "changes that are not committed"),
        ("CHANGELOG.md", "## 1.2.0\nhttps://github.com/OWNER/mien\n", "in place of OWNER"),
    ],
)
def test_what_stands_in_the_way_is_named(
    release: Callable[..., Any], tmp_path: Path, file: str, text: str, message: str
) -> None:
    (tmp_path / file).write_text(text)
    assert any(message in problem for problem in release("problems", "1.2.0"))


def test_a_development_version_is_not_released(release: Callable[..., Any]) -> None:
    assert any("expected one like 0.2.0" in problem for problem in release("problems", "1.2.0.dev0"))


def test_the_tag_must_name_the_version() -> None:
    command = [sys.executable, str(ROOT / "tools/release.py"), "--tag", "v0.0.1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "the tag is v0.0.1" in done.stderr


def test_every_binary_file_of_the_package_has_its_license_named() -> None:
    listed = re.findall(r"`(mien/[^`]+|[\w-]+\.onnx)`", (ROOT / "THIRD_PARTY.md").read_text(encoding="utf-8"))
    source = ROOT / "src"
    binary = {
        path.relative_to(source)
        for path in (source / "mien").rglob("*")
        if path.suffix in {".onnx", ".wasm", ".mjs", ".png", ".jpg", ".tflite", ".ico", ".woff2"}
    }
    assert binary
    names = {pattern.rpartition("/")[2] for pattern in listed if "/" not in pattern}
    missing = {path for path in binary if path.name not in names and not any(path.match(entry) for entry in listed)}
    assert not missing, "name them in THIRD_PARTY.md"


def test_ci_runs_every_version_the_package_claims() -> None:
    classifiers = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    jobs = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text(encoding="utf-8"))["jobs"]
    assert jobs["linux"]["strategy"]["matrix"]["python"] == classifiers
    assert f"Python {classifiers[0]} to {classifiers[-1]}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_and_ci_install_the_same() -> None:
    command = "pip install -e '.[all,dev]' && make test"
    assert command in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "-e '.[all,dev]'" in (ROOT / ".ci/run").read_text(encoding="utf-8")
