"""The LSTM of evidence accumulation: its equations, and what it is shown of perturbed spikes."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from made.project import params_of
from scipy.special import expit

from whyspiking.contract import perturb
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Stimulus
from whyspiking.talks.scherr import evidence, lstm, trials
from whyspiking.talks.scherr import task as evidence_task


@pytest.fixture(scope="module")
def trained():
    """Three cues and a short delay, learned well enough that there is something to lose."""
    params = params_of("scherr",
        "evidence", n_test=200, n_validation=100, n_lstm=12, batch=32, lstm_rate=0.02,
        iterations={"lstm": 120}, cue_hz=100.0,
    )  # fmt: skip
    return params, lstm.train(params, Streams(0), lambda *_: None)


def test_the_lstm_is_the_step_by_step_loop():
    params = params_of("scherr", "evidence", n_lstm=5)
    arrays = {k: np.asarray(x, float) for k, x in lstm.initial(params, Streams(1)).items()}
    arrays["out_bias"] = np.array([0.3, -0.2])
    n_in, n = evidence_task.n_inputs(params), 5
    x = np.random.default_rng(0).poisson(0.5, (3, 9, n_in)).astype(float)

    h = c = np.zeros((3, n))
    kept = []
    for now in x.swapaxes(0, 1):
        drive = now @ arrays["input"] + h @ arrays["state"] + arrays["gates_bias"]
        i, f, g, o = np.split(drive, 4, axis=1)
        c = expit(f) * c + expit(i) * np.tanh(g)
        h = expit(o) * np.tanh(c)
        kept.append(h)
    expected = np.mean(kept[6:], axis=0) @ arrays["out"] + arrays["out_bias"]
    with jax.enable_x64(True):
        np.testing.assert_allclose(lstm.logits(arrays, x, 6), expected, rtol=1e-10)


def test_it_reads_the_spikes_it_is_given(trained):
    """Without the spikes of the cues only chance is left."""
    params, network = trained
    task = evidence_task.make_task(params, "test", Streams(0))

    def accuracy(given):
        found = evidence.evaluate(params, "lstm", network, given)
        return float((found.choices == found.targets).mean())

    assert accuracy(task) > 0.9
    spikes = task.stimulus.spikes["input"]
    rest = spikes.units >= 2 * params.n_per_group
    blind = Spikes(
        spikes.times_ms[rest], spikes.units[rest], spikes.trials[rest],
        spikes.n_trials, spikes.n_units, spikes.duration_ms,
    )  # fmt: skip
    assert abs(accuracy(replace(task, stimulus=Stimulus({"input": blind}))) - 0.5) < 0.15


def test_every_weight_that_it_names_counts(trained):
    """What is quantised must reach the decision; biases are left alone."""
    params, network = trained
    given = evidence_task.draw(params, np.random.default_rng(5), 20)
    features, first = evidence_task.binned(params, given).astype(np.float32), lstm.first_bin(params)
    clean = np.asarray(lstm.logits(network.arrays, features, first))
    assert set(network.arrays) - set(network.info["weights"]) == {"gates_bias", "out_bias"}
    for name in network.info["weights"]:
        coarse = {**network.arrays, name: perturb.quantise(network.arrays[name], 2)}
        assert np.abs(lstm.logits(coarse, features, first) - clean).max() > 1e-3, name


def test_spikes_moved_to_the_end_of_a_trial_do_not_leave_its_bins():
    params = params_of("scherr", "evidence")
    given = evidence_task.draw(params, np.random.default_rng(2), 20)
    spikes = trials.to_spikes(given, params.dt_ms)
    moved = perturb.jitter(spikes, 200.0, np.random.default_rng(3))
    assert moved.times_ms.max() > spikes.duration_ms - params.dt_ms / 2
    task = replace(evidence_task.to_task(params, given), stimulus=Stimulus({"input": moved}))
    again = evidence_task.from_task(params, task)
    late = (moved.times_ms >= spikes.duration_ms - params.dt_ms / 2).sum()
    assert evidence_task.binned(params, again).sum() == len(spikes) - late
    # An unperturbed trial is what the features of the task say.
    clean = evidence_task.to_task(params, given)
    np.testing.assert_array_equal(
        evidence_task.binned(params, evidence_task.from_task(params, clean)), clean.features
    )
