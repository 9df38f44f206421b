"""The program ``mien``, also as ``python -m mien``: as little as possible before Ctrl-C is understood."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the program; see `mien.cli.main.main`."""
    try:
        if sys.stdout is None:
            sys.exit("mien: standard output is closed; send it to a file or to /dev/null")
        _silence_libraries()
        from mien.cli.main import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)


def _silence_libraries() -> None:
    """Keep stderr for mien alone: libtiff, libpng and OpenCV write about damaged files where Python cannot reach."""
    if sys.stderr is None:
        return
    try:
        own = os.fdopen(os.dup(2), "w", encoding=sys.stderr.encoding, errors="backslashreplace", buffering=1)
        nowhere = os.open(os.devnull, os.O_WRONLY)
    except OSError:
        return
    os.dup2(nowhere, 2)
    os.close(nowhere)
    sys.stderr = own


if __name__ == "__main__":
    main()
