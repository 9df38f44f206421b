"""The program ``mien``."""

from __future__ import annotations

import sys
import warnings
from io import TextIOWrapper
from typing import Annotated, NoReturn

import typer

import mien
from mien.cli.compare import compare
from mien.cli.data import data
from mien.cli.evaluate import evaluate
from mien.cli.export import export
from mien.cli.live import live
from mien.cli.models import models
from mien.cli.output import fail
from mien.cli.photo import photo
from mien.cli.serve import serve
from mien.cli.train import train
from mien.cli.video import video
from mien.errors import MienError, OptionError

app = typer.Typer(
    help="Reads facial expressions in photos, videos and live cameras, on this machine alone. An emotion read from a "
    "face is a guess about an expression, not about a mind.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(photo)
app.command()(video)
app.command()(live)
app.command()(serve)
app.command()(evaluate)
app.command()(models)
app.command()(train)
app.command()(export)
app.command()(compare)
app.add_typer(data, name="data")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mien {mien.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def main() -> NoReturn:
    """Run the program: exit code 2 for wrong usage, 1 for failure, never a traceback for bad input."""
    for stream in (sys.stdout, sys.stderr):
        # File names need not be printable in the terminal's encoding.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    # What libraries have to say about a picture is no business of whoever runs the program.
    warnings.simplefilter("ignore")
    try:
        app()
    except OptionError as error:
        fail(str(error), code=2)
    except MienError as error:
        fail(str(error))
    except BrokenPipeError:
        # Whoever read the output has seen enough.
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        # What is read is read under MienError; what is left is output, to a full disk for example.
        fail(f"cannot write the output: {error.strerror or error}")
    except KeyboardInterrupt:
        fail("interrupted", code=130)
    sys.exit(0)


if __name__ == "__main__":
    main()
