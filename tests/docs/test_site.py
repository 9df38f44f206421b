"""The documentation site has no broken link, and a browser that shows it asks no other machine for anything."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest

import mien

ROOT = Path(__file__).parents[2]
pytest.importorskip("mkdocs")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(out)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out


def test_every_public_name_is_described(site: Path) -> None:
    described = re.findall(r'id="mien\.(\w+)"', (site / "reference/index.html").read_text(encoding="utf-8"))
    assert sorted({*described, "__version__"} & set(mien.__all__)) == sorted(mien.__all__)


def test_every_link_leads_somewhere(site: Path) -> None:
    texts = {page: page.read_text(encoding="utf-8") for page in site.rglob("*.html")}
    for page, text in texts.items():
        for link in map(unescape, re.findall(r'href="([^"]*)"', text)):
            path, _, anchor = link.partition("#")
            if re.match(r"\w+:|/", path):
                continue
            target = (page.parent / path.partition("?")[0]).resolve() if path else page
            target = target / "index.html" if target.is_dir() else target
            assert target.is_file(), f"{page}: {link}"
            if anchor and target in texts:
                assert f'id="{unquote(anchor)}"' in texts[target], f"{page}: {link}"


def test_cards_of_all_models_are_pages(site: Path) -> None:
    start = (site / "index.html").read_text(encoding="utf-8")
    for card in (ROOT / "src/mien/models").glob("*/README.md"):
        assert (site / "cards" / card.parent.name / "index.html").is_file()
        assert f'href="cards/{card.parent.name}/" class="md-nav__link"' in start, "not among the pages at the side"


def test_the_examples_are_shown(site: Path) -> None:
    page = (site / "examples/index.html").read_text(encoding="utf-8")
    for program in (ROOT / "examples").glob("*.py"):
        first_words = program.read_text(encoding="utf-8").split('"""')[1].split(".")[0].split(",")[0].split(":")[0]
        assert first_words.split("`")[0] in page, program.name


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 15
    for page in pages:
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(r'<(?:script|img|iframe|source|video)\b[^>]*?src="(https?:)?//[^"]*"', text)
        styles = re.findall(r'<link\b[^>]*?href="https?://[^"]*"', text)
        assert not loaded and not styles, page
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(?:https?:)?//|@import", style.read_text(encoding="utf-8")), style
