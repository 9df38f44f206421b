"""YAML files from anyone: plain values only, and one line where a file is damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from mien.files import write_whole

_MAX_BYTES = 1_000_000


class YamlError(ValueError):
    """A file that cannot be read as YAML; the message says why, without naming the file."""


class _Loader(yaml.SafeLoader):
    """Takes no aliases: a few of them, nested, grow to gigabytes."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not supported")
        return super().compose_node(parent, index)


def read_yaml(path: Path) -> Any:
    """Read a YAML file of at most a megabyte.

    Raises:
        YamlError: If it cannot be read, or is not valid YAML.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise YamlError("is larger than a megabyte")
        return yaml.load(content, _Loader)
    except OSError as error:
        raise YamlError(f"cannot be read: {error.strerror}") from error
    except RecursionError:
        raise YamlError("is not valid YAML: nested too deeply") from None
    # Besides its own, PyYAML lets pass whatever tags such as !!int and !!timestamp raise on other text.
    except (yaml.YAMLError, ValueError, KeyError, AttributeError, TypeError, OverflowError) as error:
        if isinstance(error, YamlError):
            raise
        raise YamlError(f"is not valid YAML: {' '.join(str(error).split())[:200]}") from error


def write_yaml(path: Path, values: dict[str, Any]) -> None:
    """Write plain values as YAML, whole or not at all.

    Raises:
        OutputError: If it cannot be written.
    """
    write_whole(path, yaml.dump(values, Dumper=_Dumper, sort_keys=False))


class _Dumper(yaml.SafeDumper):
    """Writes tuples as lists."""


_Dumper.add_representer(tuple, yaml.SafeDumper.represent_list)
