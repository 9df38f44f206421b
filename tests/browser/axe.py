"""axe-core in a page, against WCAG 2.2 AA."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

# Each violation as its rule, and the places.
_RUN = """
() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "cat.semantics"],
                          rules: { "presentation-role-conflict": { enabled: false },
                                   "empty-table-header": { enabled: false } } })
  .then(({ violations, passes }) => ({
    found: violations.map((rule) => [rule.id, rule.nodes.map((node) => node.html.slice(0, 200))]),
    passed: passes.map((rule) => rule.id),
    frames: passes.some((rule) => rule.nodes.some((node) => node.target.length > 1)) }))
"""


def check(page: Page, where: str) -> dict[str, Any]:
    """Run axe in the page and its frames as they look now; it must find nothing."""
    pytest.importorskip("axe_playwright_python")
    axe = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    for frame in page.frames:
        if not frame.evaluate("'axe' in window"):
            frame.evaluate(axe)
    outcome: dict[str, Any] = page.evaluate(_RUN)
    assert outcome["found"] == [], f"{where}: {outcome['found']}"
    return outcome
