"""Networks of the shared tasks: Yin-Yang, Randman, delayed match (README, section 10)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.datasets import shared
from whyspiking.errors import unknown_variant
from whyspiking.talks.scherr import brian_network, kernel, learning, model
from whyspiking.talks.scherr.trials import Trials, from_spikes, pieces
from whyspiking.training.history import History

POPULATION = "hidden"
RESET = "reset"
"""Variant that begins anew when the first cue is over."""
TWIN = "graded"
"""Variant whose neurons send by how much they exceed the threshold."""
RULES = {
    "spiking": ("symmetric", ""),
    "bptt": ("bptt", "_bptt"),
    RESET: ("bptt", "_bptt"),
    TWIN: ("bptt", "_graded"),
}
"""Variant -> rule of learning, and what the names of its tuned parameters end with."""
NOTES = 100
"""Rows of the history per metric."""


def trial_ms(params: ct.Params) -> float:
    """Length of a trial."""
    return shared.settings_of(params).trial_ms if shared.delayed(params) else params.trial_ms


def n_inputs(params: ct.Params) -> int:
    """Input channels: those of the task, then those that always fire at the same time."""
    return params.n_input + len(params.bias_ms)


def cell(params: ct.Params, variant: str = "") -> model.Cell:
    """Neurons and readout; the second half of the hidden layer adapts."""
    n_lif = params.n_hidden // 2
    neurons = model.cell(params, n_lif, params.n_hidden - n_lif)
    return replace(neurons, graded=variant == TWIN)


def given(params: ct.Params, spikes: Spikes, classes: NDArray, variant: str = "") -> Trials:
    """Trials for the kernel; errors count in the last `answer_ms`.

    Args:
        params: Parameters of the experiment.
        spikes: Input on steps.
        classes: (trial,).
        variant: Of `RESET` the network has its first state when the first cue is over: the spikes
            until then are left out.
    """
    if variant == RESET:
        spikes = spikes.keep(spikes.times_ms >= shared.settings_of(params).cue_ms)
    first = round((spikes.duration_ms - params.answer_ms) / params.dt_ms)
    labels = np.asarray(classes, np.int32)
    return from_spikes(spikes, params.dt_ms, labels=labels, first_step=first)


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """The samples of a split, on the steps of the network."""
    return shared.task_on_steps(
        params,
        split,
        step_ms=params.dt_ms,
        trial_ms=trial_ms(params),
        bias_ms=tuple(params.bias_ms),
    )


def control_trials(params: ct.Params, first: int = 0) -> Iterator[tuple[Spikes, NDArray[np.int64]]]:
    """The trials that the spiking networks learn from, a chunk at a time."""
    if shared.delayed(params):
        yield from shared.training_trials(params, first)
        return
    task = make_task(params, "train", Streams(params.seed))
    assert task is not None
    parts = -(-params.n_train // shared.CHUNK)
    for index in range(first, parts * params.control_epochs):
        epoch, part = divmod(index, parts)
        order = Streams(params.seed).rng(f"shuffle {epoch}").permutation(params.n_train)
        chosen = order[part * shared.CHUNK : (part + 1) * shared.CHUNK]
        yield task.stimulus.spikes["input"].select_trials(chosen), task.targets[chosen]


def control_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """What controls learn from: as many trials as the networks, also where these are fresh."""
    task = make_task(params, split, streams)
    if task is None or split != "train" or not shared.delayed(params):
        return task
    spikes, classes = zip(*shared.training_trials(params), strict=True)
    step_ms, n_steps = shared.STEP_MS, round(trial_ms(params) / shared.STEP_MS)
    rasters = [part.raster(part.steps(step_ms), n_steps) for part in spikes]
    return ct.Task(
        ct.Stimulus(), np.concatenate(classes), params.n_output, features=np.concatenate(rasters)
    )


def drawing(
    params: ct.Params, variant: str, size: int, streams: Streams
) -> tuple[Callable[[int], Trials], int]:
    """The batch of every iteration, and the number of iterations that shows all presentations.

    Trials of delayed match come in the order in which they are drawn, samples of the other tasks in
    another order every epoch. The last batch of a chunk, or of an epoch, may be smaller.

    Args:
        params: Parameters of the experiment.
        variant: Variant of the network.
        size: ct.Trials per batch.
        streams: Randomness: "shuffle <epoch>".
    """
    task = None if shared.delayed(params) else make_task(params, "train", streams)
    if task is None:
        per_block, rest = -(-shared.CHUNK // size), params.n_train % shared.CHUNK
        iterations = params.n_train // shared.CHUNK * per_block + -(-rest // size)
    else:
        per_block = -(-params.n_train // size)
        iterations = params.epochs * per_block

    @functools.lru_cache(maxsize=1)
    def block(number: int) -> list[Trials]:
        if task is None:
            spikes, classes = next(shared.training_trials(params, number))
            spikes = shared.on_steps(spikes, params.dt_ms)
        else:
            order = streams.rng(f"shuffle {number}").permutation(task.targets.size)
            spikes = task.stimulus.spikes["input"].select_trials(order)
            classes = task.targets[order]
        return pieces(given(params, spikes, classes, variant), size)

    def draw(iteration: int) -> Trials:
        number, within = divmod(iteration, per_block)
        return block(number)[within]

    return draw, iterations


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
    draw, iterations = drawing(params, variant, size, streams)
    recipe = learning.Recipe(
        rule, iterations, rate, params.decay_share, note_every=max(1, iterations // NOTES)
    )
    history = History()
    start = model.initial(streams, n_inputs(params), params.n_hidden, params.n_output)
    neurons = cell(params, variant)
    fitted = learning.fit(params, recipe, neurons, start, draw, history, progress)
    return ct.Network(
        arrays=fitted.arrays,
        info={
            "engine": "compiled",
            "variant": variant,
            "rule": rule,
            # A fresh trial is shown once.
            "epochs": 1 if shared.delayed(params) else params.epochs,
            "updates": iterations,
            # Of a control, so that it is measured as the networks with spikes are.
            **({"weights": ["w", "w_out"]} if variant == TWIN else {}),
            # M1: what the rule holds in memory for one batch, beside weights and neurons.
            "measures": {"learning_memory": float(fitted.floats_kept)},
        },
        history=history.rows,
    )


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> ct.Outcome:
    """Run a network in the engine it was trained in."""
    trials = given(params, task.stimulus.spikes["input"], task.targets, variant)
    arrays = {name: x.astype(float) for name, x in network.arrays.items()}
    return decided(params, kernel.mean_outputs(cell(params, variant), arrays, trials), task)


def decided(params: ct.Params, outputs: NDArray, task: ct.Task) -> ct.Trials:
    """The choice is the mean output over the last `answer_ms`, so it stands when the trial ends."""
    return ct.Trials.of(task, outputs.argmax(axis=1), trial_ms(params))


def whole(network: ct.Network) -> model.Weights:
    """Weights of a network, in double precision."""
    return model.Weights(*(network.arrays[name].astype(float) for name in ("w", "w_out")))


def reference_counts(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> Mapping[str, NDArray]:
    """Spikes of every neuron in the kernel."""
    trials = given(params, task.stimulus.spikes["input"], task.targets, variant)
    return {POPULATION: kernel.forward(cell(params), whole(network), trials).counts}


def control_counts(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> Mapping[str, float]:
    """Operations of the graded twin, and what its neurons send."""
    from whyspiking.talks.scherr import measures

    trials = given(params, task.stimulus.spikes["input"], task.targets, variant)
    return measures.control_counts(cell(params, variant), whole(network), trials)


def to_brian(params: ct.Params) -> BrianModel:
    """The structure that re-simulates the networks."""
    return brian_network.network(
        params,
        name="scherr_shared",
        n_inputs=n_inputs(params),
        n_rec=params.n_hidden,
        n_out=params.n_output,
        n_steps=round(trial_ms(params) / params.dt_ms),
        population=POPULATION,
    )


def bind(params: ct.Params, network: ct.Network) -> ct.Binding:
    """Place a trained network into the structure."""
    return brian_network.bind(cell(params), network.arrays, POPULATION)


def decode(params: ct.Params, recording: ct.Recording, task: ct.Task) -> ct.Outcome:
    """The decision from the mean output over the last `answer_ms`."""
    counted = round(params.answer_ms / params.dt_ms)
    return decided(params, recording.traces["output"][:, -counted:].mean(axis=1), task)
