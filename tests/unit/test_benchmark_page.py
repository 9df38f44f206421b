"""The page of `make benchmarks`: a section that fails or cannot run says so and takes none of the others with it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_a_page_with_what_worked_and_what_did_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    sys.modules.pop("all", None)
    import all as page  # type: ignore[import-not-found]

    programs = {
        "table.py": "print('| a |\\n|---|\\n| 1 |')",
        "words.py": "print('fast')",
        "bad.py": "raise SystemExit('no such camera')",
        "slow.py": "import time; time.sleep(60)",
    }
    for name, code in programs.items():
        (tmp_path / name).write_text(code)
    monkeypatch.setattr(page, "HERE", tmp_path)
    parts = [page.Section(name, name, (name,)) for name in (*programs, "gone.py")]
    parts.append(page.Section("data", "data", ("table.py", tmp_path / "x"), (tmp_path / "x",), "needs x"))
    monkeypatch.setattr(page, "sections", lambda *_: parts)
    out = tmp_path / "build" / "page.md"
    page.main(tmp_path, tmp_path, out, None, None, minutes=0.1)
    text = out.read_text(encoding="utf-8")
    said = {part.split("\n")[0]: part.split("\n\n", 2)[2].strip() for part in text.split("\n## ")[1:]}
    assert said["table.py"] == "| a |\n|---|\n| 1 |"
    assert said["words.py"] == "```text\nfast\n```"
    assert said["bad.py"] == "**Failed**: no such camera"
    assert said["slow.py"].startswith("**Failed**: not done after")
    assert said["gone.py"] == "**Not run**: there is no such program."
    assert said["data"] == "**Not run**: needs x."
    assert "| numpy | " in text


def test_every_section_has_its_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    sys.modules.pop("all", None)
    import all as page

    programs = {str(section.command[0]) for section in page.sections(tmp_path, tmp_path, None)}
    assert programs <= {path.name for path in BENCHMARKS.glob("*.py")}
