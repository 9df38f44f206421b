from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("scipy", reason="needs the extra train")

from mien.classification.classifier import blend, dissent, softmax
from mien.evaluation.datasets import FaceSet
from mien.evaluation.metrics import expected_calibration_error
from mien.training.calibrate import FEWEST_HELD_OUT, PHOTO_MARGIN, TARGET_ACCURACY, Calibration, calibrate


def drawn_from(truth: NDArray[np.float64], seed: int) -> NDArray[np.int64]:
    """Labels drawn from logits, (N, 7)."""
    shares = softmax(truth.astype(np.float32)).cumsum(axis=1)
    return np.minimum((np.random.default_rng(seed).random((len(truth), 1)) > shares).sum(axis=1), 6)


def faces(labels: NDArray[np.int64], votes: NDArray[np.float32] | None = None) -> FaceSet:
    return FaceSet(np.zeros((len(labels), 1, 1), np.uint8), labels, np.full(len(labels), "Training"), votes)


def mended(said: NDArray[np.float32], found: Calibration) -> NDArray[np.float32]:
    return softmax(said[:, 0] * np.float32(found.scales[0]) + np.float32(found.biases[0]))


def test_distorted_logits_are_set_right() -> None:
    truth = np.random.default_rng(0).normal(0, 1.5, (12_000, 7))
    labels = drawn_from(truth, 1)
    biases = np.array([0, 0.3, 0, -0.3, 0, 0, 0])
    # What the network says is what is true, distorted.
    said = ((truth - biases) / 0.5).astype(np.float32)[:, None]
    learnt, other = slice(None, 6000), slice(6000, None)
    found = calibrate(said[learnt], faces(labels[learnt]), faces(labels))
    np.testing.assert_allclose(found.scales[0], 0.5, rtol=0.1)
    # Biases are held back.
    np.testing.assert_allclose(found.biases[0], biases / 2, atol=0.1)
    before = expected_calibration_error(labels[other], softmax(said[other, 0]))
    assert expected_calibration_error(labels[other], mended(said[other], found)) < 0.02 < before / 2


@pytest.mark.parametrize("count", [0, 1, FEWEST_HELD_OUT - 1])
def test_too_few_faces_change_nothing(count: int) -> None:
    labels = np.arange(count) % 7
    # All wrong, or all right, a fit would make of them whatever its bounds allow.
    said = np.eye(7, dtype=np.float32)[labels][:, None].repeat(2, axis=1)
    votes = np.eye(7, dtype=np.float32)
    found = calibrate(said, faces(labels, votes[labels]), faces(np.arange(7), votes), said)
    assert np.array(found.scales).tolist() == [[1.0] * 7] * 2
    assert not np.array(found.biases).any()
    assert (found.photo_temperature, found.uncertain_below, found.ambiguity) == (1.0, 0.95, ())


@pytest.mark.parametrize("imbalance", ["class-weights", "sampler", "balance-offline"])
def test_a_network_that_learned_from_balanced_faces_is_told_how_frequent_emotions_are(imbalance: str) -> None:
    shares = np.array([0.05, 0.01, 0.05, 0.5, 0.1, 0.09, 0.2])
    balanced = np.random.default_rng(14).normal(0, 1.5, (12_000, 7))
    labels = drawn_from(balanced + np.log(shares), 15)
    said = balanced.astype(np.float32)[:, None]
    learnt, other = slice(None, 1500), slice(1500, None)
    errors = {
        name: expected_calibration_error(
            labels[other],
            mended(said[other], calibrate(said[learnt], faces(labels[learnt]), faces(labels), None, name)),
        )
        for name in ("none", imbalance)
    }
    assert errors[imbalance] < 0.03 < errors["none"]


@pytest.mark.parametrize(
    ("imbalance", "sees_balanced_labels"), [("none", False), ("class-weights", False), ("sampler", True)]
)
def test_the_votes_seen_in_training_follow_the_labels(imbalance: str, sees_balanced_labels: bool) -> None:
    rng = np.random.default_rng(20)
    labels = np.repeat(np.arange(7), [600, 100, 600, 2000, 1000, 700, 1000])
    # Half of the votes are for the label, half for neutral.
    votes = (np.eye(7)[labels] + np.eye(7)[6]).astype(np.float32) / 2
    train = faces(labels, votes)
    said = rng.normal(0, 1, (300, 2, 7)).astype(np.float32)
    few = rng.choice(len(labels), 300, replace=False)
    found = calibrate(said, train.select(few), train, None, imbalance)
    base = calibrate(said, train.select(few), train)
    shift = np.array(found.biases[1]) - np.array(base.biases[1])
    frequent = votes.mean(axis=0)
    balanced = (np.eye(7) + np.eye(7)[6]).mean(axis=0) / 2
    expected = np.log(frequent / balanced) if sees_balanced_labels else np.zeros(7)
    # What is expected is where biases are pulled to; the faces pull as well.
    if sees_balanced_labels:
        assert np.corrcoef(shift, expected)[0, 1] > 0.9
    else:
        np.testing.assert_allclose(shift, 0, atol=1e-3)


