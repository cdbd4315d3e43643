"""A run that repeats the first part of a training and evaluates the recorded network."""

import math

import numpy as np
import pytest
from made import trainings
from made.project import params_of, silent

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network
from whyspiking.errors import UserError
from whyspiking.talks import load_replication
from whyspiking.training import checkpoint, retraining
from whyspiking.training.checkpoint import Checkpoint


def of_septal_network(progress, monkeypatch):
    """The network of FORCE inside Brian2, which keeps no checkpoint."""
    own = params_of("clopath", "shot_published", train_ms=2000.0)
    train = load_replication("clopath", "shot_published").train
    return train(own, "spiking", Streams(3), {}, progress)


@pytest.mark.parametrize(
    "train",
    [
        trainings.by_gradient,
        trainings.of_ensembles,
        trainings.of_first_spikes,
        trainings.online_with_shuffled_images,
        trainings.until_the_criterion,
        trainings.with_pulses,
        of_septal_network,
    ],
)
def test_the_first_part_of_a_training_has_the_first_part_of_its_learning_curve(train, monkeypatch):
    whole = train(silent, monkeypatch)
    with checkpoint.first_part(0.7):
        part = train(silent, monkeypatch)
    n_numbers, difference = retraining.compare_curves(part.history, whole.history)
    assert difference == 0
    assert 0 < n_numbers < retraining.compare_curves(whole.history, whole.history)[0]


def test_a_part_has_at_least_one_round_and_ends_with_its_block():
    with checkpoint.first_part(0.01):
        assert list(Checkpoint([]).rounds(range(5, 15), silent)) == [5]
    with checkpoint.first_part(0.3):
        assert list(Checkpoint([]).rounds(range(5, 15), silent)) == [5, 6, 7]
    assert len(list(Checkpoint([]).rounds(range(10), silent))) == 10


def curve(*values, metric="error"):
    return [{"epoch": k, "metric": metric, "value": value} for k, value in enumerate(values)]


@pytest.mark.parametrize(
    ("part", "recorded", "expected"),
    [
        (curve(1.0, 0.5), curve(1.0, 0.5, 0.25), (2, 0.0)),
        (curve(1.0, 0.5), curve(1.0, 0.4), (2, 0.2)),
        (curve(1.0, -0.5), curve(1.0, 0.5), (2, 2.0)),
        (curve(0.0), curve(0.0), (1, 0.0)),
        (curve(math.nan), curve(math.nan), (1, 0.0)),
        (curve(math.nan), curve(0.5), (1, 1.0)),
        (curve(1.0), curve(1.0, metric="accuracy"), (1, 1.0)),
        (curve(3.0, metric="epoch_seconds"), curve(4.0, metric="epoch_seconds"), (0, 0.0)),
        ([], curve(1.0), (0, 0.0)),
    ],
)
def test_learning_curves_are_compared_number_by_number(part, recorded, expected):
    assert retraining.compare_curves(part, recorded) == pytest.approx(expected)


def recorded_network():
    facts = {"engine": "numpy", "epochs": 3, "train_seconds": 7.0, "train_cpu_seconds": 7.0}
    measures = {"accuracy_best_test": 0.9}
    return Network({"w": np.arange(3.0)}, {**facts, "measures": measures}, curve(1.0, 0.5, 0.25))


def test_the_recorded_network_is_evaluated_without_what_only_its_training_measured():
    def train():
        assert checkpoint.asked_fraction() == 0.4
        return Network({"w": np.zeros(3)}, {"engine": "numpy"}, curve(1.0, 0.4))

    found = retraining.repeat_first_part(train, 0.4, recorded_network(), "toy/one")
    assert found.arrays["w"].tolist() == [0, 1, 2]
    assert found.history == recorded_network().history
    assert found.info == {
        "engine": "numpy",
        "measures": {
            "trained_fraction": 0.4,
            "curve_numbers": 2,
            "curve_difference": pytest.approx(0.2),
        },
    }


def test_a_part_without_a_number_of_the_curve_is_refused():
    with pytest.raises(UserError, match="toy/one: the first 40 % of the training"):
        retraining.repeat_first_part(lambda: Network({}), 0.4, recorded_network(), "toy/one")
