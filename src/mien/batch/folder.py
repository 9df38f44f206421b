"""The folder of results: local, or an address that fsspec knows."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, cast

from mien.batch.sources import filesystem, is_url
from mien.errors import OutputError
from mien.files import not_written, write_whole


class ResultFolder:
    """Files by name below a folder, each written whole or not at all. Can be pickled.

    Args:
        place: A local path or an address.
    """

    def __init__(self, place: str) -> None:
        self.place = place if is_url(place) else str(Path(place).absolute())

    def write(self, name: str, content: bytes) -> None:
        """Write a file, replacing one of this name.

        Raises:
            OutputError: If it cannot be written.
        """
        if not is_url(self.place):
            write_whole(Path(self.place, name), content)
            return
        fs, root = filesystem(self.place)
        try:
            # Object stores show a file once it is whole; in other file systems the new name does.
            fs.makedirs(f"{root}/{name}".rpartition("/")[0], exist_ok=True)
            fs.pipe_file(f"{root}/{name}", content)
        except Exception as error:  # Each file system raises errors of its own.
            raise not_written(Path(self.place, name), error) from error

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Open a file for reading."""
        if not is_url(self.place):
            return Path(self.place, name).open("rb")
        fs, root = filesystem(self.place)
        return cast("AbstractContextManager[BinaryIO]", fs.open(f"{root}/{name}", "rb"))

    def read(self, name: str) -> bytes | None:
        """The content of a file, or None if there is none.

        Raises:
            OutputError: If it is there and cannot be read.
        """
        try:
            with self.open(name) as file:
                return file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise OutputError(f"cannot be read: {error.strerror or error}", f"{self.place}/{name}") from error

    def clear_partial(self) -> None:
        """Remove what a run left that was killed while it wrote."""
        if not is_url(self.place):
            for path in Path(self.place).glob("faces/kind=*/.part-*.partial.parquet"):
                path.unlink(missing_ok=True)

    def parts(self) -> list[str]:
        """Names of the files of results, in order."""
        if not is_url(self.place):
            return sorted(
                str(path.relative_to(self.place)) for path in Path(self.place).glob("faces/kind=*/part-*.parquet")
            )
        fs, root = filesystem(self.place)
        fs.invalidate_cache()
        return sorted(path.removeprefix(root).lstrip("/") for path in fs.glob(f"{root}/faces/kind=*/part-*.parquet"))
