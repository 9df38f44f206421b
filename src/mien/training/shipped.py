"""The recipes that come with mien."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path

from mien.errors import OptionError

SHIPPED = Path(__file__).with_name("recipes")


def shipped_recipes() -> dict[str, Path]:
    """The recipes that come with mien, by name, ``teachers/vgg-bn`` for example."""
    paths = sorted(SHIPPED.rglob("*.yaml"), key=lambda path: (path.parent != SHIPPED, path.stem))
    return {path.relative_to(SHIPPED).with_suffix("").as_posix(): path for path in paths}


def find_recipe(name: str) -> Path:
    """The file of a recipe.

    Args:
        name: Path of a recipe file, or the name of a shipped recipe.

    Raises:
        OptionError: If there is neither; the message names the nearest one.
    """
    shipped = shipped_recipes()
    if name in shipped and not Path(name).is_file():
        return shipped[name]
    if os.path.exists(name):  # noqa: PTH110 - unlike Path.exists this is no error for names that are too long.
        return Path(name)
    near = get_close_matches(name.removeprefix("recipes/").removesuffix(".yaml"), shipped, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "expected a file, or one of those that mien train --list names"
    raise OptionError(f"no such recipe; {hint}", name)
