"""Bohte: the tasks that all talks share, from samples to spikes in Brian2."""

import numpy as np
import pytest
from made.bohte_networks import network_of, same_in_both
from made.fulfilled import fulfilled, task_of
from made.project import params_of

from whyspiking.talks.bohte import network

WITH_TIME = ("shared_span_recall", "shared_volley_recall", "shared_sound")


@pytest.mark.parametrize("experiment", ["shared_randman", "shared_sound"])
def test_brian_fires_spike_for_spike_as_double_precision_does(experiment, builds):
    """One layer, whose number of neurons is no list."""
    from whyspiking.brian import Machine

    params = params_of("bohte", experiment, n_test=20)
    machine = Machine(fulfilled(params).to_brian(params), builds)
    assert 0.001 < same_in_both(params, network_of(params, "alif"), task_of(params), machine) < 0.7


@pytest.mark.parametrize("experiment", WITH_TIME)
def test_the_answer_is_read_where_the_task_asks_by_a_readout_that_forgets(experiment):
    params = params_of("bohte", experiment)
    assert params.n_steps * params.step_ms == params.trial_ms
    first = params.n_steps - params.answer_ms / params.step_ms
    assert params.n_unscored == max(first, 1)
    slow = {name: np.full(2, 9.0) for name in ("log_tau_out", "log_tau_mem_0")}
    kept = {name: np.exp(logs[0]) for name, logs in network.within(params, slow).items()}
    assert kept["log_tau_out"] * params.step_ms == pytest.approx(20.0)
    assert kept["log_tau_mem_0"] * params.step_ms > 1000.0
