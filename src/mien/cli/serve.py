"""``mien serve``."""

from __future__ import annotations

import ipaddress
import os
from typing import Annotated

import typer

from mien.cli.options import analyzer_options, one_of
from mien.cli.output import complain, errors
from mien.errors import MissingExtraError, OptionError
from mien.options import AnalyzerOptions, available_cores
from mien.server.logs import FORMATS as LOG_FORMATS
from mien.server.logs import LEVELS, configure
from mien.server.settings import FORMATS, MEGABYTE, TOKEN_VARIABLE, ServerSettings

_LIMITS = ServerSettings(token=None)
_MAX_BODY, _MAX_VIDEO = _LIMITS.max_body // MEGABYTE, _LIMITS.max_video // MEGABYTE
_MAX_UPLOADS = _LIMITS.max_uploads // MEGABYTE


@analyzer_options("threads")
def serve(
    host: Annotated[str, typer.Option(help="Address to listen at; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen at; 0 takes a free one.")] = 8000,
    token: Annotated[
        str | None,
        typer.Option(envvar=TOKEN_VARIABLE, help="Bearer token that clients must send. Others see command lines."),
    ] = None,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A name that clients use for the service (repeatable).  [default: all with a token, "
            "else localhost and addresses]",
        ),
    ] = None,
    cors_origin: Annotated[
        list[str] | None,
        typer.Option(metavar="ORIGIN", help="A page that may use the service, as https://example.org (repeatable)."),
    ] = None,
    root_path: Annotated[
        str, typer.Option(metavar="PATH", help="Path below which a proxy offers the service, as /mien.")
    ] = "",
    workers: Annotated[
        int, typer.Option(help="Pictures that a process reads at once; 0 for its share of the cores.", metavar="N")
    ] = _LIMITS.workers,
    processes: Annotated[
        int, typer.Option(min=1, max=64, help="Processes that serve; see docs/server.md.", metavar="N")
    ] = 1,
    queue: Annotated[int, typer.Option(help="Requests that may wait.", metavar="N")] = _LIMITS.queue,
    max_body: Annotated[int, typer.Option(metavar="MB", help="Size of a request with pictures.")] = _MAX_BODY,
    max_images: Annotated[int, typer.Option(metavar="N", help="Pictures in a request.")] = _LIMITS.max_images,
    max_pixels: Annotated[int, typer.Option(metavar="N", help="Pixels of a picture or frame.")] = _LIMITS.max_pixels,
    max_request_pixels: Annotated[
        int, typer.Option(metavar="N", help="Pixels of all pictures of a request.")
    ] = _LIMITS.max_request_pixels,
    pixel_rate: Annotated[
        int,
        typer.Option(metavar="N", help="Pixels a second for one client; 0 for 50 million per worker."),
    ] = _LIMITS.pixel_rate,
    formats: Annotated[
        str, typer.Option(metavar="NAMES", help=f"Picture formats that are read, of {','.join(FORMATS)}.")
    ] = ",".join(_LIMITS.formats),
    max_uploads: Annotated[
        int, typer.Option(metavar="MB", help="Pictures held in memory, over all requests.")
    ] = _MAX_UPLOADS,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="Time for the upload of pictures, and again for reading them.")
    ] = _LIMITS.timeout_s,
    max_video: Annotated[int, typer.Option(metavar="MB", help="Size of a video.")] = _MAX_VIDEO,
    max_frames: Annotated[int, typer.Option(metavar="N", help="Frames read of a video.")] = _LIMITS.max_frames,
    video_timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="Time for the upload of a video, and again for reading it.")
    ] = _LIMITS.video_timeout_s,
    max_streams: Annotated[int, typer.Option(metavar="N", help="Live streams at a time.")] = _LIMITS.max_streams,
    max_connections: Annotated[int, typer.Option(metavar="N", help="Connections at a time.")] = _LIMITS.max_connections,
    grace: Annotated[
        float, typer.Option(metavar="SECONDS", help="Time that requests have to end when the service stops.")
    ] = _LIMITS.grace_s,
    log_level: Annotated[
        str,
        typer.Option(help="debug, info (a line per request), warning or error.", autocompletion=one_of(*LEVELS)),
    ] = "warning",
    log_format: Annotated[str, typer.Option(help="text or json.", autocompletion=one_of(*LOG_FORMATS))] = "text",
    *,
    options: AnalyzerOptions,
) -> None:
    """Answer pictures, videos and live streams over HTTP.

    Only this machine can reach it unless --host says otherwise. Nothing is stored. Ctrl-C (or SIGTERM) finishes what
    is being read, then stops.
    """
    for name, value, choices in (("log_level", log_level, LEVELS), ("log_format", log_format, LOG_FORMATS)):
        if value not in choices:
            raise OptionError(f"must be one of {', '.join(choices)}, found {value!r}", field=name)
    if root_path and (not root_path.startswith("/") or root_path.endswith("/")):
        raise OptionError(
            f"must begin with a slash and not end with one, as /mien, found {root_path!r}", field="root_path"
        )
    if processes > 1 and os.name == "nt":
        raise OptionError("must be 1 on Windows", field="processes")
    settings = ServerSettings(
        token=token,
        workers=workers or max(1, available_cores() // processes),
        queue=queue,
        max_body=max_body * MEGABYTE,
        max_images=max_images,
        max_pixels=max_pixels,
        max_request_pixels=max_request_pixels,
        pixel_rate=pixel_rate,
        formats=tuple(formats.split(",")),
        max_uploads=max(max_uploads, max_body) * MEGABYTE,
        timeout_s=timeout,
        max_video=max_video * MEGABYTE,
        max_frames=max_frames,
        video_timeout_s=video_timeout,
        max_streams=max_streams,
        max_connections=max_connections,
        grace_s=grace,
        allowed_hosts=tuple(allowed_host or ()),
        cors_origins=tuple(cors_origin or ()),
    )
    try:
        import websockets  # noqa: F401

        from mien.server.run import listen, run
    except ModuleNotFoundError as error:
        raise MissingExtraError("mien serve", "server") from error
    from mien.server import create_app
    from mien.server.service import open_analyzer

    # Everything that can fail does so before the server starts, with one line.
    with listen(host, port) as listener:
        analyzer = open_analyzer(options)
        configure(log_level, log_format)
        address, taken = listener.getsockname()[:2]
        if settings.token is None and not ipaddress.ip_address(address).is_loopback:
            complain("warning: other machines can reach the service without a token; set one with MIEN_TOKEN")
        name = f"[{address}]" if ":" in address else address
        message = f"mien serves at http://{name}:{taken} (its documentation is there); Ctrl-C stops it"

        def announce() -> None:
            errors.print(message)

        if processes > 1:
            # Windows lacks what it is made of.
            from mien.server.processes import Job, run_processes

            del analyzer
            job = Job(settings, options, root_path, log_level, log_format)
            run_processes(job, processes, listener, announce)
        else:
            run(create_app(settings, options, analyzer), settings, listener, root_path, announce)
