"""The errors mien raises on purpose.

Every message is one line that says what was expected, what came, and what to do about it, so that a
front end can show it as it is.
"""


class MienError(Exception):
    """Base of every error that mien raises on purpose."""


class ImageError(MienError, ValueError):
    """A picture that cannot be read: missing, empty, truncated, of an unknown format or too large."""


class VideoError(MienError, ValueError):
    """A video that cannot be read or written."""


class OptionError(MienError, ValueError):
    """An option or argument outside what is allowed."""


class ModelError(MienError, RuntimeError):
    """A model folder that is missing, incomplete or damaged."""


class DataError(MienError, ValueError):
    """A data set that does not have the expected form."""


class TrainingError(MienError, RuntimeError):
    """A training that cannot go on, for example because its loss is no longer a number."""


class MissingExtraError(MienError, ImportError):
    """A feature whose optional dependencies are not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs packages that are not installed; run: pip install 'mien[{extra}]'")


class CameraError(MienError, RuntimeError):
    """A camera that is missing, in use by another program, or gone."""


class WindowError(MienError, RuntimeError):
    """A window that cannot be opened: no tkinter, or no screen."""
