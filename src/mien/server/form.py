"""Uploads: multipart forms, read piece by piece under limits. Nothing but files is taken: no path, no address."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, NamedTuple, TypeVar

from anyio import fail_after
from fastapi import Request
from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from mien.server.problems import ProblemError

# What is repeated back to a client of the names it gave.
_MAX_NAME = 255

_File = TypeVar("_File", bound=BinaryIO)


class Upload(NamedTuple):
    """A file of a form.

    Attributes:
        name: Its name, as the client gave it.
        file: What was opened for it, at its end.
    """

    name: str
    file: BinaryIO


async def read_files(
    request: Request, open_file: Callable[[], BinaryIO], max_bytes: int, max_files: int, seconds: float
) -> list[Upload]:
    """Read the files of a ``multipart/form-data`` request.

    Args:
        request: The request, its body not read yet.
        open_file: Opens the place that the next file is written to. Closing is left to whoever opened it.
        max_bytes: Limit for the whole body; checked as it comes in, whatever its headers say.
        max_files: Limit for the number of files.
        seconds: Limit for the time the upload takes.

    Returns:
        The files in the order they came.

    Raises:
        ProblemError: If the request is no such form, is damaged, or exceeds a limit.
    """
    kind, parameters = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data":
        raise ProblemError(415, "not_a_form", "expected multipart/form-data with files in it")
    too_large = ProblemError(413, "body_too_large", f"the upload has more than the {max_bytes} bytes allowed")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > max_bytes:
        raise too_large
    form = _Form(parameters.get(b"boundary", b""), open_file, max_files)
    received = 0
    try:
        with fail_after(seconds):
            async for chunk in request.stream():
                received += len(chunk)
                if received > max_bytes:
                    raise too_large
                form.write(chunk)
    except TimeoutError:
        raise ProblemError(408, "upload_too_slow", f"the upload took longer than {seconds:g} s") from None
    except OSError as error:
        raise ProblemError(507, "no_room", "there is no room for the upload on this server") from error
    form.finish()
    return form.uploads


class _Form:
    """Receives what the parser finds."""

    def __init__(self, boundary: bytes, open_file: Callable[[], BinaryIO], max_files: int) -> None:
        self.uploads: list[Upload] = []
        self._open_file, self._max_files = open_file, max_files
        self._header, self._value = bytearray(), bytearray()
        self._disposition = b""
        self._file: BinaryIO | None = None
        self._complete = False
        if not boundary:
            raise ProblemError(400, "damaged_form", "the Content-Type header names no boundary")
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._open_part,
                    "on_part_data": self._add,
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise _damaged() from error

    def write(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise _damaged() from error

    def finish(self) -> None:
        if not self._complete:
            raise _damaged()

    def _begin_part(self) -> None:
        self._disposition = b""

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _open_part(self) -> None:
        _, options = parse_options_header(self._disposition)
        if b"filename" not in options:
            field = _text(options.get(b"name", b""))
            raise ProblemError(422, "not_a_file", f"the field {field!r} is no file; only files are read, sent as bytes")
        name = _text(options[b"filename"])
        if len(self.uploads) == self._max_files:
            raise ProblemError(413, "too_many_files", f"more than the {self._max_files} files allowed in one request")
        self._file = self._open_file()
        self.uploads.append(Upload(name, self._file))

    def _add(self, data: bytes, start: int, end: int) -> None:
        assert self._file is not None
        self._file.write(data[start:end])

    def _end(self) -> None:
        self._complete = True


def _damaged() -> ProblemError:
    return ProblemError(400, "damaged_form", "the form is damaged or breaks off; send it as multipart/form-data")


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")[:_MAX_NAME]
