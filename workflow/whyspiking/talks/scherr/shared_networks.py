"""Networks of the shared tasks (README, section 10)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.errors import unknown_variant
from whyspiking.talks.scherr import brian_network, kernel, learning, model
from whyspiking.talks.scherr.trials import Trials, from_spikes, pieces
from whyspiking.tasks import task_data
from whyspiking.training.history import History

POPULATION = "hidden"
RULES = {"spiking": ("symmetric", ""), "bptt": ("bptt", "_bptt")}
"""Variant -> rule of learning, and what the names of its tuned parameters end with."""
NOTES = 100
"""Rows of the history per metric."""


def n_inputs(params: ct.Params) -> int:
    """Input channels: those of the task, then those that always fire at the same time."""
    return params.n_input + len(params.bias_ms)


def cell(params: ct.Params) -> model.Cell:
    """Neurons and readout; the second half of the hidden layer adapts."""
    n_lif = params.n_hidden // 2
    return model.cell(params, n_lif, params.n_hidden - n_lif)


def given(params: ct.Params, spikes: Spikes, classes: NDArray) -> Trials:
    """Trials for the kernel; errors count in the last `answer_ms`.

    Args:
        params: Parameters of the experiment.
        spikes: Input on steps.
        classes: (trial,).
    """
    first = round((spikes.duration_ms - params.answer_ms) / params.dt_ms)
    labels = np.asarray(classes, np.int32)
    return from_spikes(spikes, params.dt_ms, labels=labels, first_step=first)


def samples(params: ct.Params, split: ct.Split, epoch: int = 0) -> ct.Task | None:
    """The samples of a split, and of an epoch of training, on the steps of the network."""
    return task_data.task_on_steps(
        params,
        split,
        step_ms=params.dt_ms,
        trial_ms=params.trial_ms,
        bias_ms=tuple(params.bias_ms),
        epoch=epoch,
    )


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """The samples of a split; of training those of its first epoch."""
    return samples(params, split)


def drawing(params: ct.Params, size: int, streams: Streams) -> tuple[Callable[[int], Trials], int]:
    """The batch of every iteration, and the number of iterations that shows all presentations.

    Every epoch shows its part (`task_data.part_of`) in another order; its last
    batch may be smaller.

    Args:
        params: Parameters of the experiment.
        size: Trials per batch.
        streams: Randomness: "shuffle <epoch>".
    """
    per_epoch = -(-params.n_train // size)

    @functools.lru_cache(maxsize=1)
    def shown(part: int) -> ct.Task:
        task = samples(params, "train", part)
        assert task is not None
        return task

    @functools.lru_cache(maxsize=1)
    def epoch(number: int) -> list[Trials]:
        task = shown(task_data.part_of(params, number))
        order = streams.rng(f"shuffle {number}").permutation(task.targets.size)
        spikes = task.stimulus.spikes["input"].select_trials(order)
        return pieces(given(params, spikes, task.targets[order]), size)

    def draw(iteration: int) -> Trials:
        number, within = divmod(iteration, per_epoch)
        return epoch(number)[within]

    return draw, params.epochs * per_epoch


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Train one network on all presentations of the task.

    The learning rate falls linearly to zero over the last `decay_share` of the iterations. Variants
    are those of `RULES`. Randomness: "init", "shuffle <epoch>".
    """
    if variant not in RULES:
        raise unknown_variant(params.talk, params.experiment, variant)
    rule, ending = RULES[variant]
    size, rate = (getattr(params, f"{name}{ending}") for name in ("batch", "learning_rate"))
    draw, iterations = drawing(params, size, streams)
    recipe = learning.Recipe(
        rule, iterations, rate, params.decay_share, note_every=max(1, iterations // NOTES)
    )
    history = History()
    start = model.initial(streams, n_inputs(params), params.n_hidden, params.n_output)
    fitted = learning.fit(params, recipe, cell(params), start, draw, history, progress)
    return ct.Network(
        arrays=fitted.arrays,
        info={
            "engine": "compiled",
            "variant": variant,
            "rule": rule,
            "epochs": params.epochs,
            "updates": iterations,
            # M1: what the rule holds in memory for one batch, beside weights and neurons.
            "measures": {"learning_memory": float(fitted.floats_kept)},
        },
        history=history.rows,
    )


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> ct.Outcome:
    """Run a network in the engine it was trained in."""
    trials = given(params, task.stimulus.spikes["input"], task.targets)
    arrays = {name: x.astype(float) for name, x in network.arrays.items()}
    return decided(params, kernel.mean_outputs(cell(params), arrays, trials), task)


def decided(params: ct.Params, outputs: NDArray, task: ct.Task) -> ct.Trials:
    """The choice is the mean output over the last `answer_ms`, so it stands when the trial ends."""
    return ct.Trials.of(task, outputs.argmax(axis=1), params.trial_ms)


def whole(network: ct.Network) -> model.Weights:
    """Weights of a network, in double precision."""
    return model.Weights(*(network.arrays[name].astype(float) for name in ("w", "w_out")))


def reference_counts(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> Mapping[str, NDArray]:
    """Spikes of every neuron in the kernel."""
    trials = given(params, task.stimulus.spikes["input"], task.targets)
    return {POPULATION: kernel.forward(cell(params), whole(network), trials).counts}


def to_brian(params: ct.Params) -> BrianModel:
    """The structure that re-simulates the networks."""
    return brian_network.network(
        params,
        name="scherr_shared",
        n_inputs=n_inputs(params),
        n_rec=params.n_hidden,
        n_out=params.n_output,
        n_steps=round(params.trial_ms / params.dt_ms),
        population=POPULATION,
    )


def bind(params: ct.Params, network: ct.Network) -> ct.Binding:
    """Place a trained network into the structure."""
    return brian_network.bind(cell(params), network.arrays, POPULATION)


def decode(params: ct.Params, recording: ct.Recording, task: ct.Task) -> ct.Outcome:
    """The decision from the mean output over the last `answer_ms`."""
    counted = round(params.answer_ms / params.dt_ms)
    return decided(params, recording.traces["output"][:, -counted:].mean(axis=1), task)
