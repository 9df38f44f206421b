from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.evaluation.metrics import evaluate, expected_calibration_error


def answers_for(labels: list[int], confidence: float = 0.9) -> np.ndarray:
    rows = np.full((len(labels), 7), (1 - confidence) / 6, np.float32)
    rows[np.arange(len(labels)), labels] = confidence
    return rows


def test_by_hand() -> None:
    labels = np.array([0, 0, 3, 3, 3, 6])
    report = evaluate(labels, answers_for([0, 3, 3, 3, 6, 6]))
    assert report.n == report.found == 6
    assert report.accuracy == pytest.approx(4 / 6)
    assert report.balanced_accuracy == pytest.approx((1 / 2 + 2 / 3 + 1) / 3)
    assert report.per_class["angry"].precision == 1.0
    assert report.per_class["angry"].recall == 0.5
    assert report.per_class["happy"].f1 == pytest.approx(2 / 3)
    assert report.per_class["fear"].support == 0
    assert report.confusion[3] == [0, 0, 0, 2, 0, 0, 1]


def test_a_face_that_is_not_found_counts_as_wrong() -> None:
    probabilities = answers_for([3, 3])
    probabilities[1] = np.nan
    report = evaluate(np.array([3, 3]), probabilities)
    assert (report.n, report.found) == (2, 1)
    assert report.accuracy == 0.5
    assert report.per_class["happy"].recall == 0.5
    assert report.per_class["happy"].precision == 1.0
    assert sum(map(sum, report.confusion)) == 1


def test_nothing_found_at_all() -> None:
    report = evaluate(np.array([1, 2]), np.full((2, 7), np.nan, np.float32))
    assert (report.found, report.accuracy, report.macro_f1, report.ece) == (0, 0.0, 0.0, 0.0)


def test_calibration_error_by_hand() -> None:
    # 0.9 confident and right half of the time is 0.4 off; 0.5 confident and always right is 0.5 off.
    probabilities = np.concatenate([answers_for([0, 0], 0.9), answers_for([1, 1], 0.5)])
    assert expected_calibration_error(np.array([0, 5, 1, 1]), probabilities) == pytest.approx((0.4 + 0.5) / 2)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=60))
def test_agrees_with_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    sklearn = pytest.importorskip("sklearn.metrics", reason="needs the extra train")
    labels, predicted = (np.array(column) for column in zip(*pairs, strict=True))
    report = evaluate(labels, answers_for(predicted.tolist()))
    assert report.accuracy == pytest.approx(sklearn.accuracy_score(labels, predicted))
    assert report.macro_f1 == pytest.approx(sklearn.f1_score(labels, predicted, average="macro", zero_division=0))
    recalls = sklearn.recall_score(labels, predicted, labels=sorted(set(labels)), average="macro", zero_division=0)
    assert report.balanced_accuracy == pytest.approx(recalls)
    np.testing.assert_array_equal(report.confusion, sklearn.confusion_matrix(labels, predicted, labels=range(7)))
