"""Who is a person: seen well for half a second in all."""

from __future__ import annotations

import pytest

from mien.emotions import Emotion
from mien.results import Face
from mien.tracking.confirmation import Confirmation

FACE = Face(
    (10, 10, 40, 40), 0.9, Emotion.HAPPY, 0.94, {e: 0.94 if e is Emotion.HAPPY else 0.01 for e in Emotion}, False, 1
)


@pytest.mark.parametrize(
    ("rate", "seen", "confirmed_s"),
    [
        (30, range(90), 0.5),
        (1000, range(900), 0.5),
        # Something that looks like a face for single frames, far apart in time: not seen for half a second in all.
        (30, (0, 18, 36, 54), None),
        # Every second frame: half of the time.
        (30, range(0, 90, 2), 1.0),
        # Frames far apart count for half a second at most, and the first one for nothing.
        (1, (0,), None),
        (1, (0, 1), 1.0),
    ],
    ids=["30 a second", "1000 a second", "glimpses", "every second frame", "once in a second", "twice in two seconds"],
)
def test_a_person_has_been_seen_for_half_a_second_in_all(
    rate: int, seen: range | tuple[int, ...], confirmed_s: float | None
) -> None:
    confirmation, confirmed = Confirmation(), []
    for number in range(3 * rate):
        confirmation.update([FACE] if number in seen else [], number / rate)
        confirmation.keep({1})
        if confirmation.is_confirmed(1):
            confirmed.append(number / rate)
    assert (confirmed[0] if confirmed else None) == (
        None if confirmed_s is None else pytest.approx(confirmed_s, abs=0.05)
    )
