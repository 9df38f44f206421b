"""The program ``mien``."""

from __future__ import annotations

import re
import sys
import warnings
from io import TextIOWrapper
from typing import Annotated, Any, NoReturn

import typer

import mien
from mien.cli.app import app as web_app
from mien.cli.batch import batch
from mien.cli.compare import compare
from mien.cli.data import data
from mien.cli.evaluate import evaluate
from mien.cli.explain import explain
from mien.cli.export import export
from mien.cli.live import live
from mien.cli.models import models
from mien.cli.output import errors, fail, one_line
from mien.cli.page import page
from mien.cli.photo import photo
from mien.cli.serve import serve
from mien.cli.train import train
from mien.cli.video import video
from mien.errors import MienError, OptionError

# The base of all complaints about the command line. Older versions of Typer take it from click, newer ones bring their
# own; only this way does it have the same name in all of them.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]

app = typer.Typer(
    help="Reads facial expressions in photos, videos and live cameras, on this machine alone. An emotion read from a "
    "face is a guess about an expression, not about a mind.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(photo)
app.command()(video)
app.command()(batch)
app.command()(live)
app.command()(explain)
app.command("app")(web_app)
app.command()(serve)
app.command()(page)
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
    """Run the program: exit code 2 for wrong usage, 1 for failure, one line on stderr; no traceback for bad input."""
    for stream in (sys.stdout, sys.stderr):
        # File names need not be printable in the terminal's encoding.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    # An unset variable in a script; taken for a path it would be the current folder.
    for argument in sys.argv[1:]:
        if not argument or re.fullmatch(r"--[a-z-]+=", argument):
            fail("an argument is empty; give it a value or leave it out", code=2)
    # What libraries have to say about a picture does not concern the user of the program.
    warnings.simplefilter("ignore")
    code = 0
    try:
        code = app(prog_name="mien", standalone_mode=False) or 0
    except _UsageError as error:
        _fail_usage(error)
    except OptionError as error:
        fail(_as_option(error), code=2)
    except MienError as error:
        fail(str(error))
    except OverflowError as error:
        fail(f"a number is far too large or too small: {error}", code=2)
    except MemoryError:
        fail("the memory of this machine does not suffice")
    except OSError as error:
        # What is read is read under MienError; what is left is output, to a full disk for example.
        fail(f"cannot write the output: {error.strerror or error}")
    except typer.Abort:
        code = 130
    sys.exit(code)


def _fail_usage(error: Any) -> NoReturn:
    """Say in one line what is wrong with the command line; Typer's own report takes five."""
    command = error.ctx.command_path if error.ctx else "mien"
    # What Typer has to suggest it puts into brackets after the message.
    suggestions = getattr(error, "possibilities", None)
    message = (error.message if suggestions else error.format_message()).rstrip(".").replace(". Did you", "; did you")
    if suggestions:
        message += f"; did you mean {' or '.join(suggestions)}?"
    if message:
        errors.print(one_line(f"{command}: {message[0].lower()}{message[1:]} (see {command} --help)"))
    # Without a message it was a call without arguments, which has printed the help.
    sys.exit(2)


def _as_option(error: OptionError) -> str:
    """A complaint about a field of the options, about the option of that name instead, without its unit."""
    if error.field is None:
        return str(error)
    return f"--{error.field.removesuffix('_s').replace('_', '-')} {error.reason}"


if __name__ == "__main__":
    main()