def test_ambiguity_is_the_share_of_voters_who_disagree() -> None:
    rng = np.random.default_rng(16)
    truth = rng.normal(0, 1.5, (4000, 2, 7)).astype(np.float32)
    shares = softmax(truth[:, 1])
    votes = np.array([rng.multinomial(10, row) for row in shares.astype(float) / shares.sum(axis=1, keepdims=True)])
    voted = faces(drawn_from(truth[:, 0].astype(float), 17), (votes / 10).astype(np.float32))
    found = calibrate(truth[:2000], voted.select(np.arange(2000)), voted)
    gain, power = found.ambiguity
    said = gain * dissent(softmax(truth[2000:, 1] * np.float32(found.scales[1]) + np.float32(found.biases[1]))) ** power
    disagreed = dissent(votes[2000:] / 10)
    for low in (0.1, 0.2, 0.3, 0.4, 0.5):
        inside = (said >= low) & (said < low + 0.1)
        assert said[inside].mean() == pytest.approx(disagreed[inside].mean(), abs=0.03)
    assert np.corrcoef(said, disagreed)[0, 1] > 0.7


def test_without_votes_there_is_no_ambiguity() -> None:
    truth = np.random.default_rng(18).normal(0, 1.5, (400, 1, 7)).astype(np.float32)
    labels = drawn_from(truth[:, 0].astype(float), 19)
    assert calibrate(truth, faces(labels), faces(labels)).ambiguity == ()


def test_what_is_not_uncertain_is_right_often_enough_on_other_faces() -> None:
    truth = np.random.default_rng(2).normal(0, 2.0, (12_000, 7))
    labels = drawn_from(truth, 3)
    said = truth.astype(np.float32)[:, None]
    found = calibrate(said[:2000], faces(labels[:2000]), faces(labels))
    logits = said[2000:] * np.float32(found.scales) + np.float32(found.biases)
    answers = softmax(
        np.log(blend(logits, np.array(found.priors), found.prior_power, found.head_weights))
        / np.float32(found.photo_temperature)
    )
    kept = answers.max(axis=1) >= found.uncertain_below
    right = (answers.argmax(axis=1) == labels[2000:])[kept].mean()
    assert TARGET_ACCURACY <= right < TARGET_ACCURACY + PHOTO_MARGIN + 0.05
    assert kept.mean() > 0.1


def test_faces_nobody_voted_on_weigh_nothing() -> None:
    truth = np.random.default_rng(4).normal(0, 1.5, (400, 2, 7)).astype(np.float32)
    labels = drawn_from(truth[:, 0].astype(float), 5)
    votes = np.eye(7, dtype=np.float32)[drawn_from(truth[:, 1].astype(float), 6)]
    votes[300:] = 0
    whole, part = (
        calibrate(truth[:count], faces(labels[:count], votes[:count]), faces(labels, votes)) for count in (400, 300)
    )
    np.testing.assert_allclose(whole.scales[1], part.scales[1], rtol=1e-3)
    assert whole.scales[0] != part.scales[0]


def test_certain_answers_are_held_against_most_voters() -> None:
    """FER-2013's label is one person's; a label that is wrong at random must not make every answer uncertain."""
    rng = np.random.default_rng(9)
    truth = rng.normal(0, 3.0, (6000, 7))
    seen = drawn_from(truth, 10)
    labels = np.where(rng.random(6000) < 0.4, rng.integers(0, 7, 6000), seen)
    said = np.repeat(truth.astype(np.float32)[:, None], 2, axis=1)
    votes = np.eye(7, dtype=np.float32)[seen]
    assert calibrate(said[:, :1], faces(labels), faces(labels)).uncertain_below == 0.95
    assert calibrate(said, faces(labels, votes), faces(labels, votes)).uncertain_below < 0.8


def test_the_mirrored_answer_counts_as_much() -> None:
    truth = np.random.default_rng(11).normal(0, 2.0, (4000, 7))
    labels = drawn_from(truth, 12)
    said = truth.astype(np.float32)[:, None]
    alone = calibrate(said, faces(labels), faces(labels))
    assert calibrate(said, faces(labels), faces(labels), said) == alone
    noise = np.random.default_rng(13).normal(0, 3, said.shape).astype(np.float32)
    assert calibrate(said, faces(labels), faces(labels), noise).uncertain_below > alone.uncertain_below


def test_nothing_is_certain_where_nothing_is_known() -> None:
    said = np.random.default_rng(7).normal(0, 1, (500, 1, 7)).astype(np.float32)
    labels = np.random.default_rng(8).integers(0, 7, 500)
    assert calibrate(said, faces(labels), faces(labels)).uncertain_below == 0.95


def test_votes_nobody_gave_say_nothing_of_ambiguity() -> None:
    truth = np.random.default_rng(21).normal(0, 1.5, (400, 2, 7)).astype(np.float32)
    labels = drawn_from(truth[:, 0].astype(float), 22)
    votes = np.eye(7, dtype=np.float32)[labels]
    found = calibrate(truth, faces(labels, np.zeros_like(votes)), faces(labels, votes))
    assert found.ambiguity == ()
    assert 0.1 < found.photo_temperature < 10
