r"""A Ray job of your own: photos go through Ray Data into Parquet.

    pip install 'mien[batch]'
    python examples/ray_job.py examples/ faces/ 1                # on this machine; with fewer actors than cores
    ray job submit --address http://HEAD:8265 --working-dir . -- \
        python examples/ray_job.py s3://bucket/photos s3://bucket/faces    # needs ray[default]; s3:// needs s3fs

Each actor opens the model once. What cannot be read becomes a row with `error`, so that one broken file does not end
the job. Without steps of your own before or after it, `mien batch` is simpler and continues after an interruption.
"""

from __future__ import annotations

import sys
from pathlib import Path

import ray

from mien.batch import FaceReader
from mien.batch.shards import SCHEMA


def main(source: str, out: str, actors: str = "1") -> None:
    """Analyze every photo below a folder and write a row per face as Parquet."""
    ray.init(ignore_reinit_error=True)
    photos = ray.data.read_binary_files(source, include_paths=True, file_extensions=["jpg", "jpeg", "png", "webp"])
    faces = photos.flat_map(FaceReader, compute=ray.data.ActorPoolStrategy(size=int(actors)))
    # Blocks in which a column is empty would have no type for it, and their files would not go together.
    faces.map_batches(lambda table: table.select(SCHEMA.names).cast(SCHEMA), batch_format="pyarrow").write_parquet(
        out if "://" in out else str(Path(out).absolute())
    )


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(*sys.argv[1:])
