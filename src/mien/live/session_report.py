"""Files made of a live session: table, timeline, JSON and a page to print."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.clock import clock
from mien.emotions import Emotion
from mien.live.colors import hexadecimal
from mien.live.session_log import Session
from mien.live.strips import average_columns
from mien.results import FrameResult
from mien.tables import FRAMES, Layout, Rows, TableWriter
from mien.video.summary import TrackSummary
from mien.video.timeline import Timeline

GUESS = "A guess about an expression, not about a mind."
"""What every front end says of its answers."""

# Less than this would be shown as 0.0 seconds.
_BRIEF_S = 0.05


def write_table(session: Session, path: Path) -> None:
    """Write a row per person and frame, as `mien video --table` does, with a column for markers.

    Args:
        session: The session.
        path: The file, .csv, .parquet, .json or .jsonl.

    Raises:
        OptionError: If the suffix is unknown or the place cannot be written to.
        OutputError: If writing fails.
    """
    waiting = list(session.markers)

    def marked(result: FrameResult) -> Rows:
        notes = []
        while waiting and waiting[0].time_s <= (result.time_s or 0.0):
            notes.append(waiting.pop(0).note or "marker")
        for row in FRAMES.rows(result):
            yield {**row, "marker": "; ".join(notes) or None}

    with TableWriter(path, Layout({**FRAMES.columns, "marker": "string"}, marked)) as table:
        for result in session.results():
            table.write(result)


def write_timeline(session: Session, path: Path) -> None:
    """Draw each person's emotions over time.

    Raises:
        MissingExtraError: If matplotlib is not installed.
        OptionError: If the suffix is unknown or the place cannot be written to.
        OutputError: If writing fails.
    """
    with Timeline(path) as timeline:
        for result in session.results():
            timeline.write(result)


def table_of(session: Session) -> bytes:
    """`write_table` as CSV in memory."""
    return _in_memory(lambda path: write_table(session, path), ".csv")


def timeline_of(session: Session) -> bytes:
    """`write_timeline` as PNG in memory."""
    return _in_memory(lambda path: write_timeline(session, path), ".png")


def json_of(session: Session) -> str:
    """The session as one JSON object: when, how long, the summary, the markers, and every frame."""
    return json.dumps(
        {
            "source": session.source,
            "begun": session.begun.isoformat(timespec="seconds"),
            "duration_s": round(session.duration_s, 3),
            "markers": [{"time_s": round(marker.time_s, 3), "note": marker.note} for marker in session.markers],
            "summary": session.summary.to_dict(),
            "frames": [result.to_dict() for result in session.results()],
        }
    )


def strips_of(session: Session, count: int) -> dict[int, NDArray[np.float32]]:
    """The probabilities of each person over the session, float32 (count, 7), NaN where unseen; by id."""
    samples: dict[int, tuple[list[float], list[list[float]]]] = {}
    for result in session.results():
        for face in result:
            if face.track is not None:
                times, values = samples.setdefault(face.track, ([], []))
                times.append(result.time_s or 0.0)
                shown = face.smoothed or face.probabilities
                values.append([shown[emotion] for emotion in Emotion])
    step_s = max(session.duration_s, 1e-3) / count
    return {
        # The last frame belongs to the last column.
        track: average_columns(np.minimum(times, session.duration_s - step_s / 2), values, 0.0, step_s, count)
        for track, (times, values) in samples.items()
    }


def seconds_of(person: TrackSummary) -> list[tuple[Emotion, float]]:
    """How long a person showed which emotion, the longest first, without what was hardly shown."""
    shown = [(emotion, seconds) for emotion, seconds in person.seconds.items() if seconds >= _BRIEF_S]
    return sorted(shown, key=lambda item: -item[1])


def html_of(session: Session, portraits: bool = True) -> str:
    """The session as a page of its own, to keep and to print; it needs no other file.

    Args:
        session: The session.
        portraits: Whether to show the people's faces.
    """
    people = sorted(session.summary.tracks.values(), key=lambda person: person.track)
    facts = [
        f"<b>{clock(session.duration_s)}</b> duration",
        f"<b>{len(people)}</b> {'person' if len(people) == 1 else 'people'}",
        f"<b>{session.summary.frames}</b> frames",
    ]
    picture = b64encode(timeline_of(session)).decode()
    cards = "".join(_person(session, person, portraits) for person in people) or "<p>No face was seen.</p>"
    return _PAGE.format(
        title=escape(session.source),
        begun=f"{session.begun:%Y-%m-%d %H:%M}",
        facts="".join(f"<span>{fact}</span>" for fact in facts),
        timeline=picture,
        people=cards,
        markers=_markers(session),
        guess=GUESS,
    )


def _markers(session: Session) -> str:
    if not session.markers:
        return ""
    items = "".join(
        f"<li><b>{clock(marker.time_s)}</b> {escape(marker.note or 'marker')}</li>" for marker in session.markers
    )
    return f"<h2>Markers</h2><ul>{items}</ul>"


def _person(session: Session, person: TrackSummary, portraits: bool) -> str:
    longest = max(1e-6, person.total_s)
    bars = "".join(
        f"<tr><td>{emotion}</td><td><i style='width:{100 * seconds / longest:.1f}%;"
        f"background:{hexadecimal(emotion.color)}'></i></td><td>{seconds:.1f} s</td></tr>"
        for emotion, seconds in seconds_of(person)
    )
    image = ""
    if portraits and person.track in session.portraits:
        image = f'<img alt="" src="data:image/jpeg;base64,{b64encode(session.portraits[person.track]).decode()}">'
    certain = f"in sight for {person.total_s:.1f} s, uncertain for {person.uncertain_s:.1f} s of these"
    return f"<section>{image}<div><h3>Person #{person.track}</h3><p>{certain}</p><table>{bars}</table></div></section>"


def _in_memory(write: Callable[[Path], Any], suffix: str) -> bytes:
    with TemporaryDirectory(prefix="mien-") as folder:
        path = Path(folder, f"session{suffix}")
        write(path)
        return path.read_bytes()


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}, {begun}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; color: #222; background: #fff; max-width: 900px; margin: 2rem auto;
  padding: 0 1rem; }}
h1, h2, h3 {{ font-weight: 500; margin: 0.2em 0; }}
.facts {{ display: flex; gap: 2rem; margin: 1rem 0; }} .facts b {{ font-size: 1.4rem; font-weight: 500; }}
/* On a phone it is scrolled, since its letters would be too small to read. */
.timeline {{ overflow-x: auto; }} .timeline img {{ width: 100%; min-width: 640px; }}
section {{ display: flex; gap: 1rem; margin: 1.2rem 0; break-inside: avoid; }}
section img {{ width: 84px; height: 84px; border-radius: 10px; }} section div {{ flex: 1; }} section p {{ margin: 0; }}
table {{ width: 100%; border-collapse: collapse; }} td:first-child {{ width: 6rem; }} td:last-child {{ width: 5rem;
  text-align: right; }} td i {{ display: block; height: 10px; border-radius: 5px; border: 1px solid #555; }}
footer {{ margin-top: 2rem; padding-top: 1rem; border-top: 1px solid #ccc; color: #555; }}
</style></head><body>
<h1>{title}</h1><p>{begun}</p><div class="facts">{facts}</div>
<div class="timeline" tabindex="0" role="region" aria-label="Timeline"><img alt="Emotions of each person over time"
src="data:image/png;base64,{timeline}"></div>
<h2>People</h2>{people}{markers}
<footer><b>{guess}</b> People smile without being happy and are sad without showing it. Not for judging people, and not
for use at work or in schools.</footer>
</body></html>
"""
