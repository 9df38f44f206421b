"""The HTTP service: pictures, videos and live streams in, `FrameResult.to_dict` out. Needs the extra ``server``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mien.errors import MissingExtraError
from mien.server.settings import ServerSettings

if TYPE_CHECKING:
    from mien.server.app import create_app

__all__ = ["ServerSettings", "create_app"]


def __getattr__(name: str) -> Any:
    # The command line reads the settings' defaults, also where the extra is not installed.
    if name != "create_app":
        raise AttributeError(f"module 'mien.server' has no attribute {name!r}")
    try:
        from mien.server.app import create_app
    except ModuleNotFoundError as error:
        raise MissingExtraError("the HTTP service", "server") from error
    globals()[name] = create_app
    return create_app
