"""``mien app``."""

from __future__ import annotations

from typing import Annotated

import typer

from mien.cli.options import analyzer_options
from mien.options import AnalyzerOptions


@analyzer_options()
def app(
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8501,
    host: Annotated[
        str, typer.Option(help="Address to listen on; others can reach it only if it is not 127.0.0.1.")
    ] = "127.0.0.1",
    headless: Annotated[bool, typer.Option("--headless", help="Do not open a browser.")] = False,
    ice_server: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL",
            envvar="MIEN_ICE_SERVERS",
            help="stun:HOST:PORT or turn:HOST:PORT, for cameras that reach this machine only through a network "
            "that is in the way; may be repeated (in the variable: separated by spaces).  [default: none]",
        ),
    ] = None,
    turn_user: Annotated[
        str, typer.Option(metavar="NAME", envvar="MIEN_TURN_USER", help="Name for the TURN servers.")
    ] = "",
    turn_password: Annotated[
        str,
        typer.Option(
            metavar="TEXT",
            envvar="MIEN_TURN_PASSWORD",
            help="Password for them; better kept in the variable, where lists of processes do not show it.",
        ),
    ] = "",
    *,
    options: AnalyzerOptions,
) -> None:
    """Open the web app: live camera, photos and videos in the browser, served by this machine alone.

    Nothing is stored: what visitors show or upload goes when they leave. Ctrl-C ends it.
    """
    from mien.apps.web.launch import run
    from mien.apps.web.settings import Settings

    run(Settings(options, host, port, tuple(ice_server or ()), turn_user, turn_password), headless, _announce)


def _announce(address: str) -> None:
    print(f"mien: {address}", flush=True)
