"""Uploads: forms with files, raw bodies and base64 in JSON, under limits that hold while they come in.

Nothing but bytes is taken: no path, no address.
"""

from __future__ import annotations

import asyncio
import base64
import string
from collections.abc import AsyncGenerator
from contextlib import ExitStack
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, NamedTuple, cast

from anyio import CancelScope, fail_after
from fastapi import Request
from pydantic import ValidationError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from mien.server.limits import Limiter
from mien.server.problems import ProblemError, stopping
from mien.server.schemas import JsonPictures

# What is repeated back to a client of the names it gave.
_MAX_NAME = 255
_WHITESPACE = string.whitespace.encode()
# The end of a form is looked for in so many bytes.
_TAIL = 4096
# So long an upload may take whatever its rate.
_GRACE_S = 5.0


class Upload(NamedTuple):
    """A file that came in.

    Attributes:
        name: Its name, as the client gave it; empty if it gave none.
        file: Its content, at the beginning.
        size: Bytes of it.
        damage: Why it cannot be read, where that was found out while it came in; the content is empty then.
    """

    name: str
    file: BinaryIO
    size: int
    damage: str = ""


class Receiver:
    """Reads uploads of one kind.

    Args:
        kind: What raw bodies are, ``image`` or ``video``: content types that begin so are taken.
        room: The bytes that all uploads together may hold.
        max_bytes: Limit for the whole body; checked as it comes in, whatever its headers say.
        max_files: Limit for the number of files.
        seconds: Limit for the time an upload takes.
        min_rate: Bytes a second that it must bring on average.
        in_memory: Files up to this size are held in memory, larger ones in a temporary file without a name.
        json: Whether JSON with base64 is taken.
    """

    def __init__(
        self,
        kind: str,
        room: Limiter,
        max_bytes: int,
        max_files: int,
        seconds: float,
        min_rate: float,
        in_memory: int,
        json: bool = False,
    ) -> None:
        self._kind, self._room = kind, room
        self._max_bytes, self._max_files = max_bytes, max_files
        self._seconds, self._min_rate = seconds, min_rate
        self._in_memory, self._json = in_memory, json
        self._stopped = False
        self._coming: set[CancelScope] = set()

    async def receive(self, request: Request, held: ExitStack) -> list[Upload]:
        """Read the files of a request.

        Args:
            request: The request, its body not read yet.
            held: Receives what to let go of when the files are not needed any more: the files and their bytes.

        Returns:
            The files in the order they came.

        Raises:
            ProblemError: If the request is of another kind, is damaged, or exceeds a limit.
        """
        kind, options = parse_options_header(request.headers.get("content-type"))
        length = request.headers.get("content-length", "")
        if length.isdecimal() and (len(length) > 15 or int(length) > self._max_bytes):
            raise self._too_large()
        if kind == b"multipart/form-data":
            parse = self._read_form(request, held, options.get(b"boundary", b""))
        elif kind.startswith(self._kind.encode() + b"/"):
            parse = self._read_body(request, held)
        elif self._json and kind == b"application/json":
            parse = self._read_json(request, held)
        else:
            json_too = ", application/json with base64" if self._json else ""
            detail = (
                f"expected multipart/form-data with files in it{json_too}, or {self._kind}/... with the file itself"
            )
            raise ProblemError(415, "not_a_form", detail)
        try:
            return await parse
        except OSError as error:
            raise ProblemError(507, "no_room", "there is no room for the upload on this server") from error

    def stop(self) -> None:
        """Cut short what is coming in, and take nothing more."""
        self._stopped = True
        for scope in self._coming:
            scope.deadline = 0

    def _too_large(self) -> ProblemError:
        return ProblemError(413, "body_too_large", f"the upload has more than the {self._max_bytes} bytes allowed")

    async def _chunks(self, request: Request, held: ExitStack) -> AsyncGenerator[bytes, None]:
        """The body as it comes in, and no further than the limits allow."""
        if self._stopped:
            raise stopping()
        more = held.enter_context(self._room.take(0))
        received, begun = 0, asyncio.get_running_loop().time()
        body = request.stream()
        while True:
            patience = _GRACE_S + received / self._min_rate if self._min_rate else self._seconds
            try:
                # Cancelling reaches no further than this one chunk, so that no file is left in between.
                with fail_after(None) as scope:
                    scope.deadline = begun + min(self._seconds, patience)
                    self._coming.add(scope)
                    chunk = await anext(body, None)
            except TimeoutError:
                if self._stopped:
                    raise stopping() from None
                detail = (
                    f"the upload took longer than {self._seconds:g} s, or came slower than {self._min_rate} bytes/s"
                )
                raise ProblemError(408, "upload_too_slow", detail) from None
            finally:
                self._coming.discard(scope)
            if chunk is None:
                return
            received += len(chunk)
            if received > self._max_bytes:
                raise self._too_large()
            more(len(chunk))
            yield chunk

    async def _read_form(self, request: Request, held: ExitStack, boundary: bytes) -> list[Upload]:
        if not boundary:
            raise ProblemError(400, "damaged_form", "the Content-Type header names no boundary")
        tail = b""

        async def chunks() -> AsyncGenerator[bytes, None]:
            nonlocal tail
            async for chunk in self._chunks(request, held):
                tail = (tail + chunk)[-_TAIL:]
                yield chunk

        parser = MultiPartParser(request.headers, chunks(), max_files=self._max_files, max_fields=0)
        parser.spool_max_size = self._in_memory
        try:
            form = await parser.parse()
        except (MultiPartException, FormParserError) as error:
            # Which of the two it is depends on Starlette's version.
            raise self._refuse_form(str(error)) from error
        files = [file for _, file in form.multi_items() if isinstance(file, UploadFile)]
        for file in files:
            held.callback(file.file.close)
        # The parser takes what came for the whole.
        if b"--" + boundary + b"--" not in tail:
            raise self._refuse_form("")
        uploads = [Upload((file.filename or "")[:_MAX_NAME], file.file, file.size or 0) for file in files]
        # Browsers send a nameless empty file where none was chosen.
        return [upload for upload in uploads if upload.name or upload.size]

    def _refuse_form(self, reason: str) -> ProblemError:
        if reason.startswith("Too many files"):
            detail = f"more than the {self._max_files} files allowed in one request"
            return ProblemError(413, "too_many_files", detail)
        if reason.startswith("Too many fields"):
            detail = "the form has a field that is not a file; only files are read, sent as bytes"
            return ProblemError(422, "not_a_file", detail)
        return ProblemError(400, "damaged_form", "the form is damaged or breaks off; send it as multipart/form-data")

    async def _read_body(self, request: Request, held: ExitStack) -> list[Upload]:
        file = held.enter_context(SpooledTemporaryFile(self._in_memory))  # noqa: SIM115
        async for chunk in self._chunks(request, held):
            file.write(chunk)
        size = file.tell()
        file.seek(0)
        return [Upload("", cast(BinaryIO, file), size)]

    async def _read_json(self, request: Request, held: ExitStack) -> list[Upload]:
        body = bytearray()
        async for chunk in self._chunks(request, held):
            body += chunk
        return await asyncio.to_thread(self._parse_json, body)

    def _parse_json(self, body: bytearray) -> list[Upload]:
        expected = 'expected {"pictures": ["...", ...]} with each picture in base64'
        try:
            pictures = JsonPictures.model_validate_json(bytes(body)).pictures
        except ValidationError:
            raise ProblemError(422, "invalid", expected) from None
        if len(pictures) > self._max_files:
            raise self._refuse_form("Too many files")
        uploads = []
        for picture in pictures:
            name, text = ("", picture) if isinstance(picture, str) else (picture.source, picture.data)
            content, damage = b"", ""
            try:
                # Browsers' data URLs begin with data:image/png;base64, and many programs break base64 into lines.
                digits = text.rpartition(",")[2].encode().translate(None, _WHITESPACE)
                content = base64.b64decode(digits, validate=True)
            except ValueError:
                damage = "is not base64; send the bytes of the file in base64, or a data URL"
            uploads.append(Upload(name[:_MAX_NAME], BytesIO(content), len(content), damage))
        return uploads
