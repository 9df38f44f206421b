"""What the OpenAPI description promises, held against the service by generated requests."""

from __future__ import annotations

import base64
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs the extra server")
schemathesis = pytest.importorskip("schemathesis", reason="needs the extra dev")
import cv2
import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from mien.server import ServerSettings, create_app

# Bytes at random are no picture, which is an error that a schema cannot foresee.
PNG = cv2.imencode(".png", np.zeros((8, 8), np.uint8))[1].tobytes()
schemathesis.openapi.format("binary", st.just(PNG))
schemathesis.openapi.format("byte", st.just(base64.b64encode(PNG).decode()))
app = create_app(ServerSettings(token=None, allowed_hosts=("testserver", "localhost", "127.0.0.1")))
# More files than allowed are refused with 413, which the check does not know as a refusal.
REFUSED = {"expected-statuses": ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422"]}
schema = schemathesis.openapi.from_asgi(
    "/openapi.json",
    app,
    config=schemathesis.Config.from_dict({"checks": {"negative_data_rejection": REFUSED}}),
)


@schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_answers_keep_to_the_description(case: Any) -> None:
    case.call_and_validate()
