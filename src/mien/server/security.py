"""Who may use the service, and what browsers are told about its answers."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from ipaddress import ip_address
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


def check_host(headers: Headers, settings: ServerSettings) -> None:
    """Refuse clients that address the service by a name that is not its own.

    A web page whose name leads to this machine (DNS rebinding) counts as the service's own for a browser; only the
    name gives it away. Addresses do not: a page cannot come from someone else's address.

    Raises:
        ProblemError: If the ``Host`` header is another's.
    """
    host = headers.get("host", "")
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    name = name.strip("[]").lower()
    if settings.allowed_hosts:
        allowed = name in settings.allowed_hosts
    else:
        allowed = settings.token is not None or name == "localhost" or name.endswith(".localhost") or _is_address(name)
    if not allowed:
        detail = "the service has another name; start it with --allowed-host and the name that clients use"
        raise ProblemError(403, "host_not_allowed", detail)


def check_origin(headers: Headers, settings: ServerSettings) -> None:
    """Refuse web pages from elsewhere: browsers send their requests, and only keep the answers from them.

    Raises:
        ProblemError: If the page, where it is one, may not use the service.
    """
    origin = headers.get("origin")
    if origin is None or {origin, "*"} & set(settings.cors_origins):
        return
    if urlsplit(origin).netloc != headers.get("host"):
        detail = "this page may not use the service; start it with --cors-origin and the page's origin"
        raise ProblemError(403, "origin_not_allowed", detail)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


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
