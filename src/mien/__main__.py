"""The program ``mien``, also as ``python -m mien``: as little as possible before Ctrl-C is understood."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the program; see `mien.cli.main.main`."""
    try:
        if sys.stdout is None:
            sys.exit("mien: standard output is closed; send it to a file or to /dev/null")
        from mien.cli.main import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
