"""DECOLLE on the tasks that all talks share: data in steps, rounds, decisions, engines, NIR."""

from dataclasses import replace

import numpy as np
import pytest
from made.neftci_networks import run_in_numpy
from made.project import params_of

from whyspiking.contract.randomness import Streams
from whyspiking.talks.neftci import decisions, model, shared, task
from whyspiking_exchange.nir import Clock
from whyspiking_exchange.talks import neftci as nir


def trained(own, variant="spiking"):
    return shared.train(own, variant, Streams(own.seed), {}, lambda share, news: None)


def test_the_last_steps_count():
    own = shared.own(params_of("neftci", "shared_randman", counted_ms=20.0))
    assert (own.n_frames, model.burn_in(own)) == (60, 40)
    own = shared.own(params_of("neftci", "shared_span_recall"))
    assert (own.n_frames, model.burn_in(own)) == (136, 128)


@pytest.mark.parametrize(("experiment", "others"), [("shared_randman", 0), ("shared_sound", 1)])
def test_every_epoch_of_a_task_with_time_has_other_trials(experiment, others):
    rounds = shared.rounds(params_of("neftci", experiment, n_validation=1))
    first, second = (rounds.of(epoch) for epoch in (0, 1))
    assert (first.frames != second.frames).any() == others


def test_readouts_add_up_or_vote():
    """Two steps for class 0 by little, one for class 1 by much."""
    own = shared.own(params_of("neftci", "shared_randman"))
    readout = np.zeros((1, own.n_frames, 2))
    readout[0, -3:] = [[1.0, 0.9], [1.0, 0.9], [0.0, 1.0]]
    # What comes before the answer is asked for does not count.
    readout[0, : model.burn_in(own)] = [9.0, 0.0]
    added, voted = (
        decisions.decide(
            replace(own, values={**own.values, "decision": by}), np.array([1]), readout
        )
        for by in ("sum", "vote")
    )
    assert (added.choices.tolist(), voted.choices.tolist()) == ([1], [0])
    assert added.decision_ms.tolist() == [(own.n_frames - 1) * own.dt_ms]


@pytest.mark.parametrize("experiment", ["shared_randman", "shared_span_recall"])
def test_brian2_fires_the_same_spikes(experiment):
    own = params_of("neftci", experiment, n_hidden=20, n_validation=40, tau_r=30.0)
    network = trained(own)
    given = shared.make_task(own, "test", Streams(0))
    frames = task.frames_of(shared.own(own), given.stimulus.spikes[task.INPUT])[:, :3]
    expected = model.responses(model.weights_of(network), frames, model.constants(shared.own(own)))[
        0
    ]
    assert expected[:, :3].any()
    built, binding = shared.to_brian(own), shared.bind(own, network)
    assert built.record_spikes == ("hidden",)
    for trial in range(3):
        found = run_in_numpy(built, binding.values, frames[:, trial])["hidden"]
        np.testing.assert_array_equal(found, expected[:, trial])


def test_the_graph_decides_as_the_network():
    """Nodes of NIR, step by step as importers walk them: filters, threshold, and back."""
    own = params_of("neftci", "shared_randman", n_hidden=20, n_validation=40)
    network = trained(own)
    clock = Clock(nir.step_ms(own))
    nodes = {k: p for k, (_, p) in nir.to_nir(own, "spiking", network, clock).nodes.items()}
    given = shared.make_task(own, "test", Streams(0))
    inputs = nir.stimulus(own, network, given, clock).astype(np.float64)

    def leak(name, before, current):
        return before + clock.step / nodes[name]["tau"] * (current - before)

    current = membrane = refractory = fired = np.zeros((len(inputs), own.n_hidden))
    outputs = []
    for now in inputs.transpose(1, 0, 2):
        current = leak("current0", current, now @ nodes["synapses0"]["weight"].T)
        membrane = leak("membrane0", membrane, current)
        refractory = leak("refractory0", refractory, fired @ nodes["taken0"]["weight"].T)
        drive = membrane + refractory + now @ nodes["bias0"]["weight"].T
        fired = (drive > 0).astype(np.float64)
        outputs.append(fired @ nodes["classes"]["weight"].T)
    chosen = nir.readout(own).decide(np.stack(outputs, axis=1))
    reference = nir.reference(own, "spiking", network, given)
    assert (chosen == reference).mean() >= 0.99
    assert len(set(reference)) > 3
