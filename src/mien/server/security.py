"""Who may use the service, and what browsers are told about its answers."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mien.server.problems import ProblemError
from mien.server.settings import ServerSettings

_DOCS = ("/docs",)
_API_POLICY = "default-src 'none'; frame-ancestors 'none'"
# Swagger's page starts itself by an inline script and draws with inline styles.
_DOCS_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; frame-ancestors 'none'"
)


def is_token(given: str, expected: str) -> bool:
    """Compare two tokens, in a time that does not tell how much of them agrees."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def has_token(headers: Mapping[str, str], settings: ServerSettings) -> bool:
    """Whether a request may come in by its ``Authorization`` header."""
    if settings.token is None:
        return True
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and is_token(given.strip(), settings.token)


def unauthorized() -> ProblemError:
    """The answer for those who may not."""
    return ProblemError(401, "unauthorized", "send the right token, as the header 'Authorization: Bearer TOKEN'")


def is_origin_allowed(headers: Headers, settings: ServerSettings) -> bool:
    """Whether the web page that opens a WebSocket, if it is one, may do so. Browsers leave this to the server."""
    origin = headers.get("origin")
    if origin is None or {origin, "*"} & set(settings.cors_origins):
        return True
    return urlsplit(origin).netloc == headers.get("host")


class SecurityHeaders:
    """Adds headers that keep answers out of caches, frames and wrong interpretations."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
                headers["Content-Security-Policy"] = _DOCS_POLICY if path in _DOCS else _API_POLICY
                if not path.startswith("/swagger/"):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        await self._app(scope, receive, add)
