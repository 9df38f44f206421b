"""What the app remembers from one run to the next."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from mien.files import write_whole

_LOG = logging.getLogger(__name__)


def default_save_folder() -> Path:
    """Where screenshots and recordings go until the user chooses: ``Pictures/mien`` in the home folder."""
    return Path.home() / "Pictures" / "mien"


def settings_path() -> Path:
    """Where settings are kept, in the place the system has for it."""
    from typer import get_app_dir

    return Path(get_app_dir("mien")) / "desktop.json"


@dataclass(slots=True)
class Settings:
    """What is remembered.

    Attributes:
        save_folder: For screenshots and recordings.
        open_folder: Where the last pictures or video were opened.
        theme: ``dark`` or ``light``; empty to follow the system.
        camera: Number or URL of the camera that was chosen last; empty as long as none was.
        mirror: ``off`` to show cameras as others see them; otherwise they are shown as in a mirror.
    """

    save_folder: str = ""
    open_folder: str = ""
    theme: str = ""
    camera: str = ""
    mirror: str = ""

    @property
    def save_path(self) -> Path:
        """`save_folder`, or the default as long as none was chosen."""
        return Path(self.save_folder) if self.save_folder else default_save_folder()

    @classmethod
    def load(cls, path: Path) -> Settings:
        """Read the settings; defaults where there are none or they cannot be read."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            return cls(**{field.name: str(values.get(field.name, "")) for field in fields(cls)})
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, AttributeError) as error:
            _LOG.warning("%s: settings cannot be read, defaults are used: %s", path, error)
            return cls()

    def save(self, path: Path) -> None:
        """Write the settings. A place that cannot be written only costs the memory, so it is logged and no more."""
        try:
            write_whole(path, json.dumps(asdict(self), indent=2))
        except OSError as error:
            _LOG.warning("%s: settings cannot be written: %s", path, error)
