"""Shows the page at an address of this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from mien.browser.site import POLICY
from mien.errors import MienError

HOST = "127.0.0.1"

# Browsers refuse modules, WebAssembly and style sheets of other types; systems' own tables of types differ.
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".wasm": "application/wasm",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".woff2": "font/woff2",
    ".onnx": "application/octet-stream",
}


def serve_page(files: Mapping[str, bytes], port: int, on_ready: Callable[[str], None]) -> None:
    """Serve the page to this machine alone, until interrupted.

    Args:
        files: As `page_files` gives them.
        port: Port to listen at; 0 takes a free one.
        on_ready: Told the address once it can be opened.

    Raises:
        MienError: If the port is taken.
    """
    with open_server(files, port) as server:
        on_ready(f"http://localhost:{server.server_port}/")
        server.serve_forever()


def open_server(files: Mapping[str, bytes], port: int) -> ThreadingHTTPServer:
    """As `serve_page`, a server that does not run yet."""

    class Handler(_PageHandler):
        pass

    Handler.files = files
    try:
        return ThreadingHTTPServer((HOST, port), Handler)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise MienError(f"cannot listen at port {port}: {reason}; choose another with --port") from error


class _PageHandler(BaseHTTPRequestHandler):
    """Answers with the page's files, which it holds in memory: nothing else on this machine can be asked for."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "mien", ""
    files: Mapping[str, bytes]

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        name = unquote(urlsplit(self.path).path).lstrip("/") or "index.html"
        content = self.files.get(name)
        if content is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", _TYPES.get(PurePosixPath(name).suffix, "text/plain; charset=utf-8"))
        self.send_header("Content-Length", str(len(content)))
        # A file in a folder named after its content never changes; the entrance is requested again each time.
        lasting = "/" in name
        self.send_header("Cache-Control", "public, max-age=31536000, immutable" if lasting else "no-cache")
        self.send_header("Content-Security-Policy", f"{POLICY}; frame-ancestors 'none'")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        if with_body:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Log nothing: which files are opened is private."""
