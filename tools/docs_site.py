"""Hooks of the documentation site (mkdocs.yml): what lies outside docs/ becomes part of it, or a link to the source.

Model cards and the changelog are pages of the site; links to them, and to any other file of the repository, are turned
so that the same Markdown works on the site and in a checkout.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import mien

ROOT = Path(__file__).resolve().parents[1]
SOURCE = "https://github.com/OWNER/mien/blob/main/"
PUBLIC_NAMES = "<!-- every other public name -->"


def _outside() -> dict[str, str]:
    """Files outside docs/ that are pages or pictures of the site: path in the repository to path on the site."""
    pages = {"CHANGELOG.md": "changelog.md"}
    for card in sorted((ROOT / "src/mien/models").glob("*/README.md")):
        folder = card.parent
        pages[card.relative_to(ROOT).as_posix()] = f"cards/{folder.name}.md"
        for chart in sorted(folder.glob("*.png")):
            pages[chart.relative_to(ROOT).as_posix()] = f"cards/{folder.name}/{chart.name}"
    return pages


OUTSIDE = _outside()


def on_config(config: Any) -> Any:
    """Leave out pages that are not there, and add the model cards and the changelog."""
    config.nav = [kept for entry in config.nav if (kept := _existing(entry, Path(config.docs_dir)))]
    cards = [{Path(place).stem: place} for place in OUTSIDE.values() if re.fullmatch(r"cards/.*\.md", place)]
    config.nav += [{"Model cards": cards}, {"Changelog": "changelog.md"}]
    return config


def _existing(entry: Any, docs: Path) -> Any:
    if isinstance(entry, str):
        return entry if (docs / entry).exists() else None
    ((title, value),) = entry.items()
    if isinstance(value, list):
        kept = [inner for item in value if (inner := _existing(item, docs))]
        return {title: kept} if kept else None
    return entry if _existing(value, docs) else None


def on_files(files: Any, config: Any) -> Any:
    """Add the files from outside docs/."""
    from mkdocs.structure.files import File

    for source, place in OUTSIDE.items():
        files.append(File.generated(config, place, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Turn links that leave docs/, and list the public names that the page leaves to this hook."""
    place = page.file.src_uri
    home = next((source for source, where in OUTSIDE.items() if where == place), f"docs/{place}")

    def turn(match: re.Match[str]) -> str:
        return f"]({_target(match.group(1), home, place)})"

    if PUBLIC_NAMES in markdown:
        named = set(re.findall(r"^::: mien\.(\w+)", markdown, re.MULTILINE))
        rest = [name for name in mien.__all__ if name not in named and not name.startswith("__")]
        markdown = markdown.replace(PUBLIC_NAMES, "\n\n".join(f"::: mien.{name}" for name in rest))
    return re.sub(r"\]\(((?!https?:|mailto:|#)[^)\s]+)\)", turn, markdown)


def on_page_content(html: str, page: Any, config: Any, files: Any) -> str:
    """Turn the links of notebooks to pages, which MkDocs leaves as they are."""

    def turn(match: re.Match[str]) -> str:
        path = os.path.normpath(Path(page.file.src_uri).parent / match[1]).replace(os.sep, "/")
        linked = files.get_file_from_path(path)
        return f'href="{linked.url_relative_to(page.file)}{match[2] or ""}"' if linked else match[0]

    return re.sub(r'href="((?!\w+:)[^"#]+\.md)(#[^"]*)?"', turn, html) if page.file.src_uri.endswith(".ipynb") else html


def _target(link: str, home: str, place: str) -> str:
    path, mark, anchor = link.partition("#")
    wanted = os.path.normpath(Path(home).parent / path).replace(os.sep, "/")
    if wanted in OUTSIDE:
        on_site = OUTSIDE[wanted]
    elif wanted.startswith("docs/"):
        on_site = wanted.removeprefix("docs/")
    elif (ROOT / wanted).exists():
        return SOURCE + wanted + mark + anchor
    else:
        return link  # left to MkDocs, which names it as broken
    return os.path.relpath(on_site, Path(place).parent).replace(os.sep, "/") + mark + anchor
