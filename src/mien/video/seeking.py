"""Which frame of a video file comes first after a given time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import dropwhile

from mien.video.backend import VideoSource, open_input


def find_frame(source: VideoSource, is_wanted: Callable[[int], bool]) -> tuple[int, int] | None:
    """Look up a frame by its time, by reading the file without decoding it.

    Args:
        source: The video.
        is_wanted: Tells whether a time, in units of the stream's time base, is that of the frame or later.

    Returns:
        Number and time of the first such frame; None if there is none, or the file keeps no times.
    """
    with open_input(source) as container:
        # What comes before the first key frame cannot be decoded, and what an edit list cuts off is not shown.
        packets = dropwhile(lambda packet: not packet.is_keyframe, container.demux(container.streams.video[0]))
        times = [packet.pts for packet in packets if packet.pts is not None and packet.size and not packet.is_discard]
    later = [pts for pts in times if is_wanted(pts)]
    return (len(times) - len(later), min(later)) if later else None


def places_before(time_s: float) -> Iterator[float]:
    """Times at which to look for a key frame from which a frame can be decoded: its own, then earlier and earlier."""
    yield time_s
    back_s = 1.0
    while back_s < time_s:
        yield time_s - back_s
        back_s *= 2
