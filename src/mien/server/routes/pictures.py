"""``POST /v1/analyze``."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import replace
from typing import Annotated, Any

from anyio import fail_after
from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from mien.detection import Frame
from mien.errors import ImageError
from mien.server.problems import ProblemError, documented
from mien.server.schemas import Pictures, base64_pictures, body, files_form
from mien.server.service import Service, client_of, unless_gone
from mien.server.settings import FORMATS
from mien.server.uploads import Upload


class _Query(BaseModel):
    """Nothing may be asked; what is not known is an error rather than ignored."""

    model_config = ConfigDict(extra="forbid")


def picture_routes(service: Service) -> APIRouter:
    """The route for pictures."""
    router = APIRouter(tags=["pictures"])
    formats = service.settings.formats
    kinds = ", ".join(name for name in FORMATS if name in formats)
    description = f"A picture: {kinds}."

    @router.post(
        "/v1/analyze",
        summary="Read every face in pictures",
        response_model=Pictures,
        openapi_extra=body(
            {
                "multipart/form-data": files_form("pictures", description, many=True),
                "application/json": base64_pictures(description, service.settings.max_images),
            }
            | {f"image/{name.replace('jpeg2000', 'jp2')}": "binary" for name in formats if name != "ppm"}
        ),
        responses=documented(400, 401, 403, 408, 413, 415, 422, 429, 503, 507),
    )
    async def analyze(request: Request, query: Annotated[_Query, Query()]) -> JSONResponse:
        """Send one or many pictures as a form with files or as base64 in JSON, or one picture as it is.

        Each gets an answer of its own, in the same order. A picture that cannot be read gets an `error` and does not
        keep the others from being read; if none can be read, the answer is 422. A picture without a face is a valid
        answer.
        """
        settings = service.settings
        with ExitStack() as held:
            uploads = await service.pictures.receive(request, held)
            if not uploads:
                raise ProblemError(422, "no_file", "no picture came; send one or more as files named 'pictures'")
            held.enter_context(service.requests.take())
            try:
                with fail_after(settings.timeout_s):
                    answers = await unless_gone(request, _read_all(service, uploads, client_of(request)))
            except TimeoutError:
                detail = f"reading took longer than {settings.timeout_s:g} s; send fewer or smaller pictures"
                raise ProblemError(503, "too_slow", detail) from None
        if all("error" in answer for answer in answers):
            first = answers[0]
            detail = f"{first['source'] or 'picture'}: {first['error']['detail']}"
            if len(answers) > 1:
                detail = f"none of the {len(answers)} pictures could be read; {detail}"
            raise ProblemError(422, "unreadable", detail, pictures=answers)
        return JSONResponse({"pictures": answers})

    return router


async def _read_all(service: Service, uploads: list[Upload], client: str) -> list[dict[str, Any]]:
    contents = [upload.file.read() for upload in uploads]
    sizes = await asyncio.gather(*map(service.count_pixels, contents), return_exceptions=True)
    pixels = sum(size for size in sizes if isinstance(size, int))
    limit = service.settings.max_request_pixels
    if pixels > limit:
        detail = f"the pictures have {pixels / 1e6:g} megapixels together, more than the {limit / 1e6:g} allowed"
        raise ProblemError(413, "too_many_pixels", f"{detail}; send them in several requests")
    service.pixels.demand(client, pixels)
    # No more at a time than there are threads, so that others come in between.
    turn = asyncio.Semaphore(service.settings.threads)

    def analyze(frame: Frame) -> dict[str, Any]:
        result = service.analyzer.analyze_frame(frame)
        service.metrics.pictures.labels("read").inc()
        service.metrics.faces.inc(len(result))
        return replace(result, source="").to_dict()

    async def read(upload: Upload, content: bytes, size: int | BaseException) -> dict[str, Any]:
        try:
            if upload.damage:
                raise ImageError(upload.damage)
            if isinstance(size, BaseException):
                raise size
            async with turn:
                return await service.read(content, size, analyze) | {"source": upload.name}
        except ImageError as error:
            service.metrics.pictures.labels("refused").inc()
            return {
                "source": upload.name,
                "error": {"code": "unreadable", "detail": error.reason.removeprefix("picture: ")},
            }

    return await asyncio.gather(*map(read, uploads, contents, sizes))
