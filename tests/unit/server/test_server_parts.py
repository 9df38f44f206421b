"""The parts of the service that can be tried on their own."""

from __future__ import annotations

import pytest

from mien.server.limits import Limiter
from mien.server.problems import ProblemError


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
