"""Starting the server."""

from __future__ import annotations

import socket
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from mien.apps.web.settings import MAX_UPLOAD_MB, Settings, configure
from mien.apps.web.theme import THEME
from mien.errors import MissingExtraError, OptionError

_SCRIPT = Path(__file__).with_name("main.py")


def run(settings: Settings, headless: bool, announce: Callable[[str], None]) -> None:
    """Serve the pages until Ctrl-C.

    Args:
        settings: What the pages need to know.
        headless: Whether to leave the browser closed.
        announce: Told the address just before the server starts.

    Raises:
        MissingExtraError: If Streamlit or what the pages need is not installed.
        ModelError: If the model cannot be opened.
        OptionError: If the model is not a folder, the port is taken or the address is not one of this machine's.
    """
    if not all(map(find_spec, ("streamlit", "streamlit_webrtc", "av", "matplotlib", "pyarrow"))):
        raise MissingExtraError("the web app", "app")
    _check_address(settings)
    # A model that cannot be opened is better met here than by the first visitor.
    from mien.analyzer import load
    from mien.classification.model_config import find_model

    # The page Model shows what is in the folder; a .tflite file has none.
    find_model(settings.options.model)
    load(settings.options)
    configure(settings)
    from streamlit.web import cli

    announce(f"http://{_shown(settings.host)}:{settings.port}  (Ctrl-C ends it)")
    cli.main(["run", str(_SCRIPT), *flags(settings, headless)], standalone_mode=False)


def flags(settings: Settings, headless: bool) -> list[str]:
    """Streamlit's flags. They win over a ``config.toml`` in the folder that the program happens to be started in."""
    values: dict[str, str | int] = {
        "server.address": settings.host,
        "server.port": settings.port,
        "server.headless": str(headless).lower(),
        "server.maxUploadSize": MAX_UPLOAD_MB,
        "server.fileWatcherType": "none",
        "server.showEmailPrompt": "false",
        "browser.gatherUsageStats": "false",
        "browser.serverAddress": _shown(settings.host),
        "client.showErrorDetails": "none",
        "client.showErrorLinks": "false",
        "client.toolbarMode": "minimal",
        "client.showSidebarNavigation": "false",
        # Collecting garbage after every refresh of the live page holds up the frames.
        "runner.postScriptGC": "false",
        "logger.hideWelcomeMessage": "true",
        "logger.level": "warning",
        **{f"theme.{name}": value for name, value in THEME.items()},
    }
    return [f"--{name}={value}" for name, value in values.items()]


def _shown(host: str) -> str:
    """The host as people type it into a browser; browsers give cameras to ``localhost`` without HTTPS."""
    return "localhost" if host in ("127.0.0.1", "0.0.0.0", "::", "::1") else host


def _check_address(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As the server does, so that a port which has just been let go of counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise OptionError(
                f"{settings.host}:{settings.port} cannot be used: {reason.lower()}; choose another --port or --host"
            ) from error
