"""Files of results: Parquet, with a note in the footer of what is done."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.batch.folder import ResultFolder
from mien.batch.reader import COLUMNS, FaceReader, Row
from mien.batch.tasks import Failure, Item, Receipt, Task
from mien.copies import is_copy
from mien.errors import MissingExtraError, OutputError
from mien.tables import printable

try:
    import pyarrow as pa
    from pyarrow import parquet
except ImportError as error:
    raise MissingExtraError("writing Parquet", "batch") from error

_NOTE = b"mien"
# Rows per group: large enough to compress, small enough to hold.
_GROUP = 8192
_READERS = 16

SCHEMA = pa.schema([(name, getattr(pa, kind)()) for name, kind in COLUMNS.items()])
"""The columns of rows as `FaceReader` gives them."""

_SHARD = pa.schema([field for field in SCHEMA if field.name != "error"])
_ERRORS = pa.schema([SCHEMA.field("source"), SCHEMA.field("range_s"), SCHEMA.field("error")])


class ParquetBytes:
    """A Parquet file in memory, filled row by row."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._sink = pa.BufferOutputStream()
        self._writer = parquet.ParquetWriter(self._sink, schema, compression="zstd")
        self._rows: list[Row] = []
        self.count = 0

    def add(self, row: Row) -> None:
        """Add a row; keys that the schema does not have are left out."""
        self._rows.append(row)
        self.count += 1
        if len(self._rows) >= _GROUP:
            self._flush()

    def _flush(self) -> None:
        self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
        self._rows = []

    def close(self, note: dict[str, Any] | None = None) -> bytes:
        """The file, with a note in its footer."""
        self._flush()
        if note is not None:
            self._writer.add_key_value_metadata({_NOTE: json.dumps(note).encode()})
        self._writer.close()
        return bytes(self._sink.getvalue())


def run_task(reader: FaceReader, folder: ResultFolder, task: Task) -> Receipt:
    """Read the items of a task and write their rows: what a worker does.

    Raises:
        OutputError: If the rows cannot be written.
        MienError: If the model or a package is missing.
    """
    first = task.items[0]
    if first.is_video and first.start is None:
        ranges = reader.split(first.to_row())
        if len(ranges) > 1:
            return Receipt(more=tuple(Item(row["path"], row["start"], row["end"]) for row in ranges))
    shard, faces, copies = ParquetBytes(_SHARD), 0, 0
    done: list[Item] = []
    failures: list[Failure] = []
    damages: list[Failure] = []
    for item in task.items:
        if item.found and is_copy(Path(item.path)):
            copies += 1
            continue

        def add(row: Row, item: Item = item) -> None:
            nonlocal faces
            if row["error"] is not None:
                damages.append(Failure(item, row["error"]))
                return
            faces += row["emotion"] is not None
            shard.add(row)

        failure = reader.read(item.to_row(), add)
        if failure is None:
            done.append(item)
        else:
            failures.append(Failure(item, failure))
    if not done:
        return Receipt(failures=tuple(failures), copies=copies)
    photos = 0 if first.is_video else len(done)
    note = {
        "done": "".join(f"{item.key:016x}" for item in done),
        "photos": photos,
        "faces": faces,
        "damages": [[failure.item.path, failure.item.start, failure.item.end, failure.error] for failure in damages],
    }
    rows = shard.count
    folder.write(task.file, shard.close(note))
    return Receipt(len(done), photos, faces, rows, tuple(failures), tuple(damages), copies=copies)


@dataclass(frozen=True, slots=True)
class Finished:
    """What the files of a folder hold.

    Attributes:
        keys: `Item.key` of what is done, uint64, in order.
        receipts: What to count as done.
    """

    keys: NDArray[np.uint64]
    receipts: list[Receipt]

    def __contains__(self, item: Item) -> bool:
        place = int(np.searchsorted(self.keys, np.uint64(item.key)))
        return place < len(self.keys) and int(self.keys[place]) == item.key


def find_finished(folder: ResultFolder) -> Finished:
    """Find out from the footers of the files what is done.

    Raises:
        OutputError: If one of the files is not mien's.
    """
    keys: list[NDArray[np.uint64]] = [np.zeros(0, np.uint64)]
    receipts = []
    with ThreadPoolExecutor(_READERS) as pool:
        for done, receipt in pool.map(lambda name: _read_footer(folder, name), folder.parts()):
            keys.append(done)
            receipts.append(receipt)
    return Finished(np.sort(np.concatenate(keys)), receipts)


def _read_footer(folder: ResultFolder, name: str) -> tuple[NDArray[np.uint64], Receipt]:
    try:
        with folder.open(name) as file:
            footer = parquet.read_metadata(file)
        note = json.loads(footer.metadata[_NOTE])
        keys = np.frombuffer(bytes.fromhex(note["done"]), ">u8").astype(np.uint64)
        damages = tuple(Failure(Item(path, start, end), error) for path, start, end, error in note["damages"])
        return keys, Receipt(len(keys), note["photos"], note["faces"], footer.num_rows, damages=damages)
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise OutputError("is not a file of results; choose another folder", f"{folder.place}/{name}") from error


def error_table() -> ParquetBytes:
    """An empty table for `error_row`."""
    return ParquetBytes(_ERRORS)


def error_row(failure: Failure) -> Row:
    """What could not be read, as a row."""
    item = failure.item
    range_s = (item.start or 0.0) if item.is_video else None
    return {"source": printable(item.path), "range_s": range_s, "error": failure.error}
