"""No module needs another that needs it, not even inside a function; imports for the type checker alone are free."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import mien

ROOT = Path(mien.__file__).parent


def imported(node: ast.AST) -> Iterator[str]:
    """What a module imports, with every name of ``from``, which may be a module as well."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        if isinstance(child, ast.ImportFrom) and child.module:
            yield child.module
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        elif isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        yield from imported(child)


def test_modules_have_an_order() -> None:
    modules = {}
    for path in sorted(ROOT.rglob("*.py")):
        if path.name != "__init__.py":
            name = ".".join(("mien", *path.relative_to(ROOT).with_suffix("").parts))
            modules[name] = set(imported(ast.parse(path.read_text(encoding="utf-8")))) - {name}
    graph = {name: needs & modules.keys() for name, needs in modules.items()}
    assert sum(map(len, graph.values())) > len(graph), "imports were not read"
    # A cycle raises CycleError, which names its modules.
    order = list(TopologicalSorter(graph).static_order())
    assert order.index("mien.errors") < order.index("mien.results") < order.index("mien.analyzer")
