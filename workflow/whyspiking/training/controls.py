"""Matched non-spiking controls: feed-forward ReLU networks trained on the same data with Adam.

The arrays are w0, b0, w1, b1, ...: what `battery.control` counts and perturbs. One layer is a
linear (softmax) classifier.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.talk import Replication
from whyspiking.contract.types import ExperimentParameters, Network, Outcome, Progress, Task, Trials
from whyspiking.errors import UserError
from whyspiking.training.checkpoint import Checkpoint
from whyspiking.training.history import BROKEN, LOSS, History, batches, refuse_broken

ENGINE = "jax"
RELU, RANDOM = "relu", "random"
"""What `network` of talk.yaml and `info["is"]` of a network say."""
KINDS = (RELU, RANDOM)
Arrays = Mapping[str, NDArray]


def train(
    sizes: Sequence[int],
    train_set: tuple[NDArray, NDArray],
    validation_set: tuple[NDArray, NDArray] | None,
    *,
    epochs: int,
    batch: int,
    learning_rate: float,
    input_noise: float,
    streams: Streams,
    progress: Progress,
    sees: str = "all",
    input_deletion: float = 0.0,
) -> Network:
    """Train a network by softmax cross-entropy.

    Args:
        sizes: Units per layer, input first and classes last; two numbers make a linear classifier.
        train_set: Features (sample, feature) and classes (sample,).
        validation_set: The same, for the history only; None where nothing is held out.
        epochs: Passes over the training set.
        batch: Samples per step; an incomplete last batch is left out, and differs every epoch.
        learning_rate: Adam's rate at the start; it falls to zero along a half cosine.
        input_noise: Standard deviation of Gaussian noise on every feature, drawn anew each time.
        streams: Randomness: "control-init", "control-shuffle", "control-noise".
        progress: Called after every epoch.
        sees: Which form of the features the network gets, in training and after; see `SEEN`.
        input_deletion: Probability with which every feature is set to 0, drawn anew each time.
    """
    import jax
    import optax

    features = SEEN[sees](np.asarray(train_set[0])).astype(np.float32)
    validation_set = validation_set and (SEEN[sees](validation_set[0]), validation_set[1])
    n_steps = _steps_per_epoch(sizes, features, batch)
    data, labels = jax.numpy.asarray(features), jax.numpy.asarray(train_set[1])
    weights = initial(sizes, streams.rng("control-init"))
    adam = optax.adam(optax.cosine_decay_schedule(learning_rate, epochs * n_steps))
    run_epoch = _epoch_program(len(sizes) - 1, adam, input_noise, input_deletion)
    arrays: Any = {name: jax.numpy.asarray(value) for name, value in weights.items()}
    raw_key = jax.random.key_data(jax.random.key(streams.integer("control-noise")))
    now = SimpleNamespace(carry=(arrays, adam.init(arrays), raw_key))
    history, shuffle, measured = History(), streams.rng("control-shuffle"), {}
    for epoch in Checkpoint(now, shuffle, history).rounds(range(epochs), progress):
        began = time.process_time()
        order = batches(len(features), batch, shuffle)
        *now.carry, losses = run_epoch(*now.carry, order, data, labels)
        refuse_broken({f"{BROKEN}{LOSS}": ~np.isfinite(losses)}, epoch + 1, learning_rate)
        seconds = time.process_time() - began
        weights = {name: np.asarray(array) for name, array in now.carry[0].items()}
        measured = {"train_loss": float(np.asarray(losses).mean())}
        if validation_set is not None:
            measured["validation_accuracy"] = _accuracy(weights, *validation_set)
        history.note(epoch + 1, **measured, epoch_seconds=seconds)
        if epoch == epochs - 1 or (epoch + 1) % max(1, epochs // 20) == 0:
            progress((epoch + 1) / epochs, f"epoch {epoch + 1}: {_news(measured)}")
    return _trained(weights, sees, measured, history)


def _news(measured: Mapping[str, float]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {x:.4f}" for name, x in measured.items())


def _trained(
    weights: dict[str, NDArray], sees: str, measured: Mapping[str, float], history: History
) -> Network:
    info = {
        **history.info(ENGINE),
        "is": RELU,
        "sees": sees,
        **{name: v for name, v in measured.items() if name == "validation_accuracy"},
        "parameters": int(sum(array.size for array in weights.values())),
    }
    return Network(weights, info, history.rows)


def _steps_per_epoch(sizes: Sequence[int], features: NDArray, batch: int) -> int:
    """Whole batches of the features; refuses sizes that do not fit them."""
    if len(sizes) < 2 or features.shape[1:] != (sizes[0],):
        raise ValueError(f"sizes {list(sizes)} do not fit features {features.shape}")
    if len(features) < batch:
        raise ValueError(f"{len(features)} samples are fewer than one batch of {batch}")
    return len(features) // batch


def _epoch_program(
    n_layers: int, adam: Any, input_noise: float, input_deletion: float
) -> Callable[..., Any]:
    """Compile an epoch: arrays, state of Adam and key after it, and the losses (step,).

    Its data are arguments: as constants they would be compiled into the program.
    """
    import jax
    import optax

    from whyspiking.training.products import product

    def loss(arrays: dict[str, Any], x: Any, y: Any) -> Any:
        for layer in range(n_layers):
            x = product(x, arrays[f"w{layer}"]) + arrays[f"b{layer}"]
            if layer < n_layers - 1:
                x = jax.nn.relu(x)
        return optax.softmax_cross_entropy_with_integer_labels(x, y).mean()

    @jax.jit
    def run_epoch(
        arrays: dict[str, Any], state: Any, raw_key: Any, order: Any, data: Any, labels: Any
    ) -> Any:
        following, key = jax.random.split(jax.random.wrap_key_data(raw_key))

        def step(carry: Any, chosen: Any) -> Any:
            arrays, state, key = carry
            key, own = jax.random.split(key)
            x = data[chosen]
            if input_noise:
                x = x + input_noise * jax.random.normal(own, x.shape)
            if input_deletion:
                kept = jax.random.bernoulli(jax.random.fold_in(own, 1), 1 - input_deletion, x.shape)
                x = jax.numpy.where(kept, x, 0)
            value, gradient = jax.value_and_grad(loss)(arrays, x, labels[chosen])
            updates, state = adam.update(gradient, state, arrays)
            return (optax.apply_updates(arrays, updates), state, key), value

        (arrays, state, _), losses = jax.lax.scan(step, (arrays, state, key), order)
        return arrays, state, jax.random.key_data(following), losses

    return run_epoch


def train_declared(
    declared: Mapping[str, Any],
    replication: Replication[Any],
    params: ExperimentParameters,
    streams: Streams,
    progress: Progress,
) -> Network:
    """Train a control that talk.yaml declares on what the experiment gives for it.

    Args:
        declared: Which kind it `is`, its layers `hidden`, what it `sees`, and the parameter that is
            its `noise`.
        replication: The experiment; see `control_task`.
        params: `control_epochs`, `control_batch`, `control_learning_rate`, and the sizes.
        streams: Randomness of `train` and of the task.
        progress: Called after every epoch.

    Raises:
        UserError: If the experiment has no training samples with features.
    """
    training = replication.control_task(params, "train", streams)
    held_out = replication.control_task(params, "validation", streams)
    if training is None or training.features is None:
        raise UserError(
            f"talk '{params.talk}': experiment '{params.experiment}' declares a control, but its "
            "tasks have no features; expected features. Add features to the tasks, or define "
            "`control_task`"
        )
    if declared["is"] == RANDOM:
        return fit_readout(declared, training, held_out, params, streams)
    n_features = SEEN[declared["sees"]](training.features[:1]).shape[1]
    return train(
        [n_features, *layers(declared, params), training.n_classes],
        (training.features, training.targets),
        None if held_out is None else (np.asarray(held_out.features), held_out.targets),
        epochs=params.control_epochs,
        batch=params.control_batch,
        learning_rate=params.control_learning_rate,
        input_noise=getattr(params, declared["noise"]) if declared["noise"] else 0.0,
        streams=streams,
        progress=progress,
        sees=declared["sees"],
        input_deletion=getattr(params, declared["deletion"]) if "deletion" in declared else 0.0,
    )


def layers(declared: Mapping[str, Any], params: ExperimentParameters) -> list[int]:
    """Units of the hidden layers that talk.yaml declares, by number or by parameter."""
    hidden = [getattr(params, x) if isinstance(x, str) else x for x in declared["hidden"]]
    return [*itertools.chain.from_iterable(x if isinstance(x, list) else [x] for x in hidden)]


def fit_readout(
    declared: Mapping[str, Any],
    training: Task,
    held_out: Task | None,
    params: ExperimentParameters,
    streams: Streams,
) -> Network:
    """A random hidden ReLU layer, of which only the readout is fitted, by least squares.

    The floor of every task: what is above it was learned in the hidden layer.

    Args:
        declared: As for `train_declared`; one hidden layer.
        training: Features (trial, feature) in 0..1, classes.
        held_out: The same, for the accuracy that settings are chosen by.
        params: `random_gain`, the standard deviation of a unit's drive by features that all are 0
            or 1; `random_bias`, that of its bias, its drive by features that all are 1/2.
        streams: Randomness: "control-init".
    """
    (n_hidden,) = layers(declared, params)
    features, rng = np.asarray(training.features), streams.rng("control-init")
    spread = 2 * params.random_gain / np.sqrt(features.shape[1])
    w0 = rng.normal(0, spread, (features.shape[1], n_hidden))
    # Features are centred on 1/2.
    b0 = rng.normal(0, params.random_bias, n_hidden) - 0.5 * w0.sum(axis=0)
    hidden = np.maximum(features @ w0 + b0, 0)
    with_constant = np.column_stack([hidden, np.ones(len(hidden))])
    one_hot = np.eye(training.n_classes)[training.targets]
    fitted = np.linalg.lstsq(with_constant, one_hot, rcond=None)[0]
    arrays = {"w0": w0, "b0": b0, "w1": fitted[:-1], "b1": fitted[-1]}
    network = Network(
        {name: array.astype(np.float32) for name, array in arrays.items()},
        {"engine": "numpy", "is": RANDOM, "sees": "all", "parameters": int(fitted.size)},
    )
    if held_out is not None:
        accuracy = _accuracy(network.arrays, np.asarray(held_out.features), held_out.targets)
        network.info["validation_accuracy"] = accuracy
    return network


def initial(sizes: Sequence[int], rng: np.random.Generator) -> dict[str, NDArray]:
    """Weights ~ N(0, 2 / inputs) (He et al. 2015), biases zero."""
    arrays: dict[str, NDArray] = {}
    for layer, (n_in, n_out) in enumerate(itertools.pairwise(sizes)):
        arrays[f"w{layer}"] = rng.normal(0, np.sqrt(2 / n_in), (n_in, n_out)).astype(np.float32)
        arrays[f"b{layer}"] = np.zeros(n_out, np.float32)
    return arrays


def choose(arrays: dict[str, NDArray], features: NDArray) -> NDArray[np.int64]:
    """Class with the largest output, (sample,)."""
    return forward(arrays, features)[-1].argmax(axis=1)


def _accuracy(arrays: dict[str, NDArray], features: NDArray, targets: NDArray) -> float:
    return float((choose(arrays, features) == targets).mean())


def evaluate_variant(
    replication: Replication[Any],
    params: ExperimentParameters,
    variant: str,
    network: Network,
    task: Task,
) -> Outcome | None:
    """Run a network of an experiment, which may be a control that talk.yaml declares.

    Returns:
        None if Brian2 is the only simulator of the network.
    """
    if network.info.get("is") in KINDS:
        return evaluate(network, task)
    return replication.evaluate(params, variant, network, task)


def evaluate(network: Network, task: Task) -> Trials:
    """Decisions of a control; one that sees its whole input at once makes them at time 0.

    Args:
        network: From `train` or `fit_readout`.
        task: A classification whose `features` are (trial, feature).

    Raises:
        ValueError: If the task has no such features.
    """
    features = None if task.features is None else seen(network, task.features)
    if features is None or features.ndim != 2:
        raise ValueError("a feed-forward control needs features of shape (trial, feature)")
    return Trials.of(task, choose(network.arrays, features), 0.0)


def seen(network: Network, features: NDArray) -> NDArray:
    """What a control is told of the input: all of it, or less (see `SEEN`).

    Args:
        network: The control; `info["sees"]` says what it is told.
        features: Input, (trial, feature).

    Returns:
        What it sees, (trial, feature).
    """
    return SEEN[network.info.get("sees", "all")](features)


def mask(features: NDArray) -> NDArray[np.float32]:
    """1 where a feature is above 0: of an image, where there is ink."""
    return (np.asarray(features) > 0).astype(np.float32)


def ranks(features: NDArray) -> NDArray[np.float32]:
    """The order of the features of a sample alone, in 0..1."""
    order = np.argsort(np.argsort(features, axis=1, kind="stable"), axis=1, kind="stable")
    return (order / (order.shape[1] - 1)).astype(np.float32)


SEEN: Mapping[str, Callable[[NDArray], NDArray]] = {
    "all": np.asarray,
    "mask": mask,
    "ranks": ranks,
}
"""What a control may be told of its features."""


def forward(
    arrays: Arrays, features: NDArray, dropped: Mapping[int, NDArray] | None = None
) -> list[NDArray]:
    """Activations of every layer, input first; ReLU between, the last layer linear.

    Args:
        arrays: w0 (feature, unit), b0 (unit,), w1, ...; biases may be absent.
        features: Input, (trial, feature).
        dropped: Layer -> mask (trial, unit) of activations to set to zero.
    """
    activations = [np.asarray(features, float)]
    names = weight_names(arrays)
    for index, name in enumerate(names):
        if dropped and index in dropped:
            activations[index] = np.where(dropped[index], 0.0, activations[index])
        drive = activations[index] @ arrays[name] + arrays.get(f"b{index}", 0.0)
        activations.append(np.maximum(drive, 0.0) if index < len(names) - 1 else drive)
    return activations


def weight_names(arrays: Arrays) -> list[str]:
    """Names of the weights, input first: w0, w1, ..."""
    numbered = (f"w{layer}" for layer in itertools.count())
    return list(itertools.takewhile(arrays.__contains__, numbered))
