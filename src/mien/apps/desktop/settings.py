"""What the app remembers from one run to the next: folders."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
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
    """Folders that are remembered.

    Attributes:
        save_folder: For screenshots and recordings.
        open_folder: Where the last pictures or video were opened.
    """

    save_folder: str = ""
    open_folder: str = ""

    @property
    def save_path(self) -> Path:
        """`save_folder`, or the default as long as none was chosen."""
        return Path(self.save_folder) if self.save_folder else default_save_folder()

    @classmethod
    def load(cls, path: Path) -> Settings:
        """Read the settings; defaults where there are none or they cannot be read."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            return cls(str(values.get("save_folder", "")), str(values.get("open_folder", "")))
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
