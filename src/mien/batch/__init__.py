"""Photos and videos in any number: on all cores of a machine, or on many machines through Ray.

>>> from mien.batch import FaceReader, run_batch
>>> FaceReader()({"path": "photo.jpg"})        # rows, in this process
>>> run_batch(["photos/"], "results")          # Parquet, on all cores
"""

from __future__ import annotations

from mien.batch.manifest import BatchReport
from mien.batch.reader import COLUMNS, FaceReader
from mien.batch.run import run_batch

__all__ = ["COLUMNS", "BatchReport", "FaceReader", "run_batch"]
