"""How much disk space packages take with everything they need, each installed into an empty environment.

    python benchmarks/install_size.py . deepface emotiefflib
    python benchmarks/install_size.py fer py-feat          # several gigabytes each

Names are what pip takes; ``.`` is this checkout. Weights that a package downloads when it is used are not counted.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Annotated

import typer


def main(packages: Annotated[list[str], typer.Argument(help="What pip is to install.")]) -> None:
    """Print the table."""
    print("| package | MB | packages |\n|---|---:|---:|", flush=True)
    for package in packages:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            venv.create(folder, with_pip=False)
            python = next(path for path in (folder / "bin/python", folder / "Scripts/python.exe") if path.exists())
            command = [
                sys.executable,
                "-m",
                "pip",
                "--python",
                str(python),
                "install",
                "--quiet",
                "--no-compile",
                package,
            ]
            if subprocess.run(command, check=False).returncode:
                print(f"| {package} | could not be installed | |", flush=True)
                continue
            files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
            size = sum(path.stat().st_size for path in files)
            count = len(list(folder.rglob("*.dist-info")))
            print(f"| {package} | {size / 1e6:.0f} | {count} |", flush=True)


if __name__ == "__main__":
    typer.run(main)
