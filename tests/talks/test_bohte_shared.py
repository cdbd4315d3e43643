"""Bohte: the tasks that all talks share, from samples to spikes in Brian2."""

from dataclasses import replace

import numpy as np
import pytest
from made.bohte_networks import network_of, same_in_both
from made.fulfilled import fulfilled, task_of
from made.project import params_of, silent

from whyspiking.contract.randomness import Streams
from whyspiking.datasets import shared
from whyspiking.declared import registry
from whyspiking.talks.bohte import network, task
from whyspiking.training import controls

EXPERIMENTS = registry.load_talk("bohte").experiments
DELAYS = [name for name in EXPERIMENTS if name.startswith("shared_match")]


def test_every_input_of_randman_fires_after_0():
    """Or else the control that sees which inputs fired would see a time."""
    params = params_of("bohte", "shared_randman")
    for split in shared.SPLITS:
        assert (controls.mask(np.asarray(task_of(params, split).features)) == 1).all()


@pytest.mark.parametrize("name", DELAYS)
def test_delayed_trials_are_as_long_as_they_last_and_decided_in_the_answer_window(name):
    params = params_of("bohte", name)
    told = task_of(params)
    layout = shared.settings_of(params)
    assert params.n_steps * params.step_ms == layout.trial_ms
    assert params.n_unscored * params.step_ms == layout.go_ms
    found = task.raster(params, told)
    assert found.shape == (params.n_test, params.n_steps, params.n_input)
    np.testing.assert_array_equal(found, np.asarray(told.features) > 0)
    # The go signal (inputs 30 to 34) comes in the scored steps and nowhere else.
    assert found[:, params.n_unscored :, 30:35].any(axis=1).all()
    assert not found[:, : params.n_unscored, 30:35].any()


def test_every_trial_of_delayed_match_is_shown_once(monkeypatch, tmp_path):
    """Chunk by chunk, and never the same trials twice."""
    shown = []

    def given(params, first=0):
        shown.append(first)
        return drawn(params, first)

    drawn = shared.training_trials
    monkeypatch.setattr(shared, "CHUNK", 100)
    monkeypatch.setattr(shared, "training_trials", given)
    params = replace(
        params_of("bohte", "shared_match_100", n_train=300, n_hidden=6), work_dir=tmp_path
    )
    made = fulfilled(params).train(params, "spiking", Streams(0), {}, silent)
    assert shown == [0, 1, 2] and made.info["epochs"] == 3
    rows = set()
    for spikes, _ in drawn(params):
        rows |= {row.tobytes() for row in spikes.raster(spikes.steps(5.0), params.n_steps)}
    assert len(rows) == 300


def test_brian_fires_spike_for_spike_as_double_precision_does(builds):
    """One layer, whose number of neurons is no list."""
    from whyspiking.brian import Machine

    params = params_of("bohte", "shared_randman", n_test=20)
    machine = Machine(fulfilled(params).to_brian(params), builds)
    assert 0.001 < same_in_both(params, network_of(params, "alif"), task_of(params), machine) < 0.7


def test_the_wide_control_has_as_many_parameters_as_the_spiking_network():
    params = params_of("bohte", "shared_randman")
    own = sum(
        array.size for array in network.initial(params, "alif", Streams(0).rng("init")).values()
    )
    (wide,) = EXPERIMENTS["shared_randman"].variants["mlp_wide"].hidden
    sizes = [params.n_input, wide, params.n_output]
    weights = controls.initial(sizes, np.random.default_rng(0)).values()
    per_unit = params.n_input + params.n_output + 1
    assert abs(sum(array.size for array in weights) - own) <= per_unit / 2
