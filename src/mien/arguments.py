"""What public functions say of arguments of a wrong type.

Only what people call themselves asks, so that a mistake is named where it was made.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from numbers import Integral, Real
from types import NoneType
from typing import Any, get_args

from mien.errors import OptionError
from mien.plain import show

_WORDS: dict[Any, str] = {
    bool: "True or False",
    str: "text",
    os.PathLike: "a path",
    Integral: "a whole number",
    Real: "a number",
    Callable: "a function",
    Mapping: "a dictionary",
    NoneType: "None",
}
# By name, because importing this module must cost nothing.
_ORIGINS = {
    "Analyzer": "an Analyzer (mien.load opens one)",
    "AnalyzerOptions": "AnalyzerOptions",
    "Face": "a Face (results hold them)",
    "FrameResult": "a FrameResult (Analyzer.analyze gives one)",
}


def expect(kind: Any, **values: object) -> None:
    """Refuse arguments of another type.

    Args:
        kind: A class, or a union of several, with those of the module `numbers` for numbers, NumPy's among them; or the
            name of a class of `_ORIGINS`, where it cannot be imported.
        **values: The arguments by their names.

    Raises:
        OptionError: It names the argument, what was expected and what came.
    """
    kinds = get_args(kind) or (kind,)
    for name, value in values.items():
        # True is a number to Python, but hardly meant as one.
        if any(map(partial(_is, value), kinds)) and (bool in kinds or not isinstance(value, bool)):
            continue
        # That paths are given as text, too, goes without saying.
        named = [one for one in kinds if one is not str or os.PathLike not in kinds]
        words = [_WORDS.get(one) or _ORIGINS[getattr(one, "__name__", one)] for one in named]
        raise OptionError(f"must be {' or '.join(words)}, found {found(value)}", field=name)


def _is(value: object, kind: Any) -> bool:
    if isinstance(kind, str):
        return any(one.__name__ == kind for one in type(value).__mro__)
    return isinstance(value, kind)


def found(value: object) -> str:
    """What came, in few words: plain values as they are written, of others the type."""
    return show(value) if value is None or isinstance(value, str | bytes | int | float) else type(value).__name__
