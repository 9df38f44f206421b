"""The service's log: one line per event, as text or JSON. It holds no names of files, no ids of videos, no tokens."""

from __future__ import annotations

import json
import logging
import re
import uuid
from contextvars import ContextVar
from datetime import datetime, timezone
from time import monotonic

FORMATS = ("text", "json")
LEVELS = ("debug", "info", "warning", "error")

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Id of the request that is being answered."""

# So often the same warning is written at most, however often it comes.
_QUIET_S = 60.0


def make_request_id(given: str | None) -> str:
    """The id that a proxy gave a request, if it looks like one; else a new one."""
    return given if given and re.fullmatch(r"[A-Za-z0-9._-]{1,64}", given) else uuid.uuid4().hex


class SeldomFilter(logging.Filter):
    """Lets the same warning through once a minute and counts the others: a log must not fill the disk."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        # What is left out differs from one to the next: numbers of sockets and tasks, ports.
        key, now = re.sub(r"\d+", "#", record.getMessage())[:200], monotonic()
        since, count = self._seen.get(key, (-_QUIET_S, 0))
        if now - since < _QUIET_S:
            self._seen[key] = since, count + 1
            return False
        if len(self._seen) > 1000:
            self._seen.clear()
        self._seen[key] = now, 0
        if count:
            record.msg, record.args = f"{record.getMessage()} ({count} more of these since the last)", ()
        return True


class _Formatter(logging.Formatter):
    """Adds the request's id, and in JSON the fields of `record.fields`."""

    def __init__(self, is_json: bool) -> None:
        super().__init__()
        self._is_json = is_json

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds")
        key = {"request_id": request_id.get()} if request_id.get() else {}
        error = self.formatException(record.exc_info) if record.exc_info else ""
        if self._is_json:
            values: dict[str, object] = {"time": time, "level": record.levelname.lower(), "logger": record.name}
            values |= {"message": record.getMessage(), **getattr(record, "fields", {}), **key}
            values |= {"error": error} if error else {}
            return json.dumps(values, default=str)
        line = " ".join([time, record.levelname, record.getMessage(), *(f"request_id={each}" for each in key.values())])
        # One line per event, whatever is in it.
        # By hand, because a codec would be loaded from a file, which a process out of descriptors cannot open.
        line = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in line)
        return f"{line}\n{error}" if error else line


def configure(level: str, form: str) -> None:
    """Send everything that is logged in this process to stderr.

    Args:
        level: One of `LEVELS`.
        form: One of `FORMATS`.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_Formatter(form == "json"))
    handler.addFilter(SeldomFilter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
