"""Which pictures the arguments of a command name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from mien.cli.inputs import Input, find_inputs

Picture: TypeAlias = Input


def find_pictures(paths: list[str], failures: list[str]) -> Iterator[Picture]:
    """The pictures that the arguments name; see `find_inputs`."""
    from mien.images import is_picture

    return find_inputs(paths, failures, is_picture, "pictures")
