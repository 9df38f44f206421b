"""How the server was started: one for the whole process, read by every page."""

from __future__ import annotations

from dataclasses import dataclass, field

from mien.errors import OptionError
from mien.options import AnalyzerOptions

MAX_UPLOAD_MB = 200
"""Largest file that the server takes, in megabytes: some minutes of phone video. Uploads are held in memory."""

MAX_PHOTO_MB = 40
"""Largest photo, in megabytes."""

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Settings:
    """What `mien app` was told.

    Attributes:
        options: How pictures are read; its model is the one that new visitors get.
        host: Address that the server listens on.
        port: Port that it listens on.
        ice_servers: STUN and TURN servers as URLs, ``stun:host:port`` or ``turn:host:port?transport=tcp``. None are
            needed, and none are asked, as long as browser and server reach each other directly.
        turn_user: Name for the TURN servers among them.
        turn_password: Password for them.

    Raises:
        OptionError: If one of these is not possible.
    """

    options: AnalyzerOptions = field(default_factory=AnalyzerOptions)
    host: str = "127.0.0.1"
    port: int = 8501
    ice_servers: tuple[str, ...] = ()
    turn_user: str = ""
    turn_password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not 1 <= self.port <= 65535:
            raise OptionError(f"port must lie in 1..65535, found {self.port}")
        for url in self.ice_servers:
            if url.split(":")[0] not in ("stun", "stuns", "turn", "turns") or "//" in url or len(url.split(":")) < 2:
                raise OptionError(f"{url}: not an ICE server; expected stun:HOST:PORT or turn:HOST:PORT")

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return self.host in _LOOPBACK

    @property
    def rtc_configuration(self) -> dict[str, list[dict[str, str]]]:
        """The ICE servers as browsers want them; an empty list keeps libraries from choosing servers themselves."""
        login = {"username": self.turn_user, "credential": self.turn_password}
        return {
            "iceServers": [
                {"urls": url, **(login if url.startswith("turn") and self.turn_user else {})}
                for url in self.ice_servers
            ]
        }


_current = Settings()


def configure(settings: Settings) -> None:
    """Set what every page reads from now on; called once, before the server starts."""
    global _current  # noqa: PLW0603
    _current = settings


def current() -> Settings:
    """What the server was started with."""
    return _current
