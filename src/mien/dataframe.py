"""Results as rows and as pandas DataFrames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mien.errors import MissingExtraError
from mien.tables import FRAMES, PHOTOS, Layout

if TYPE_CHECKING:
    import pandas

    from mien.results import FrameResult

# pandas' types that know missing values, by pyarrow's names as layouts have them.
_DTYPES = {"int64": "Int64", "float64": "Float64", "bool_": "boolean", "string": "string"}


def layout_of(result: FrameResult) -> Layout:
    """The table that a result belongs to: that of photos or that of videos."""
    return PHOTOS if result.frame is None and result.time_s is None else FRAMES


def to_pandas(result: FrameResult) -> pandas.DataFrame:
    """See `FrameResult.to_pandas`."""
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingExtraError("a DataFrame", "pandas") from error
    layout = layout_of(result)
    rows = list(layout.rows(result))
    return pd.DataFrame(
        {name: pd.array([row[name] for row in rows], dtype=_DTYPES[kind]) for name, kind in layout.columns.items()}
    )
