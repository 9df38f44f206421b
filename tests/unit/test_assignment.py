"""The assignment problem, against all permutations."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from mien.tracking.assignment import assign


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (2, 5), (5, 2), (6, 6), (1, 4)])
@pytest.mark.parametrize("seed", range(5))
def test_finds_the_cheapest_pairs(shape: tuple[int, int], seed: int) -> None:
    cost = np.random.default_rng(seed).random(shape)
    pairs = assign(cost)
    few, many = min(shape), max(shape)
    wide = cost if shape[0] <= shape[1] else cost.T
    best = min(sum(wide[i, column] for i, column in enumerate(order)) for order in permutations(range(many), few))
    assert sum(cost[pair] for pair in pairs) == pytest.approx(best)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs) == few


def test_greedy_would_be_wrong() -> None:
    # Taking the cheapest pair first, (0, 0), leaves 10 for the other.
    assert assign(np.array([[1.0, 2.0], [2.0, 10.0]])) == [(0, 1), (1, 0)]


def test_equal_costs_still_give_pairs() -> None:
    assert len(assign(np.ones((4, 7)))) == 4


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_nothing_to_pair(shape: tuple[int, int]) -> None:
    assert assign(np.zeros(shape)) == []
