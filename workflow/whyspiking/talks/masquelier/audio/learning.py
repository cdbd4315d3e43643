"""Training of all networks for spoken words by surrogate gradients (README, section 11)."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network, Params, Parents, Progress, Task, Trials
from whyspiking.talks.masquelier.audio import model, task
from whyspiking.training.gradient import Settings, fit

CRITERION = {False: "validation_accuracy", True: "validation_sparsity"}
"""What chooses the epoch: accuracy, or, where spikes have a price, their number."""
PIECE = 350
"""Trials that are evaluated at once."""


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Train one variant; the epoch is chosen on a speaker who is left out of the training words.

    Variants are the keys of `model.LEAKY`, of which "sparse" goes on from its parent, and "conv".
    Randomness: "init", "augmentation", "shuffle".
    """
    (x, labels), (held_x, held_labels) = (
        task.samples(params, split) for split in ("train", "validation")
    )
    spiking = variant in model.LEAKY
    run = _compiled(params, variant)

    def judge(arrays: Any) -> dict[str, float]:
        scores, active = _outputs(run, arrays, held_x)
        values = {"validation_accuracy": float((scores.argmax(axis=1) == held_labels).mean())}
        if spiking:
            values |= {"validation_activity": active, "validation_sparsity": -active}
        return values

    rates = {
        "conv": params.control_learning_rate,
        "if_neuron": params.if_learning_rate,
    }
    rate = rates.get(variant, params.learning_rate)
    epochs = params.if_epochs if variant == "if_neuron" else params.epochs
    start = model.initial(params, variant, streams.rng("init"))
    if parents:
        (parent,) = parents.values()
        start, epochs, rate = parent.arrays, params.sparse_epochs, params.sparse_learning_rate
    fitted = fit(
        start,
        model.loss(params, variant),
        augmented(params, x, labels, streams.rng("augmentation")),
        Settings(
            epochs=epochs,
            batch=params.batch,
            learning_rate=rate,
            clip_norm=params.clip_norm,
            criterion=CRITERION[bool(parents)],
            rates={f"leak_{k}": 0.0 for k in range(model.depth(params))}
            if variant == "if_neuron"
            else {},
        ),
        judge=judge,
        shuffle=streams.rng("shuffle"),
        progress=progress,
        constants={"penalty": params.penalty if variant == "sparse" else 0.0},
        project=model.within if spiking else None,
    )
    trained = Network(fitted.arrays, {**fitted.info, "variant": variant}, fitted.history)
    if not spiking:
        trained.info["counts"] = counts(params, trained, held_x)
    return trained


def augmented(
    params: Params, x: NDArray, labels: NDArray, rng: np.random.Generator
) -> dict[str, NDArray]:
    """Copies of the training words, each moved in time and along the bands (README, section 11).

    Args:
        params: Parameters of the experiment.
        x: Frames (trial, time, band).
        labels: Classes, (trial,).
        rng: Source of the moves.
    """
    copies = [x]
    for _ in range(params.n_copies - 1):
        times = rng.integers(-params.move_frames, params.move_frames + 1, len(x))
        bands = rng.integers(-params.move_bands, params.move_bands + 1, len(x))
        moved = np.empty_like(x)
        for k, (time, band) in enumerate(zip(times, bands, strict=True)):
            rows = np.clip(np.arange(x.shape[1]) - time, 0, x.shape[1] - 1)
            columns = np.clip(np.arange(x.shape[2]) - band, 0, x.shape[2] - 1)
            moved[k] = x[k][rows][:, columns]
        copies.append(moved)
    return {"x": np.concatenate(copies), "labels": np.tile(labels.astype(np.int32), len(copies))}


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Trials:
    """Decide at the end of every word, in the engine of training."""
    assert task.features is not None
    scores, _ = _outputs(_compiled(params, variant), network.arrays, task.features)
    return decisions(params, scores, task)


def decisions(params: Params, scores: NDArray, test: Task) -> Trials:
    """The largest output at the end of the clip."""
    end_ms = float(params.n_frames * params.frame_ms)
    return Trials.of(test, np.asarray(scores).argmax(axis=1), end_ms)


def reference_first_ms(
    params: Params, variant: str, network: Network, task: Task
) -> dict[str, NDArray]:
    """First spikes of all layers at Brian2's times in ms, inf where silent; (trial, neuron)."""
    assert task.features is not None
    first: dict[str, NDArray] = {}
    for k, raster in enumerate(rasters(params, variant, network, task.features)):
        step = np.where(raster.any(axis=1), raster.argmax(axis=1) + k, np.inf)
        first[f"layer_{k}"] = step * float(params.frame_ms)
    return first


def rasters(
    params: Params, variant: str, trained: Network, x: NDArray, dtype: Any = np.float32
) -> list[NDArray[np.bool_]]:
    """Spikes of all layers, each (trial, time, neuron)."""
    import jax

    leaky = model.LEAKY[variant]
    with jax.enable_x64(dtype == np.float64):
        arrays = {name: np.asarray(value, dtype) for name, value in trained.arrays.items()}
        run = jax.jit(lambda a, part: model.spikes_of(params, a, part, leaky))
        pieces = [
            [np.asarray(s) > 0.5 for s in run(arrays, jax.numpy.asarray(x[i : i + PIECE], dtype))]
            for i in range(0, len(x), PIECE)
        ]
    return [np.concatenate(parts) for parts in zip(*pieces, strict=True)]


def counts(params: Params, trained: Network, x: NDArray) -> dict[str, float]:
    """Operations of a control per word: all, and those of inputs that are not zero.

    Names as in `glossary.GLOSSARY`; every output of a layer is computed at every frame.
    """
    dense = effective = outputs = 0.0
    for k in range(model.depth(params)):
        w = np.asarray(trained.arrays[f"w_{k}"], np.float32)
        flat = w.reshape(-1, w.shape[-1])
        taps = model.stacked(x, params.kernel, params.dilations[k])
        dense += taps.shape[1] * flat.size
        effective += float(np.count_nonzero(taps)) / len(x) * flat.shape[1]
        outputs += float(taps.shape[1] * flat.shape[1])
        x = np.maximum(taps @ flat + trained.arrays[f"b_{k}"], 0)
    dense += trained.arrays["w_out"].size
    effective += trained.arrays["w_out"].size
    weights = [np.asarray(w) for name, w in trained.arrays.items() if name.startswith("w_")]
    return {
        "macs_dense": dense,
        "macs_effective": effective,
        "neuron_updates": outputs + trained.arrays["w_out"].shape[1],
        "synapses": float(sum(np.count_nonzero(w) for w in weights)),
        "footprint": 4.0 * sum(np.size(array) for array in trained.arrays.values()),
    }


def _compiled(params: Params, variant: str) -> Any:
    import jax

    return jax.jit(partial(model.outputs, params, variant))


def _outputs(run: Any, arrays: Any, x: NDArray) -> tuple[NDArray, float]:
    """Outputs (trial, class) and mean activity, in pieces."""
    pieces = [run(arrays, x[i : i + PIECE]) for i in range(0, len(x), PIECE)]
    scores = np.concatenate([np.asarray(t) for t, _ in pieces])
    return scores, float(
        np.average([float(a) for _, a in pieces], weights=[len(t) for t, _ in pieces])
    )
