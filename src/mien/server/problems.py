"""Errors as the service tells them: RFC 9457 problem details, the same shape everywhere."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from mien.errors import MienError

MEDIA_TYPE = "application/problem+json"


class ProblemDetails(BaseModel):
    """What went wrong, after RFC 9457."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {
                "type": "about:blank",
                "title": "Too Many Requests",
                "status": 429,
                "detail": "too many requests at once; come back in 1 s",
                "code": "busy",
            }
        },
    )

    type: str = Field(description="Always `about:blank`; `code` tells problems apart.")
    title: str = Field(description="The status in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="One line for people: what came, what was expected, what to do.")
    code: str = Field(description="One word for programs.")


class ProblemError(MienError):
    """A request that is refused.

    Args:
        status: HTTP status.
        code: One word for programs; also the label under which refusals are counted.
        detail: One line for people.
        retry_after: Seconds after which the same request may succeed.
        members: Further members of the answer.
    """

    def __init__(self, status: int, code: str, detail: str, *, retry_after: int | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.status, self.code, self.retry_after = status, code, retry_after
        self.members = members

    def to_dict(self) -> dict[str, Any]:
        """The members of the answer."""
        return {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": str(self),
            "code": self.code,
            **self.members,
        }

    def response(self, headers: dict[str, str] | None = None) -> JSONResponse:
        """The answer itself."""
        headers = dict(headers or {})
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        if self.status == HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = "Bearer"
        return JSONResponse(self.to_dict(), self.status, headers, MEDIA_TYPE)


def busy(seconds: int = 1) -> ProblemError:
    """Every place is taken."""
    return ProblemError(429, "busy", f"too many requests at once; come back in {seconds} s", retry_after=seconds)


def stopping() -> ProblemError:
    """The service is shutting down, or has not been started."""
    return ProblemError(503, "stopping", "the service is not running; come back later", retry_after=10)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Descriptions of error answers for OpenAPI."""
    return {status: _DOCUMENTED[status] for status in statuses}


def _document(description: str, retry: bool = False) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": description,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
    }
    if retry:
        schema = {"type": "integer", "minimum": 1}
        answer["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": schema}}
    return answer


_DOCUMENTED = {
    400: _document("The form is damaged or breaks off."),
    401: _document("The bearer token is missing or wrong."),
    403: _document("The service is addressed by another name, or a web page from elsewhere asks."),
    404: _document("There is no such video: never was, deleted, or not fetched in time."),
    408: _document("The upload took too long."),
    409: _document("The video has not been read yet, or could not be."),
    413: _document("The upload has too many bytes, files or pixels."),
    415: _document("The body is of a kind that is not read."),
    422: _document("The request holds no file, or nothing in it could be read, or a parameter is out of range."),
    429: _document("Every place is taken, or the client has had its share for now.", retry=True),
    503: _document("The service is stopping, or reading took too long.", retry=True),
    507: _document("There is no room for the upload on the disk."),
}


def install_handlers(app: FastAPI, on_problem: Callable[[str], None]) -> None:
    """Answer every error of an app as a problem.

    Args:
        app: The app.
        on_problem: Told the code of each `ProblemError`, to count them.
    """

    @app.exception_handler(ProblemError)
    async def _(request: Request, error: ProblemError) -> JSONResponse:
        on_problem(error.code)
        return error.response()

    @app.exception_handler(HTTPException)
    async def _(request: Request, error: HTTPException) -> JSONResponse:
        code = HTTPStatus(error.status_code).name.lower()
        headers = dict(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED and (methods := _methods(request)):
            # Starlette names the methods of the first route of this path alone.
            headers["Allow"] = ", ".join(methods)
        return ProblemError(error.status_code, code, str(error.detail)).response(headers)

    @app.exception_handler(RequestValidationError)
    async def _(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"][1:])
        return ProblemError(422, "invalid", f"{place}: {first['msg']}").response()

    @app.exception_handler(ClientDisconnect)
    async def _(request: Request, error: ClientDisconnect) -> JSONResponse:
        return ProblemError(400, "disconnected", "the upload broke off").response()

    @app.exception_handler(Exception)
    async def _(request: Request, error: Exception) -> JSONResponse:
        return ProblemError(500, "internal", "something went wrong inside the service; its log says what").response()


def _methods(request: Request) -> list[str]:
    """The methods of a path that has some, as described."""
    operations = request.app.openapi()["paths"].get(request.scope["route"].path, {})
    return sorted(method.upper() for method in operations)
