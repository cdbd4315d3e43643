"""Element distinctness by one neuron: learned from random values, replayed in Brian2 (README, 3).

`spiking` learns weights, time constant and threshold; of `tau_2` and `tau_20` the time constant
stays, `tau_20_trained` starts where `tau_20` stays. `graded` is the same unit without a spike.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.datasets import distinctness
from whyspiking.talks.discussion import leaky_neuron
from whyspiking.talks.discussion.leaky_neuron import bind
from whyspiking.talks.discussion.leaky_neuron import brian_model as to_brian

__all__ = ["bind", "decode", "evaluate", "make_task", "to_brian", "train"]

GIVEN_TAU_MS = {"tau_2": 2.0, "tau_20": 20.0, "tau_20_trained": 20.0}
SPREAD = np.sqrt(12.0)
"""One over the standard deviation of uniform numbers on [0, 1]."""


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """Fresh trials; controls read the times as numbers of mean 0 and standard deviation 1."""
    if split == "fresh":
        return None
    n = {"train": params.n_train, "validation": params.n_validation, "test": params.n_test}[split]
    settings = distinctness.Settings(params.n_input)
    times, classes = distinctness.draw(settings, n, streams.rng(f"data-{split}"))
    return ct.Task(
        stimulus=ct.Stimulus({"input": Spikes.from_first_spikes(times, params.trial_ms)}),
        targets=classes,
        n_classes=2,
        features=scaled(times, settings).astype(np.float32),
    )


def scaled(times: NDArray, settings: distinctness.Settings) -> NDArray[np.float64]:
    """Times as numbers of mean 0 and standard deviation 1, about."""
    return SPREAD * (times / settings.trial_ms - 0.5)


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Learn from fresh trials at every rate, and keep what is best on validation trials."""
    settings = distinctness.Settings(params.n_input)
    drawn, held_out = (
        distinctness.draw(settings, n, streams.rng(f"data-{split}"))
        for split, n in (("train", params.n_train), ("validation", params.n_validation))
    )
    tau = GIVEN_TAU_MS.get(variant)
    frozen = ("log_tau",) if variant in ("tau_2", "tau_20") else ()
    graded = variant == "graded"
    arrays = learned(params, drawn, held_out, streams, graded=graded, tau_ms=tau, frozen=frozen)
    numbers = len(arrays["w"]) + 2 - len(frozen) + graded
    info = {"engine": "jax", "epochs": 1, "measures": {"parameters": numbers}}
    progress(1.0, f"time constant {np.exp(arrays['log_tau']):.2f} ms")
    return ct.Network(arrays, info)


def learned(
    params: ct.Params,
    drawn: tuple[NDArray, NDArray],
    held_out: tuple[NDArray, NDArray],
    streams: Streams,
    *,
    graded: bool = False,
    tau_ms: float | None = None,
    frozen: tuple[str, ...] = (),
) -> dict[str, NDArray]:
    """A neuron, or its graded counterpart: the best of `neuron_rates`, from random values each."""
    from whyspiking.talks.discussion import fitting

    loss = leaky_neuron.graded_loss if graded else leaky_neuron.spike_loss

    def begin(rng: np.random.Generator) -> dict[str, NDArray]:
        drawn_values = leaky_neuron.start(drawn[0].shape[1], rng, tau_ms)
        return drawn_values | ({"gain": np.ones(())} if graded else {})

    tried = fitting.tries(loss, begin, drawn, params.neuron_rates, streams, "init", frozen)
    return max(tried, key=lambda arrays: accuracy(arrays, *held_out))


def accuracy(arrays: dict[str, NDArray], times: NDArray, classes: NDArray) -> float:
    """Share of trials in which it fires, or reaches its threshold, as it should."""
    return float((np.asarray(leaky_neuron.fired(arrays, times)) == classes).mean())


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> ct.Trials:
    """Event by event; the graded counterpart says class 1 where what it sends is positive."""
    times = task.stimulus.spikes["input"].first_ms()
    return ct.Trials.of(
        task, np.asarray(leaky_neuron.fired(network.arrays, times)), params.trial_ms
    )


def decode(params: ct.Params, recording: ct.Recording, task: ct.Task) -> ct.Trials:
    """A spike means class 1, at once; silence class 0, known at the end of the trial."""
    first = recording.spikes["output"].first_ms()[:, 0]
    fires = np.isfinite(first)
    return ct.Trials.of(task, fires, np.where(fires, first, params.trial_ms))
