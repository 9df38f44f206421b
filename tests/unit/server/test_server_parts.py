"""The parts of the service that can be tried on their own."""

from __future__ import annotations

import socket

import pytest

pytest.importorskip("fastapi", reason="needs the extra server")
from mien.server.limits import Limiter
from mien.server.problems import ProblemError
from mien.server.run import listen


def test_places_are_given_back_after_failures_too() -> None:
    places = Limiter(1)
    with pytest.raises(ZeroDivisionError), places.take():
        with pytest.raises(ProblemError) as refused, places.take():
            pass
        assert refused.value.status == 429
        raise ZeroDivisionError
    with places.take():
        assert places.taken == 1
    assert places.taken == 0


def test_answers_are_sent_at_once() -> None:
    """With Nagle's algorithm they would wait for the client's system to acknowledge their heads."""
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
