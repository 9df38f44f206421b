"""``POST /v1/analyze``."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from io import BytesIO
from typing import Any

from anyio import fail_after
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from mien.errors import ImageError
from mien.server.form import Upload, read_files
from mien.server.problems import ProblemError, documented
from mien.server.schemas import Pictures
from mien.server.service import Service, unless_gone

FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["pictures"],
                    "properties": {
                        "pictures": {
                            "type": "array",
                            "minItems": 1,
                            "items": {"type": "string", "format": "binary"},
                            "description": "JPEG, PNG, WebP, BMP, GIF, TIFF or PPM.",
                        }
                    },
                }
            }
        },
    }
}


def picture_routes(service: Service) -> APIRouter:
    """The route for pictures."""
    router = APIRouter(tags=["pictures"])

    @router.post(
        "/v1/analyze",
        summary="Read every face in pictures",
        response_model=Pictures,
        openapi_extra=FORM,
        responses=documented(400, 401, 408, 413, 415, 422, 429, 503),
    )
    async def analyze(request: Request) -> JSONResponse:
        """Send one or many pictures as a form with files.

        Each gets an answer of its own, in the same order. A picture that cannot be read gets an `error` and does not
        keep the others from being read; if none can be read, the answer is 422. A picture without a face is a valid
        answer.
        """
        with service.requests.take():
            settings = service.settings
            uploads = await read_files(request, BytesIO, settings.max_body, settings.max_images, settings.timeout_s)
            # Browsers send a nameless empty file where none was chosen.
            uploads = [upload for upload in uploads if upload.name or upload.file.tell()]
            if not uploads:
                raise ProblemError(422, "no_file", "no picture in the form; send one or more as files named 'pictures'")
            try:
                with fail_after(settings.timeout_s):
                    answers = await unless_gone(request, _read_all(service, uploads))
            except TimeoutError:
                detail = f"reading took longer than {settings.timeout_s:g} s; send fewer or smaller pictures"
                raise ProblemError(503, "too_slow", detail, retry_after=5) from None
        if all("error" in answer for answer in answers):
            first = answers[0]
            detail = f"{first['source'] or 'picture'}: {first['error']['detail']}"
            if len(answers) > 1:
                detail = f"none of the {len(answers)} pictures could be read; {detail}"
            raise ProblemError(422, "unreadable", detail, pictures=answers)
        return JSONResponse({"pictures": answers})

    return router


async def _read_all(service: Service, uploads: list[Upload]) -> list[dict[str, Any]]:
    # No more at a time than there are threads, so that others come in between.
    turn = asyncio.Semaphore(service.settings.threads)

    async def read(upload: Upload) -> dict[str, Any]:
        async with turn:
            return await service.pool.run(_read, service, upload)

    return await asyncio.gather(*map(read, uploads))


def _read(service: Service, upload: Upload) -> dict[str, Any]:
    assert isinstance(upload.file, BytesIO)
    try:
        frame = service.decode(upload.file.getvalue())
    except ImageError as error:
        service.metrics.pictures.labels("refused").inc()
        detail = str(error).removeprefix("picture: ")
        return {"source": upload.name, "error": {"code": "unreadable", "detail": detail}}
    result = service.analyzer.analyze_frame(frame)
    service.metrics.pictures.labels("read").inc()
    service.metrics.faces.inc(len(result))
    return replace(result, source=upload.name).to_dict()
