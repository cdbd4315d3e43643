"""Arrays for the figures, from the spiking network with the lowest seed.

Experiment mnist_strict, keys (ticks: Tmax where a neuron stays silent):

    digit.image (28, 28)            brightness of the example, a test image that is rightly decided
    digit.target ()                 its class
    digit.input, digit.hidden, digit.output   first spikes in ticks, as simulated in Brian2
    filters.weights (some neurons, 28, 28)    input weights of the hidden neurons that fire before
                                    the decision on nearly half of the images
    forced.tick (time,)             ticks at which a decision is forced
    forced.accuracy.<seed> (time,)  share of right decisions: the first spike where there is one,
                                    else the output with the largest potential
    decided.tick (bin edges,), decided.share.<seed> (bin,)   when decisions fall
    ties.share.<seed> ()            share of trials in which several outputs fire first
    parity.times.<seed> ()          share of hidden and output neurons and trials whose first
                                    spikes agree to the tick in both engines
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.trial_subsets import of_variant, select_task, typical_trial
from whyspiking.contract.types import Networks, Params, Recording, Simulate
from whyspiking.talks.masquelier import model, task

N_IMAGES = 1000
N_FILTERS = 16
BIN_TICKS = 8


def exhibits(
    params: Params, networks: Networks, simulate: Simulate, streams: Streams
) -> dict[str, NDArray]:
    """All arrays of one experiment; see the module's description."""
    trained = of_variant(networks)
    test = task.make_task(params, "test", streams)
    if not trained or test is None or params.experiment != "mnist_strict":
        return {}
    some = select_task(test, np.arange(min(N_IMAGES, len(test.targets))))
    found: dict[str, NDArray] = {}
    for seed, network in trained.items():
        recording = simulate(network, some)
        firing = model.read(params, recording)
        expected = model.forward(params, network, task.events_of(params, some))
        equal = [firing.hidden == expected.hidden, firing.output == expected.output]
        found[f"parity.times.{seed}"] = np.asarray(
            np.concatenate([e.ravel() for e in equal]).mean()
        )
        first = firing.output.min(axis=1)
        tied = (firing.output == first[:, None]).sum(axis=1) > 1
        found[f"ties.share.{seed}"] = np.asarray((tied & (first < params.t_max)).mean())
        ticks, accuracy = forced(params, recording, firing.output, some.targets)
        found |= {"forced.tick": ticks, f"forced.accuracy.{seed}": accuracy}
        edges = np.arange(0, params.t_max + BIN_TICKS + 1, BIN_TICKS)
        counts, _ = np.histogram(first, edges)
        found |= {"decided.tick": edges, f"decided.share.{seed}": counts / len(first)}
        if seed == min(trained):
            chosen = typical_trial(model.decode(params, recording, some))
            inputs = some.stimulus.spikes["input"].first_ms()[chosen] / params.tick_ms
            side = int(np.sqrt(params.n_input))
            assert some.features is not None
            found |= {
                "digit.image": some.features[chosen].reshape(side, side).astype(np.float32),
                "digit.target": np.asarray(some.targets[chosen]),
                "digit.input": np.where(np.isfinite(inputs), inputs, params.t_max),
                "digit.hidden": firing.hidden[chosen],
                "digit.output": firing.output[chosen],
            }
            share = (firing.hidden < first[:, None]).mean(axis=0)
            telling = np.argsort(-share * (1 - share), kind="stable")[:N_FILTERS]
            filters = network.arrays["w_hidden"][:, telling].T
            found["filters.weights"] = filters.reshape(-1, side, side).astype(np.float32)
    return found


def forced(
    params: Params, recording: Recording, output: NDArray, targets: NDArray
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Accuracy if the network had to decide at a tick.

    Args:
        params: Parameters of the experiment.
        recording: From Brian2, with the potentials of the outputs.
        output: First spikes in ticks, (trial, class).
        targets: True classes, (trial,).

    Returns:
        Ticks up to the one at which silent trials are decided, and the share of right decisions
        at each.
    """
    potential = recording.traces["potential"]
    ticks = np.arange(potential.shape[1] - model.SILENT_TICKS + 1)
    accuracy = []
    for index, now in enumerate(ticks):
        # A neuron that has not fired by now shares the time "later" with all others.
        so_far = np.where(output <= now, output, params.t_max)
        choices = model.strict(so_far, potential[:, index, :])
        accuracy.append(np.mean(choices == targets))
    return ticks, np.asarray(accuracy)
