"""Dataclasses from plain values, as JSON and YAML files hold them."""

from __future__ import annotations

import math
import reprlib
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

_T = TypeVar("_T")


class PlainValueError(ValueError):
    """A value that does not fit; the message names its key and is short, whatever the value."""


def build(kind: type[_T], content: object, ignore_unknown: bool = False) -> _T:
    """Make a dataclass from keys and values.

    Args:
        kind: The dataclass. Its fields are texts, booleans, whole numbers, finite numbers, dictionaries, ``Literal``,
            tuples of any of these (lists in the file) and further dataclasses.
        content: What the file holds.
        ignore_unknown: Pass keys over that the class does not have, rather than refuse them.

    Raises:
        PlainValueError: If a key is missing or unknown, or a value is of another type, infinite or not a number.
    """
    if not isinstance(content, dict):
        raise PlainValueError(f"expected keys and values, found {show(content)}")
    hints = get_type_hints(kind)
    known = [entry.name for entry in fields(kind)]  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for key, value in content.items():
        if key in known:
            try:
                values[key] = _convert(hints[key], value, ignore_unknown)
            except PlainValueError as error:
                raise PlainValueError(f"{key}: {error}") from None
        elif not ignore_unknown:
            near = get_close_matches(str(key)[:100], known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(sorted(known))}"
            raise PlainValueError(f"unknown key {show(key)}; {hint}")
    try:
        return kind(**values)
    except TypeError:
        missing = [name for name in known if name not in values]
        raise PlainValueError(f"key {missing[0]!r} is missing") from None


def show(value: object) -> str:
    """A value for a message, cut short."""
    try:
        return reprlib.repr(value)
    except ValueError:  # Python does not write out numbers of many thousand digits.
        return "a very long number"


def _convert(kind: Any, value: object, ignore_unknown: bool) -> Any:
    if is_dataclass(kind):
        return build(kind, value, ignore_unknown)  # type: ignore[arg-type]
    if kind is float:
        return _finite(value)
    origin = get_origin(kind) or kind
    if origin is Literal:
        if value not in get_args(kind):
            raise PlainValueError(f"expected one of {', '.join(map(str, get_args(kind)))}, found {show(value)}")
        return value
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise PlainValueError(f"expected a list, found {show(value)}")
        return tuple(_convert(get_args(kind)[0], item, ignore_unknown) for item in value)
    if not isinstance(value, origin) or (isinstance(value, bool) and kind is not bool):
        raise PlainValueError(f"expected {origin.__name__}, found {show(value)}")
    if origin is dict:
        of = get_args(kind)[1]
        return value if of is Any else {key: _convert(of, item, ignore_unknown) for key, item in value.items()}
    return value


def _finite(value: object) -> float:
    # PyYAML takes 1e-3 for text, because it has neither a point nor a sign that YAML 1.1 asks for.
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise PlainValueError(f"expected a number, found {show(value)}")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise PlainValueError(f"expected a finite number, found {show(value)}")
    return number
