"""Example data for the figures of the experiment `xor`; `drawing_xor.py` explains the names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network, Networks, Params, Simulate, Stimulus, Task
from whyspiking.talks.naud import reference, xor_network
from whyspiking.talks.naud import xor_protocol as protocol
from whyspiking.talks.naud.xor_network import INPUTS, OUTPUT, POPULATIONS, PROJECTIONS, TRIAL_MS
from whyspiking.talks.naud.xor_protocol import PATTERNS, TARGETS

BIN_MS = 200.0
"""Bins of the output rate."""
TRACE_MS = 1200.0
STEP_MS = (400.0, 800.0)
"""When the example neuron gets a current into its dendrite."""
STEP_A = 1000.0e-12
WEIGHT_BINS = 60


def exhibits(
    params: Params, networks: Networks, simulate: Simulate, streams: Streams
) -> dict[str, NDArray]:
    """Arrays for the figures: all tests and updates of training, and one network in detail."""
    kept = histories(networks)
    seeds = sorted(seed for variant, seed in networks if variant == "spiking")
    if not seeds:
        return kept
    network = networks["spiking", seeds[0]]
    kept |= {k: v for k, v in network.arrays.items() if k.startswith("alignment.")}
    return (
        kept
        | _output(params, network, simulate)
        | _weights(params, network)
        | _trace(params, streams.rng("example neuron"))
    )


def histories(networks: Networks) -> dict[str, NDArray]:
    """All tests and updates of the trainings; `<v>.<s>` are variant and seed."""
    kept: dict[str, NDArray] = {}
    for (variant, seed), network in networks.items():
        if "test_rates" not in network.arrays:
            continue
        place = f"{variant}.{seed}"
        kept |= {
            f"tests.epoch.{place}": network.arrays["test_epochs"],
            f"tests.rates.{place}": network.arrays["test_rates"].astype(np.float32),
            f"credit.{place}": network.arrays["credit"],
            f"updates.{place}": network.arrays["updates"].astype(np.float32),
            f"predicted.{place}": network.arrays["example_rates"].astype(np.float32),
        }
    return kept


def _output(params: Params, network: Network, simulate: Simulate) -> dict[str, NDArray]:
    """Output rate through the four patterns in their order, before and after training."""
    patterns = np.arange(len(PATTERNS))
    task = Task(
        stimulus=Stimulus(arrays={"schedule": protocol.presentations(params, patterns)}),
        targets=TARGETS[patterns],
        n_classes=2,
    )
    start = np.full_like(network.arrays["forward.w"], params.w_exc)
    before = replace(network, arrays={**network.arrays, "forward.w": start})
    edges = np.arange(0.0, TRIAL_MS + 1, BIN_MS)
    kept = {"output.bin_ms": np.array(BIN_MS)}
    for name, chosen in (("before", before), ("after", network)):
        spikes = simulate(chosen, task).spikes["neurons"]
        own = spikes.units // params.n_per_population == OUTPUT
        counts = [
            np.histogram(spikes.times_ms[own & (spikes.trials == trial)], edges)[0]
            for trial in range(len(PATTERNS))
        ]
        seconds = BIN_MS / 1e3
        kept[f"output.{name}"] = np.concatenate(counts) / (seconds * params.n_per_population)
    return kept


def _weights(params: Params, network: Network) -> dict[str, NDArray]:
    """Histograms of the learned weights by projection."""
    n = params.n_per_population
    pre, post = network.arrays["forward.i"] // n, network.arrays["forward.j"] // n
    w = network.arrays["forward.w"]
    edges = np.linspace(0, max(0.6, float(w.max())), WEIGHT_BINS + 1)
    counts = [np.histogram(w[(pre == a) & (post == b)], edges)[0] for a, b in PROJECTIONS]
    means = [w[(pre == a) & (post == b)].mean() for a, b in PROJECTIONS]
    return {
        "weights.edges": edges,
        "weights.counts": np.array(counts),
        "weights.mean": np.array(means),
        "weights.start": np.array(float(params.w_exc)),
    }


def _trace(params: Params, rng: np.random.Generator) -> dict[str, NDArray]:
    """One neuron with noise and current of an active input; a current into its dendrite: bursts."""
    alone = replace(params, values={**params.values, "n_per_population": 1})
    neurons = {
        key.removeprefix("neurons."): np.array(value)
        for key, value in xor_network.neuron_values(alone).items()
    }
    n = len(POPULATIONS)
    nothing = np.full((n, n), np.nan)
    matrices = {key: nothing for key in ("forward", "inhibition", "feedback_exc", "feedback_inh")}
    rows = np.zeros((round(TRACE_MS / params.slot_ms), len(xor_network.CHANNELS)))
    times = params.slot_ms * np.arange(len(rows))
    # The output neuron is the one that the schedule can teach; here it is like an input otherwise.
    for key in ("q_s", "jump_e", "jump_i", "i_d", "is_input", "input_of"):
        neurons[key][OUTPUT] = neurons[key][INPUTS[0]]
    rows[:, 0] = params.i_high
    inside = (times >= STEP_MS[0]) & (times < STEP_MS[1])
    rows[inside, 2] = xor_network.HOLD
    rows[np.flatnonzero(inside)[0], 2] = 1.0
    taught = replace(alone, values={**alone.values, "teaching": STEP_A})
    run = reference.simulate(taught, neurons, matrices, rows, rng, traced=("v_s", "v_d", "th"))
    dt = params.dt_ms
    own = {
        name: dt * found[found[:, 1] == OUTPUT, 0]
        for name, found in (("event", run.events), ("burst", run.bursts))
    }
    return {
        "trace.time_ms": dt * np.arange(run.traces["v_s"].shape[0]),
        "trace.soma_mv": 1e3 * run.traces["v_s"][:, OUTPUT],
        "trace.dendrite_mv": 1e3 * run.traces["v_d"][:, OUTPUT],
        "trace.threshold_mv": 1e3 * run.traces["th"][:, OUTPUT],
        "trace.event_ms": own["event"],
        "trace.burst_ms": own["burst"],
        "trace.step_ms": np.array(STEP_MS),
        "trace.step_pa": np.array(1e12 * STEP_A),
    }
