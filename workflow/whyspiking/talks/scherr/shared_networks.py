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
    first_step = round((spikes.duration_ms - params.answer_ms) / params.dt_ms)
    labels = np.asarray(classes, np.int32)
    return from_spikes(spikes, params.dt_ms, labels=labels, first_step=first_step)


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


def drawing(
    params: ct.Params, batch_size: int, streams: Streams
) -> tuple[Callable[[int], Trials], int]:
    """Return a function that draws the batch of an iteration, and the number of iterations.

    Every epoch shows its part (`task_data.part_of`) in another order; its last
    batch may be smaller.

    Args:
        params: Parameters of the experiment.
        batch_size: Trials per batch.
        streams: Randomness: "shuffle <epoch>".
    """
    per_epoch = -(-params.n_train // batch_size)

    @functools.lru_cache(maxsize=1)
    def load_part(i_part: int) -> ct.Task:
        task = samples(params, "train", i_part)
        assert task is not None
        return task

    @functools.lru_cache(maxsize=1)
    def make_batches(i_epoch: int) -> list[Trials]:
        task = load_part(task_data.part_of(params, i_epoch))
        order = streams.rng(f"shuffle {i_epoch}").permutation(task.targets.size)
        spikes = task.stimulus.spikes["input"].select_trials(order)
        return pieces(given(params, spikes, task.targets[order]), batch_size)

    def draw_batch(iteration: int) -> Trials:
        i_epoch, i_batch = divmod(iteration, per_epoch)
        return make_batches(i_epoch)[i_batch]

    return draw_batch, params.epochs * per_epoch


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Train one network on all presentations of the task.

    The learning rate falls linearly to zero over the last `decay_share` of the iterations. Variants
    are those of `RULES`. Randomness: "init", "shuffle <epoch>".
    """
    if variant not in RULES:
        raise unknown_variant(params.talk, params.experiment, variant)
    rule, suffix = RULES[variant]
    batch_size, rate = (getattr(params, f"{name}{suffix}") for name in ("batch", "learning_rate"))
    draw, iterations = drawing(params, batch_size, streams)
    recipe = learning.Recipe(
        rule, iterations, rate, params.decay_share, note_every=max(1, iterations // NOTES)
    )
    history = History()
    initial_arrays = model.initial(streams, n_inputs(params), params.n_hidden, params.n_output)
    fitted = learning.fit(params, recipe, cell(params), initial_arrays, draw, history, progress)
    return ct.Network(
        arrays=fitted.arrays,
        info={
            "engine": "compiled",
            "variant": variant,
            "rule": rule,
            "epochs": params.epochs,
            "updates": iterations,
            # M1: numbers that the rule holds in memory for one batch, without weights and states.
            "measures": {"learning_memory": float(fitted.floats_kept)},
        },
        history=history.rows,
    )


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> ct.Outcome:
    """Run a network in the engine it was trained in."""
    trials = given(params, task.stimulus.spikes["input"], task.targets)
    arrays = {name: x.astype(float) for name, x in network.arrays.items()}
    return decide_trials(params, kernel.mean_outputs(cell(params), arrays, trials), task)


def decide_trials(params: ct.Params, outputs: NDArray, task: ct.Task) -> ct.Trials:
    """Decide by the mean output over the last `answer_ms`, known when the trial ends."""
    return ct.Trials.of(task, outputs.argmax(axis=1), params.trial_ms)


def get_weights(network: ct.Network) -> model.Weights:
    """Return the weights of a network in double precision."""
    return model.Weights(*(network.arrays[name].astype(float) for name in ("w", "w_out")))


def reference_counts(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> Mapping[str, NDArray]:
    """Spikes of every neuron in the kernel."""
    trials = given(params, task.stimulus.spikes["input"], task.targets)
    return {POPULATION: kernel.forward(cell(params), get_weights(network), trials).counts}


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
    return decide_trials(params, recording.traces["output"][:, -counted:].mean(axis=1), task)
