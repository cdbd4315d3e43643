"""Arrays for the figures; times in ms, infinite where a neuron stays silent.

mnist_slow and regimes, from the network with the lowest seed of `VARIANT_BY_EXPERIMENT`:

    digit.target ()                         class of the first test image that is decided rightly
    digit.input_ms, digit.hidden_ms, digit.output_ms, digit.input_pulses_ms, digit.hidden_pulses_ms
                                            its spikes; those of the neurons as simulated in Brian2
    relative.edges_ms (bin + 1,), relative.share (bin,)
                                            hidden spikes relative to the decision, share of all
                                            hidden neurons and images per bin
    relative.decision_ms (image,)           decisions of these images

boolean: boolean.accuracy (gate, network), test, in closed form.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.contract.trial_subsets import of_variant, select_task
from whyspiking.talks.comsa import boolean, boolean_task, model, task

VARIANT_BY_EXPERIMENT = {"mnist_slow": "spiking", "regimes": "readme_rates", "boolean": "spiking"}
"""Experiment -> the variant that its figures show. At the rates of the README of the code all
networks of `regimes` become fast, so that one of them stands for the fast regime."""
N_IMAGES = 1000
"""Test images behind the histogram."""
BIN_MS = 1.0


def exhibits(
    params: ct.Params, networks: ct.Networks, simulate: ct.Simulate, streams: Streams
) -> dict[str, NDArray]:
    """All arrays of one experiment; see the module's description."""
    variant = VARIANT_BY_EXPERIMENT.get(params.experiment)
    trained_networks = of_variant(networks, variant) if variant else {}
    if not trained_networks:
        return {}
    seed = min(trained_networks)
    network = trained_networks[seed]
    if params.experiment == "boolean":
        values = boolean_task.samples(params, "test", Streams(seed))
        times = boolean.first_output_times(params, network.arrays, values)
        return {"boolean.accuracy": boolean.accuracies(params, times, values)}
    test = task.make_task(params, "test", streams)
    assert test is not None  # MNIST has a test split
    images = select_task(test, np.arange(min(N_IMAGES, len(test.targets))))
    return _make_histogram(params, network, images) | _simulate_digit(
        params, network, images, simulate
    )


def _make_histogram(params: ct.Params, network: ct.Network, images: ct.Task) -> dict[str, NDArray]:
    hidden, output = model.first_spikes(params, network.arrays, model.times_of(params, images))
    decision = output.min(axis=1)
    is_decided = np.isfinite(decision)
    gaps = (hidden - decision[:, None])[is_decided] * params.unit_ms
    reach = params.trial_ms
    edges = np.arange(-np.ceil(reach / BIN_MS), np.ceil(reach / BIN_MS) + 1) * BIN_MS
    counts, _ = np.histogram(gaps[np.isfinite(gaps)], edges)
    return {
        "relative.edges_ms": edges,
        "relative.share": counts / max(gaps.size, 1),
        "relative.decision_ms": decision[is_decided] * params.unit_ms,
    }


def _simulate_digit(
    params: ct.Params, network: ct.Network, images: ct.Task, simulate: ct.Simulate
) -> dict[str, NDArray]:
    trials = model.evaluate(params, network.arrays, images)
    i_correct = np.flatnonzero(trials.choices == trials.targets)
    # The first image that is decided rightly: mostly the same one in both regimes.
    i_image = int(i_correct[0]) if i_correct.size else 0
    example = select_task(images, np.array([i_image]))
    recording = simulate(network, example)
    pulses = {f"digit.{k}_ms": network.arrays[k] * params.unit_ms for k in model.PULSES}
    return {
        "digit.target": np.asarray(example.targets[0]),
        "digit.input_ms": example.stimulus.spikes["input"].first_ms()[0],
        "digit.hidden_ms": recording.spikes["hidden"].first_ms()[0],
        "digit.output_ms": recording.spikes["output"].first_ms()[0],
        **pulses,
    }
