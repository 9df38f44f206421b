"""The assignment problem: pairs of lowest total cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float64]


def assign(cost: _Floats) -> list[tuple[int, int]]:
    """Pair rows with columns, each at most once, so that the costs add up to the least.

    The Hungarian method in its shortest-augmenting-path form (Jonker and Volgenant 1987). For the handful of
    faces in a frame it spares the base installation SciPy.

    Args:
        cost: Finite costs, (R, C).

    Returns:
        min(R, C) pairs of row and column, by row.
    """
    if cost.shape[0] > cost.shape[1]:
        return sorted((row, column) for column, row in assign(cost.T))
    rows, columns = cost.shape
    row_price, column_price = np.zeros(rows), np.zeros(columns + 1)
    # Which row each column belongs to; the last column is a spare one from which each row starts its search.
    owner = np.full(columns + 1, -1)
    for row in range(rows):
        owner[columns] = row
        _augment(cost, row_price, column_price, owner)
    return sorted((int(owner[column]), column) for column in range(columns) if owner[column] >= 0)


def _augment(
    cost: _Floats,
    row_price: _Floats,
    column_price: _Floats,
    owner: NDArray[np.int_],
) -> None:
    """Find the cheapest path from the spare column's row to a free column, and shift the owners along it."""
    spare = cost.shape[1]
    distance, previous = np.full(spare, np.inf), np.full(spare, spare)
    done = np.zeros(spare + 1, bool)
    column = spare
    while owner[column] >= 0:
        done[column] = True
        row = owner[column]
        reduced = cost[row] - row_price[row] - column_price[:spare]
        closer = ~done[:spare] & (reduced < distance)
        distance[closer], previous[closer] = reduced[closer], column
        nearest = int(np.argmin(np.where(done[:spare], np.inf, distance)))
        step = distance[nearest]
        row_price[owner[done]] += step
        column_price[done] -= step
        distance[~done[:spare]] -= step
        column = nearest
    while column != spare:
        owner[column] = owner[previous[column]]
        column = int(previous[column])
    owner[spare] = -1
