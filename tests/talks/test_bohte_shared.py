"""Bohte: the tasks that all talks share, from samples to spikes in Brian2."""

from made.bohte_networks import network_of, same_in_both
from made.fulfilled import fulfilled, task_of
from made.project import params_of


def test_brian_fires_spike_for_spike_as_double_precision_does(builds):
    """One layer, whose number of neurons is no list."""
    from whyspiking.brian import Machine

    params = params_of("bohte", "shared_randman", n_test=20)
    machine = Machine(fulfilled(params).to_brian(params), builds)
    assert 0.001 < same_in_both(params, network_of(params, "alif"), task_of(params), machine) < 0.7
