"""The ground: a ReLU network as a network of first spikes."""

from dataclasses import replace

import numpy as np
import pytest

from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Network, Params, Stimulus, Task
from whyspiking.declared import registry
from whyspiking.talks.ground import first_spikes
from whyspiking.training.reference import units
from whyspiking.training.reference.units import Recipe, Shape

STEPS, LINES, CLASSES = 60, 20, 10


def static(seed: int, n: int = 25) -> dict[str, np.ndarray]:
    """Arrays of a static network, as a training leaves them; one unit never is above 0."""
    rng = np.random.default_rng(seed)
    shape = Shape(LINES, STEPS, STEPS, CLASSES, 1.0)
    drawn = units.initial(Recipe("static", n, rate=0.0), shape, rng)
    bias = np.r_[rng.normal(0, 1, n - 1), -50]
    given = {"bias": bias, "centre": 25.1, "scale": 14.4, "out_bias": rng.normal(0, 1, CLASSES)}
    return drawn | {name: np.asarray(x, np.float32) for name, x in given.items()}


def lines(seed: int, n: int = 200) -> np.ndarray:
    """Steps of first spikes, (trial, line); some lines are silent."""
    return np.random.default_rng(seed).integers(0, STEPS + 1, (n, LINES)).astype(float)


@pytest.mark.parametrize("seed", [900, 901])
def test_first_spikes_say_what_rectified_units_have(seed):
    own, told = static(seed), lines(seed)
    arrays = first_spikes.mapped(own, STEPS)
    fired, potential = first_spikes.answer(arrays, told, STEPS)
    shape = Shape(LINES, STEPS, STEPS, CLASSES, 1.0)
    logits, (hidden,) = units.run(Recipe("static", 25, rate=0.0), shape, own, told)
    said = np.maximum(2 * STEPS - fired, 0) / arrays["gain"]
    np.testing.assert_allclose(said, first_spikes.rectified(own, told), atol=1e-12)
    np.testing.assert_allclose(said, hidden, atol=1e-4)
    np.testing.assert_allclose(potential, logits, atol=1e-4)
    assert np.isinf(fired[:, -1]).all() and 0.2 < np.isfinite(fired).mean() < 0.8


def test_no_trial_has_a_neuron_fire_in_the_first_phase():
    arrays = first_spikes.mapped(static(900), STEPS)
    worst = np.where(arrays["into"].T > 0, 0.0, STEPS)  # each neuron's own
    own = np.diagonal(first_spikes.answer(arrays, worst, STEPS)[0])
    assert own.min() == pytest.approx(STEPS)


def params(**given) -> Params:
    published = registry.load_talk("ground").experiments["randman_mapped"].published
    return Params("ground", "randman_mapped", "full", {**published, **given}, seed=900)


def test_the_mapped_network_is_that_of_its_size_and_no_decision_differs():
    own = params(n_train=400, n_validation=100, n_test=200)
    parent = Network({f"25_0/{name}": array for name, array in static(900).items()})
    streams = Streams(900)
    mapped = first_spikes.train(own, "mapped", streams, {"randman_trained/relu": parent}, print)
    found = mapped.info["measures"]
    assert found["decisions_differ"] == 0 and 0 < found["hidden_difference"] < 1e-9
    turned = {**parent.arrays, "25_0/out": -parent.arrays["25_0/out"]}
    other = first_spikes.train(own, "mapped", streams, {"": Network(turned)}, print)
    task = first_spikes.make_task(own, "test", streams)
    choices = [first_spikes.evaluate(own, "mapped", net, task).choices for net in (mapped, other)]
    assert (choices[0] != choices[1]).mean() > 0.5, "decisions follow the arrays"


def test_brian2_fires_when_the_closed_form_does(builds):
    from whyspiking.brian import Machine

    own, told = params(max_trials=40), lines(900, 40)
    network = Network(first_spikes.mapped(static(900), STEPS))
    task = Task(
        Stimulus({"input": Spikes.from_first_spikes(np.where(told < STEPS, told, np.inf), 60.0)}),
        np.zeros(40, int),
        CLASSES,
    )
    machine = Machine(first_spikes.to_brian(own), builds)
    recording = machine.run(task.stimulus, first_spikes.bind(own, network).values)
    theirs = first_spikes.reference_first_ms(own, "mapped", network, task)["hidden"]
    np.testing.assert_allclose(recording.spikes["hidden"].first_ms(), theirs, atol=1e-9)
    assert recording.spikes["hidden"].counts().max() == 1
    ours = first_spikes.decode(own, recording, task)
    expected = first_spikes.evaluate(own, "mapped", network, task)
    np.testing.assert_array_equal(ours.choices, expected.choices)
    late = replace(own, values={**own.values, "dt_ms": 0.5})
    assert first_spikes.to_brian(late).constants["begins"] == 2 * STEPS
