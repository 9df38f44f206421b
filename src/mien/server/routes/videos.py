"""``/v1/video``."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import ExitStack
from io import StringIO
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from mien.results import FrameResult
from mien.server.problems import ProblemError, documented
from mien.server.schemas import VideoStatus, body, files_form
from mien.server.service import Service
from mien.server.video_store import Video

# Characters of a table sent at a time.
_CHUNK = 1 << 16
_FORMATS = "MP4, MOV, MKV, WebM, AVI, MPEG, FLV, OGG, WMV or GIF."
_Id = Annotated[str, Path(alias="id", description="As `POST /v1/video` gave it.")]


class _HowToRead(BaseModel):
    """What may be asked of a video. Nothing is ignored: what is not known here is an error."""

    model_config = ConfigDict(extra="forbid")

    every: int = Field(1, ge=1, le=100, description="Read every N-th frame only.")


class _HowToAnswer(BaseModel):
    """What may be asked of a result; likewise."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["json", "csv"] | None = Field(
        None, description="`csv` for the table of frames. The header `Accept: text/csv` does too."
    )


def video_routes(service: Service) -> APIRouter:
    """The routes for videos."""
    router = APIRouter(tags=["videos"])

    @router.post(
        "/v1/video",
        status_code=202,
        summary="Begin to read a video",
        response_model=VideoStatus,
        response_model_exclude_none=True,
        openapi_extra=body({"multipart/form-data": files_form("video", _FORMATS), "video/mp4": "binary"}),
        responses=documented(400, 401, 403, 408, 413, 415, 422, 429, 503, 507),
    )
    async def start(
        request: Request,
        query: Annotated[_HowToRead, Query()],
    ) -> JSONResponse:
        """Send one video as a form with a file, or as it is. The answer names where its result will be (`Location`)."""
        videos = service.videos
        with ExitStack() as held:
            uploads = await service.clips.receive(request, held)
            if not uploads:
                raise ProblemError(422, "no_file", "no video in the form; send one as a file named 'video'")
            (video,) = uploads
            if not video.size:
                raise ProblemError(422, "unreadable", f"{video.name or 'video'}: is empty (0 bytes)")
            begun = await videos.start(video.name, query.every, video.file, held)
        location = str(request.app.url_path_for("fetch", id=begun.id))
        return JSONResponse(begun.to_dict(), 202, {"Location": request.scope.get("root_path", "") + location})

    @router.get(
        "/v1/video/{id}",
        summary="How far a video has been read, and the result",
        response_model=VideoStatus,
        responses=documented(401, 403, 404, 409, 422, 503)
        | {200: {"content": {"text/csv": {"schema": {"type": "string"}}, "application/json": {}}}},
    )
    async def fetch(
        request: Request,
        key: _Id,
        query: Annotated[_HowToAnswer, Query()],
    ) -> Response:
        """Once the status is `done`, `result` holds a summary of every person and what was read in every frame."""
        video = await service.videos.find(key)
        wants_table = query.format == "csv" if query.format else "text/csv" in request.headers.get("accept", "")
        if wants_table:
            if video.status != "done":
                failed = f": {video.error['detail']}" if video.error else ""
                raise ProblemError(409, "not_done", f"there is no table; the video is {video.status}{failed}")
            return StreamingResponse(_table(video), media_type="text/csv; charset=utf-8")
        if video.status == "done":
            return StreamingResponse(video.json(), media_type="application/json")
        return JSONResponse(video.to_dict(), headers={"Retry-After": "1"} if video.error is None else None)

    @router.delete(
        "/v1/video/{id}",
        status_code=204,
        summary="Stop reading a video, and forget its result",
        responses=documented(401, 403, 404, 422, 503),
    )
    async def delete(key: _Id) -> Response:
        await service.videos.delete(key)
        return Response(status_code=204)

    return router


def _table(video: Video) -> Iterator[str]:
    """The table of a video, as `mien video --table` writes it."""
    from mien.tables import FRAMES

    text = StringIO()
    writer = csv.DictWriter(text, list(FRAMES.columns))
    writer.writeheader()
    for values in video.frame_values():
        writer.writerows(FRAMES.rows(FrameResult.from_dict(values)))
        if text.tell() > _CHUNK:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()
