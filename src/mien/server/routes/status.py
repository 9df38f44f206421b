"""How the service is: probes, the model, and the figures for Prometheus."""

from __future__ import annotations

from typing import Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

import mien
from mien.server.problems import documented, stopping
from mien.server.schemas import Health, ModelInfo, State
from mien.server.service import Service


def probe_routes(service: Service) -> APIRouter:
    """The routes that need no token."""
    router = APIRouter(tags=["service"])

    @router.get("/livez", summary="Whether the process answers", response_model=State)
    async def live() -> dict[str, str]:
        """For a liveness probe: 200 as long as the process can answer at all."""
        return {"status": "ok"}

    @router.get("/readyz", summary="Whether requests are taken", response_model=State, responses=documented(503))
    async def ready() -> dict[str, str]:
        """For a readiness probe: 200 once the model is loaded, until the service stops."""
        if not service.is_ready:
            raise stopping()
        return {"status": "ok"}

    return router


def status_routes(service: Service) -> APIRouter:
    """The routes that tell which model answers."""
    router = APIRouter(tags=["service"])

    @router.head("/healthz", include_in_schema=False)
    @router.get(
        "/healthz", summary="Whether the service is ready", response_model=Health, responses=documented(403, 503)
    )
    async def health() -> dict[str, str]:
        """Answers 200 once the model is loaded. Needs no token."""
        model = service.analyzer.classifier.config.name
        return {"status": "ok", "model": model, "version": mien.__version__}

    return router


def inner_routes(service: Service) -> APIRouter:
    """The routes for those who may use the service."""
    router = APIRouter(tags=["service"])

    @router.get(
        "/v1/model", summary="Which model answers", response_model=ModelInfo, responses=documented(401, 403, 503)
    )
    async def model() -> dict[str, Any]:
        """The same digest means the same answers, as long as `version` is the same, too."""
        classifier, options = service.analyzer.classifier, service.options
        return {
            "name": classifier.config.name,
            "version": mien.__version__,
            "digest": f"sha256:{service.digest}" if service.digest else None,
            "labels": list(classifier.config.labels),
            "precision": classifier.precision,
            "uncertain_below": service.analyzer.uncertain_below,
            "detector": options.detector,
        }

    @router.get(
        "/metrics",
        summary="Figures for Prometheus",
        response_class=Response,
        responses={**documented(401, 403, 503), 200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def metrics() -> Response:
        videos, processes = await service.videos.count()
        figures = await run_sync(service.metrics.render, videos, processes)
        return Response(figures, media_type=CONTENT_TYPE_LATEST)

    return router
