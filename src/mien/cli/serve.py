"""``mien serve``."""

from __future__ import annotations

import ipaddress
import logging
import os
import signal
import socket
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.options import analyzer_options
from mien.cli.output import complain, errors
from mien.errors import MienError, MissingExtraError, OptionError
from mien.options import AnalyzerOptions
from mien.server.settings import MEGABYTE, TOKEN_VARIABLE, ServerSettings

if TYPE_CHECKING:
    from fastapi import FastAPI

_LIMITS = ServerSettings(token=None)
_MAX_BODY, _MAX_VIDEO = _LIMITS.max_body // MEGABYTE, _LIMITS.max_video // MEGABYTE


@analyzer_options("threads")
def serve(
    host: Annotated[str, typer.Option(help="Address to listen at; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen at; 0 takes a free one.")] = 8000,
    token: Annotated[
        str | None,
        typer.Option(envvar=TOKEN_VARIABLE, help="Bearer token that clients must send. Others see command lines."),
    ] = None,
    workers: Annotated[
        int, typer.Option(help="Pictures read at once; 0 for one per core.", metavar="N")
    ] = _LIMITS.workers,
    queue: Annotated[int, typer.Option(help="Requests that may wait.", metavar="N")] = _LIMITS.queue,
    max_body: Annotated[int, typer.Option(metavar="MB", help="Size of a request with pictures.")] = _MAX_BODY,
    max_images: Annotated[int, typer.Option(metavar="N", help="Pictures in a request.")] = _LIMITS.max_images,
    max_pixels: Annotated[int, typer.Option(metavar="N", help="Pixels of a picture or frame.")] = _LIMITS.max_pixels,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="Time for the upload of pictures, and again for reading them.")
    ] = _LIMITS.timeout_s,
    max_video: Annotated[int, typer.Option(metavar="MB", help="Size of a video.")] = _MAX_VIDEO,
    max_frames: Annotated[int, typer.Option(metavar="N", help="Frames read of a video.")] = _LIMITS.max_frames,
    video_timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="Time for the upload of a video, and again for reading it.")
    ] = _LIMITS.video_timeout_s,
    max_streams: Annotated[int, typer.Option(metavar="N", help="Live streams at a time.")] = _LIMITS.max_streams,
    cors_origin: Annotated[
        list[str] | None,
        typer.Option(metavar="ORIGIN", help="A page that may use the service, as https://example.org (repeatable)."),
    ] = None,
    *,
    options: AnalyzerOptions,
) -> None:
    """Answer pictures, videos and live streams over HTTP.

    Only this machine can reach it unless --host says otherwise. Nothing is stored. Ctrl-C (or SIGTERM) finishes what
    is being read, then stops.
    """
    settings = ServerSettings(
        token=token,
        workers=workers,
        queue=queue,
        max_body=max_body * MEGABYTE,
        max_images=max_images,
        max_pixels=max_pixels,
        timeout_s=timeout,
        max_video=max_video * MEGABYTE,
        max_frames=max_frames,
        video_timeout_s=video_timeout,
        max_streams=max_streams,
        cors_origins=tuple(cors_origin or ()),
    )
    try:
        import uvicorn  # noqa: F401
        import websockets  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtraError("mien serve", "server") from error
    from mien.server import create_app
    from mien.server.service import open_analyzer

    # Everything that can fail does so before the server starts, with one line.
    with _listen(host, port) as listener:
        app = create_app(settings, options, open_analyzer(options))
        _run(app, settings, listener)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise OptionError(f"--host {host}: no such address on this machine; 127.0.0.1 is this machine alone") from error
    try:
        return socket.create_server(address[:2], family=family, backlog=512)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise MienError(f"cannot listen at {host}, port {port}: {reason}; choose another with --port") from error


def _run(app: FastAPI, settings: ServerSettings, listener: socket.socket) -> None:
    import uvicorn

    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        # A frame that is too large is answered; what is far too large is not even received.
        ws_max_size=2 * settings.max_frame,
        ws_per_message_deflate=False,
        # What runs at the end may take as long as it ever may.
        timeout_graceful_shutdown=int(2 * settings.timeout_s) + 1,
    )
    # Uvicorn takes a refused stream (401, 403, 429) for a mistake and would log a line for each.
    logging.getLogger("uvicorn.error").addFilter(
        lambda record: "without completing handshake" not in record.getMessage()
    )
    server = uvicorn.Server(config)

    def stop(number: int, stack_frame: object) -> None:
        server.should_exit = True

    # Uvicorn hands the signals it was stopped by on to these when it is done: that was a normal end.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    host, port = listener.getsockname()[:2]
    if settings.token is None and not ipaddress.ip_address(host).is_loopback:
        complain("warning: other machines can reach the service without a token; set one with MIEN_TOKEN")
    name = f"[{host}]" if ":" in host else host
    errors.print(f"mien serves at http://{name}:{port} (its documentation is there); Ctrl-C stops it")
    server.run(sockets=[listener])
