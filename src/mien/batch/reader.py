"""Rows in, rows out: what every engine for many machines calls."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mien.analyzer import cached_analyzer
from mien.batch.sources import filesystem, is_url, is_video_name, local_video
from mien.emotions import LABELS
from mien.errors import MienError, MissingExtraError, OptionError
from mien.options import AnalyzerOptions, OptionValues, make_options
from mien.tables import FRAMES, PHOTOS, printable

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from mien.analyzer import Analyzer
    from mien.results import FrameResult

Row = dict[str, Any]

COLUMNS: dict[str, str] = {
    "source": "string",
    "range_s": "float64",
    **FRAMES.columns,
    "face": "int64",
    "error": "string",
}
"""The columns of every row and pyarrow's name for the type of each: those of the tables of videos, and

``face``: in photos, where faces have no ``track``, their number from left to right, from 1;
``range_s``: where in the video the time range begins within which ``track`` is one person; null for photos;
``error``: why the source could not be read, or not to its end; null in all other rows."""

LEAD_S = 2.0
"""A time range of a video is read from this much earlier on, so that people are known and probabilities smoothed when
it begins."""

SPLIT_S = 600.0
"""Longer videos are cut into ranges of this length, in seconds."""


class FaceReader:
    """Reads a photo, a video or a time range of one: a row in, rows out.

    It can be pickled, and costs little to build: detector and model are opened once in each process, with the first
    row. An error in a source is a row, never an exception; a model or a package that is missing is an exception.

    Args:
        options: How to read; None for the defaults with one thread, because workers share the cores.
        every: Read every n-th frame of a video.
        detect_every: Look for faces in every n-th of these.
        split_s: Length in seconds of the ranges that `split` cuts videos into.
        **values: Fields of `AnalyzerOptions` to have otherwise.

    Raises:
        OptionError: If an option is not possible.
    """

    def __init__(
        self,
        options: AnalyzerOptions | None = None,
        *,
        every: int = 1,
        detect_every: int = 1,
        split_s: float = SPLIT_S,
        **values: Unpack[OptionValues],
    ) -> None:
        for name, count in (("every", every), ("detect_every", detect_every)):
            if count < 1:
                raise OptionError(f"must be at least 1, found {count}", field=name)
        if not split_s >= 10:
            raise OptionError(f"must be 10 seconds or more, found {split_s:g}", field="split")
        self.options = make_options(options or AnalyzerOptions(threads=1), **values)
        self.every, self.detect_every, self.split_s = every, detect_every, split_s

    def __call__(self, row: Mapping[str, Any]) -> list[Row]:
        """Read one source.

        Args:
            row: ``path``: a local path, also as an object, or an address for fsspec; what it is called in the results.
                ``bytes``, optional: the file's content, which is then not opened. ``start`` and ``end``, optional: a
                range of a video in seconds, without its end.

        Returns:
            Rows with the keys of `COLUMNS`: of a photo one per face, or one without a face; of a video one per face
            and frame. Of what cannot be read there is one row with ``error``; of a video that breaks off there are the
            rows that could be read, and one more with ``error``.
        """
        rows: list[Row] = []
        row = _by_name(row)
        failure = self.read(row, rows.append)
        return rows if failure is None else [_error_row(row, failure)]

    def read(self, row: Mapping[str, Any], add: Callable[[Row], None]) -> str | None:
        """As calling the reader, with rows handed over one by one.

        Returns:
            None, or why the source could not be read; the rows handed over before are void then.
        """
        analyzer = cached_analyzer(self.options)
        row = _by_name(row)
        try:
            if is_video_name(row["path"]):
                self._read_video(row, add, analyzer)
            else:
                self._read_photo(row, add, analyzer)
        except (MissingExtraError, OptionError):
            raise
        except MienError as error:
            return f"{type(error).__name__}: {error.reason}"
        except Exception as error:  # Storages raise errors of many kinds; one source must never end the whole run.
            return f"{type(error).__name__}: {' '.join(str(error).split())}"
        return None

    def split(self, row: Mapping[str, Any]) -> list[Row]:
        """The rows to read in place of a row: time ranges of a long video; of all else the row itself.

        People have numbers of their own in every range.
        """
        row = _by_name(row)
        if not is_video_name(row["path"]) or row.get("start") is not None or row.get("bytes") is not None:
            return [row]
        length_s = _video_length(row["path"])
        # The last range may be half as long again, and is open, because headers are not exact.
        count = round(length_s / self.split_s) if length_s >= 1.5 * self.split_s else 1
        if count < 2:
            return [row]
        starts = [number * self.split_s for number in range(count)]
        return [{**row, "start": start, "end": end} for start, end in zip(starts, [*starts[1:], None], strict=True)]

    def _read_photo(self, row: Mapping[str, Any], add: Callable[[Row], None], analyzer: Analyzer) -> None:
        path, content = row["path"], row.get("bytes")
        if content is None and is_url(path):
            fs, remote = filesystem(path)
            with fs.open(remote, "rb") as file:
                result = analyzer.analyze(file)
        else:
            result = analyzer.analyze(path if content is None else content)
        for values in PHOTOS.rows(replace(result, source=path)):
            # Photos and videos share the columns of a table, and what is not smoothed is raw.
            add({**_EMPTY, **{f"raw_{name}" if name in LABELS else name: value for name, value in values.items()}})

    def _read_video(self, row: Mapping[str, Any], add: Callable[[Row], None], analyzer: Analyzer) -> None:
        from mien.video.process import analyze_video

        content, start, end = row.get("bytes"), row.get("start") or 0.0, row.get("end")
        known = {**_EMPTY, "source": printable(row["path"]), "range_s": start}

        def keep(result: FrameResult) -> None:
            if (result.time_s or 0.0) >= start:
                for values in FRAMES.rows(result):
                    add({**known, **values})

        with local_video(row["path"]) if content is None else nullcontext(content) as file:
            summary = analyze_video(
                file,
                start=max(0.0, start - LEAD_S),
                end=end,
                every=self.every,
                detect_every=self.detect_every,
                on_result=keep,
                analyzer=analyzer,
            )
        if summary.damage:
            add(_error_row(row, f"VideoError: {summary.damage}; what could be read was read"))


def _by_name(row: Mapping[str, Any]) -> Row:
    """A row whose path is text."""
    return {**row, "path": os.fspath(row["path"])}


_EMPTY: Row = dict.fromkeys(COLUMNS)


def _error_row(row: Mapping[str, Any], failure: str) -> Row:
    range_s = (row.get("start") or 0.0) if is_video_name(row["path"]) else None
    return {**_EMPTY, "source": printable(row["path"]), "range_s": range_s, "error": failure}


def _video_length(path: str) -> float:
    """Length of a video in seconds as its header gives it; 0 where that cannot be found out, which reading reports."""
    from mien.video.backend import av, open_input

    try:
        with nullcontext(path) if not is_url(path) else _open_url(path) as file, open_input(file) as container:
            length_s = (container.duration or 0) / av.time_base
    except (MissingExtraError, OptionError):
        raise
    except Exception:  # As in `read`.
        return 0.0
    return length_s if math.isfinite(length_s) else 0.0


def _open_url(url: str) -> Any:
    fs, remote = filesystem(url)
    return fs.open(remote, "rb")
