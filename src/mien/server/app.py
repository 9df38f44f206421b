"""The app: routes, limits and headers put together."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.security import HTTPBearer
from fastapi_swagger import patch_fastapi

import mien
from mien.analyzer import Analyzer
from mien.options import AnalyzerOptions
from mien.server.metrics import RequestObserver
from mien.server.problems import ProblemDetails, install_handlers
from mien.server.routes.pictures import picture_routes
from mien.server.routes.status import inner_routes, probe_routes, status_routes
from mien.server.routes.stream import stream_routes
from mien.server.routes.videos import video_routes
from mien.server.security import SecurityHeaders, check_host, check_origin, has_token, unauthorized
from mien.server.service import Service
from mien.server.settings import ServerSettings
from mien.server.video_store import VideoStore

_DESCRIPTION = """
Reads facial expressions in pictures, videos and live streams. **An emotion read from a face is a guess about an
expression, not about a mind.** Do not use it to judge people; in the European Union inferring emotions at work and in
schools is prohibited (AI Act, Article 5(1)(f)), except for medical or safety reasons.

Nothing is stored: pictures are read in memory, a video lies in a file without a name until it has been read, and
results of videos are kept in memory for some minutes.

Live streams go over the WebSocket `/v1/stream`: each binary message is a frame (JPEG, for example), each answer a JSON
object like an entry of `pictures`, with `track` and `smoothed` for every face, `frame` (the number of the message, from
0), `time_s`, and `dropped`: how many frames were left out since the last answer because newer ones had come. A frame
that cannot be read is answered with `error`. Where a token is needed and no header can be sent, the first message is
`{"token": "..."}`.

Errors are problem details after RFC 9457, with one word for programs in `code`.
"""


def create_app(
    settings: ServerSettings | None = None,
    options: AnalyzerOptions | None = None,
    analyzer: Analyzer | None = None,
    videos: VideoStore | None = None,
) -> FastAPI:
    """Build the service as an ASGI app, for any ASGI server and for FastAPI's ``TestClient``.

    The model is loaded when the server starts the app (its lifespan), and let go when it stops it.

    Args:
        settings: Limits; None for the usual ones, with the token of the environment variable ``MIEN_TOKEN``.
        options: How pictures are read.
        analyzer: What to read them with, if it is open already; None opens what ``options`` names.
        videos: Where videos and their results are found, if processes share them; None for this process alone.

    Returns:
        The app.
    """
    settings = settings or ServerSettings()
    service = Service(settings, options or (analyzer.options if analyzer else AnalyzerOptions()), analyzer, videos)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await service.open()
        try:
            yield
        finally:
            await service.close()

    app = FastAPI(
        title="mien",
        version=mien.__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        license_info={"name": "MIT", "identifier": "MIT"},
    )
    install_handlers(app, lambda code: service.metrics.rejected.labels(code).inc())
    # Swagger's page from this machine, not from a content delivery network.
    patch_fastapi(app, swagger_ui_parameters={"tryItOutEnabled": True, "displayRequestDuration": True})
    door = [Depends(_check_caller(settings))]
    guard = [*door, *_guard(settings)]
    app.include_router(picture_routes(service), dependencies=guard)
    app.include_router(video_routes(service), dependencies=guard)
    app.include_router(inner_routes(service), dependencies=guard)
    app.include_router(status_routes(service), dependencies=door)
    app.include_router(probe_routes(service))
    app.include_router(stream_routes(service))
    app.state.service = service
    _describe_problems(app)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization"],
            expose_headers=["Location", "Retry-After", "X-Request-ID"],
        )
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=4)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RequestObserver, metrics=service.metrics)
    # It would log bytes of damaged forms.
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
    return app


def _check_caller(settings: ServerSettings) -> Callable[[Request], Awaitable[None]]:
    """What routes depend on: the service's own name, and no web page from elsewhere."""

    async def check(request: Request) -> None:
        check_host(request.headers, settings)
        # To read what a page asks for is for browsers to prevent; that something is done, only the service can.
        if request.method not in ("GET", "HEAD"):
            check_origin(request.headers, settings)

    return check


def _guard(settings: ServerSettings) -> list[Any]:
    """What routes depend on: the right token, if one is set. It is checked before anything is read of the body."""
    if settings.token is None:
        return []

    async def check(request: Request) -> None:
        if not has_token(request.headers, settings):
            raise unauthorized()

    # The first describes the check in OpenAPI, the second does it.
    return [Depends(HTTPBearer(auto_error=False)), Depends(check)]


def _describe_problems(app: FastAPI) -> None:
    """Put the shape of errors into the OpenAPI description, and leave out FastAPI's own, which is not used."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schemas = describe()["components"]["schemas"]
            schemas["ProblemDetails"] = ProblemDetails.model_json_schema()
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]
