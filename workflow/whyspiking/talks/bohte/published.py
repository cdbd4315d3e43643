"""ECG networks trained by the published recipe (README, section 12).

A network has the layers of the network that the authors released: one recurrent hidden layer, and
adaptive spiking output neurons whose membranes label the step. The simulation in Brian2 is that of
`released_ecg`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.errors import unknown_variant
from whyspiking.talks.bohte import ecg, learning, model, released_layers, training
from whyspiking.talks.bohte import network as networks
from whyspiking.talks.bohte import task as tasks
from whyspiking.talks.bohte.ecg import control_counts, decode, make_task
from whyspiking.talks.bohte.released_ecg import HIDDEN, RELEASED, START, to_brian
from whyspiking.training import gradient, surrogates
from whyspiking.training.gradient import Arrays, Data, Loss
from whyspiking.training.products import product

__all__ = [
    "bind", "control_counts", "decode", "evaluate", "make_task", "reference_counts", "to_brian",
    "train",
]  # fmt: skip

CELLS = {"spiking": "lif_fixed", "adaptive": "alif", "traces": "traces"}
"""Variant -> cell of its hidden layer, as `network` names it."""
CRITERION = "train_accuracy"
"""The published code keeps the epoch with the largest accuracy on training records."""


def train(
    params: ct.Params,
    variant: str,
    streams: Streams,
    parents: ct.Parents,
    progress: ct.Progress,
) -> ct.Network:
    """Train one network on all training records. Randomness: "init", "shuffle", "start-<epoch>".

    Test records are scored after every epoch. These scores choose nothing; `info["measures"]` holds
    those of three epochs (`summarise`).

    Raises:
        UserError: If the experiment has no such variant.
    """
    if variant not in CELLS:
        raise unknown_variant(params.talk, params.experiment, variant)
    cell, test = CELLS[variant], make_task(params, "test", streams)
    records = tasks.records(params, "all_train", streams)
    assert test is not None and records is not None
    labels = tasks.scored(params, records.labels, padded=True).astype(np.int8)
    data: Data = {"x": records.events, "labels": labels}
    expected = tasks.scored(params, test.targets, padded=True)
    test_events, rng = tasks.raster(params, test), streams.rng("init")
    settings = gradient.Settings(
        epochs=params.epochs,
        batch=params.batch,
        learning_rate=float(params.values[f"rate_{cell}"]),
        clip_norm=params.clip_norm,
        criterion=CRITERION,
        rates=list_rates(params, cell),
        halved_every=params.halved_every,
    )
    fit = partial(
        gradient.fit, settings=settings, shuffle=streams.rng("shuffle"), progress=progress
    )

    def score(outputs: NDArray) -> dict[str, float]:
        is_correct = outputs.argmax(axis=2) == expected
        return {"test_accuracy": float(is_correct[expected >= 0].mean())}

    if cell in networks.SPIKING:
        program = make_program(params, cell)

        def draw_starts(epoch: int) -> Data:
            shape = (len(labels), *params.n_hidden)
            return {**data, "start": streams.rng(f"start-{epoch}").random(shape, np.float32)}

        fitted = fit(
            draw_layers(params, cell, rng),
            make_loss(params),
            draw_starts,
            judge=lambda arrays: score(program(arrays, test_events)[0]),
            constants={"adaptation": networks.adaptation(params, cell)},
            project=partial(limit_time_constants, params),
        )
    else:
        fitted = fit(
            networks.initial(params, cell, rng),
            training.label_loss(params, cell),
            data,
            judge=lambda arrays: score(networks.outputs(params, cell, arrays, test_events)),
        )
    scores = [row["value"] for row in fitted.history if row["metric"] == "test_accuracy"]
    info = {
        **fitted.info,
        "cell": cell,
        "adaptation": networks.adaptation(params, cell),
        "provenance": tasks.provenance(params),
        "measures": summarise(scores, fitted.info["best_epoch"]),
    }
    if cell not in networks.SPIKING:
        info["weights"] = [name for name in fitted.arrays if name.startswith("w_")]
    return ct.Network(fitted.arrays, info, fitted.history)


def summarise(scores: Sequence[float], kept_epoch: int) -> dict[str, float]:
    """Test accuracy, scored as published, after three epochs.

    Args:
        scores: Of every epoch.
        kept_epoch: The epoch of the network, numbered from 1.

    Returns:
        Metric -> accuracy after the kept epoch, after the epoch with the largest accuracy on test
        records, and after the last epoch.
    """
    return {
        "accuracy_padded_best_train": scores[kept_epoch - 1],
        "accuracy_padded_best_test": max(scores),
        "accuracy_padded_last": scores[-1],
    }


def draw_layers(params: ct.Params, cell: str, rng: Generator) -> dict[str, NDArray[np.float32]]:
    """A network before training, with arrays as `released_layers` names them.

    Time constants are in steps, because the published code trains them and not their logarithms.
    """
    initial_arrays = networks.initial(params, cell, rng)
    return {
        **{name: initial_arrays[name] for name in ("w_in_0", "w_rec_0", "bias_0")},
        "tau_mem_0": np.exp(initial_arrays["log_tau_mem_0"]),
        "tau_adapt_0": np.exp(initial_arrays["log_tau_adapt_0"]),
        "w_in_1": initial_arrays["w_out"],
        "bias_1": initial_arrays["b_out"],
        "tau_mem_1": np.exp(initial_arrays["log_tau_out"]),
        "tau_adapt_1": np.full(params.n_output, params.tau_adapt_out, np.float32),
    }


def list_rates(params: ct.Params, cell: str) -> dict[str, float]:
    """Factors on the learning rate; 0 for time constants that are not trained."""
    is_trained = cell not in networks.FIXED
    hidden = params.tau_rate if is_trained else 0.0
    return {
        "tau_mem_0": hidden,
        # Neurons without adaptation have no use for it.
        "tau_adapt_0": hidden,
        "tau_mem_1": params.tau_rate_out if is_trained else 0.0,
        "tau_adapt_1": params.tau_rate_out,
        "bias_0": params.bias_rate,
    }


def limit_time_constants(params: ct.Params, arrays: Arrays) -> Arrays:
    """Keep time constants between one step and `tau_max`."""
    return {
        name: jnp.clip(values, 1.0, params.tau_max) if name.startswith("tau_") else values
        for name, values in arrays.items()
    }


def run_layers(
    params: ct.Params, arrays: Arrays, x: Any, strength: Any, start: Any
) -> tuple[Any, Any]:
    """Run a network on whole trials.

    Args:
        params: Constants.
        arrays: The network.
        x: Input, (time, trial, channel).
        strength: Adaptation of hidden neurons.
        start: Membranes of hidden neurons before the first step, (trial, neuron).

    Returns:
        Membranes of output neurons (time, trial, class), spikes of hidden ones (time, trial,
        neuron).
    """
    neuron = networks.neuron(params, "lif")
    fire = surrogates.spike(neuron.surrogate)
    alphas = [jnp.exp(-1 / arrays[f"tau_mem_{k}"]) for k in range(2)]
    rhos = [jnp.exp(-1 / arrays[f"tau_adapt_{k}"]) for k in range(2)]
    drive = product(x, arrays["w_in_0"]) + arrays["bias_0"]
    state = model.at_rest(neuron, drive[0])._replace(u=start)
    w_rec = arrays["w_rec_0"]
    fired = learning.spikes(neuron, strength, drive, w_rec, alphas[0], rhos[0], state)
    drive = product(fired, arrays["w_in_1"]) + arrays["bias_1"]
    no_recurrence = jnp.zeros((params.n_output,) * 2, drive.dtype)
    beta = jnp.asarray(params.adaptation, drive.dtype)
    output = model.course(
        neuron,
        beta,
        drive,
        no_recurrence,
        alphas[1],
        rhos[1],
        fire=lambda u, theta: fire(u - theta),
    )
    return output.u, fired


def make_loss(params: ct.Params) -> Loss:
    """Cross-entropy of every scored step (README, Eq. 6), of the membranes of output neurons.

    Returns:
        A loss for `gradient.fit`. It takes `x` (trial, time, channel), `labels` (trial, time),
        `start` (trial, neuron) and `adaptation`.
    """

    def loss(arrays: Arrays, batch: Arrays) -> Any:
        x = batch["x"].swapaxes(0, 1).astype(batch["start"].dtype)
        membranes, fired = run_layers(params, arrays, x, batch["adaptation"], batch["start"])
        value, correct = learning.loss_of_labels(membranes, batch["labels"])
        return value, {CRITERION: correct, "train_rate": fired.mean()}

    return loss


def make_program(params: ct.Params, cell: str) -> Callable[[Arrays, NDArray], Any]:
    """Compile a spiking network whose hidden membranes start at `START`.

    Returns:
        Arrays of the network and input (trial, time, channel) -> membranes of output neurons
        (trial, time, class), spikes of hidden neurons (trial, time, neuron).
    """
    strength = jnp.float32(networks.adaptation(params, cell))
    run = jax.jit(partial(run_layers, params))

    def program(arrays: Arrays, x: NDArray) -> Any:
        start = jnp.full((len(x), *params.n_hidden), START, jnp.float32)
        membranes_and_spikes = run(
            dict(arrays), jnp.asarray(x.swapaxes(0, 1), jnp.float32), strength, start
        )
        return [np.asarray(values).swapaxes(0, 1) for values in membranes_and_spikes]

    return program


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> ct.Outcome:
    """Label the records in JAX."""
    cell = network.info["cell"]
    if cell not in networks.SPIKING:
        return ecg.evaluate(params, variant, network, task)
    outputs = make_program(params, cell)(network.arrays, tasks.raster(params, task))[0]
    return tasks.outcome(params, outputs, task)


def reference_counts(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> Mapping[str, NDArray]:
    """Spikes of every hidden neuron in JAX, (trial, neuron)."""
    program = make_program(params, network.info["cell"])
    return {HIDDEN: program(network.arrays, tasks.raster(params, task))[1].sum(axis=1)}


def bind(params: ct.Params, network: ct.Network) -> ct.Binding:
    """Place a network into the structure of `released_ecg`."""
    hidden, output = RELEASED.layers
    layers = (hidden._replace(adapts=network.info["adaptation"] > 0), output)
    return released_layers.bind(params, network, RELEASED._replace(layers=layers))
