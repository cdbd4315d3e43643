"""Training of all networks of this talk by back-propagation through time (README, section 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network, Params, Progress, Task
from whyspiking.talks.bohte import one_class, network, brian_network, truncated
from whyspiking.talks.bohte.network import spikes
from whyspiking.talks.bohte.task import raster
from whyspiking.training import gradient
from whyspiking.training.gradient import Arrays, Data, Loss, Settings

type Labelled = tuple[NDArray, NDArray]
"""Trials of one class each: (trial, time, channel) and (trial,)."""
type Prepared = tuple[Data | Callable[[int], Data], Callable[[Arrays], dict[str, float]], Loss]
"""Training data, what judges an epoch on validation data, the loss."""

CELL = {
    "spiking": "alif",
    "alif_fixed": "alif_fixed",
    "lif": "lif",
    "lif_fixed": "lif_fixed",
    "lif_published": "lif_published",
    "lstm": "lstm",
    "gru": "gru",
    "rnn": "rnn",
    "traces": "traces",
    "linear": "linear",
}
"""Variant -> cell; those of the trade-off are `penalty_<index>`."""
SPARSE = "penalty_"


def cell_of(variant: str) -> str:
    """The cell that a variant is made of."""
    return "alif" if variant.startswith(SPARSE) else CELL[variant]


def learning_rate(params: Params, variant: str) -> float:
    """Adam's rate; each cell has its own, chosen on validation data."""
    return float(params.values[f"rate_{cell_of(variant)}"])


def penalty(params: Params, variant: str) -> float:
    """Price of spikes (README, Eq. 11)."""
    if not variant.startswith(SPARSE):
        return 0.0
    return float(params.penalties[int(variant.removeprefix(SPARSE))])


def is_cut(params: Params) -> bool:
    """Whether back-propagation is truncated; most experiments have no parameter for it."""
    return bool(params.values.get("truncation"))


def train(
    params: Params, variant: str, streams: Streams, progress: Progress, prepared: Prepared
) -> Network:
    """Train one network, a key of `CELL` or "penalty_<index>". Randomness: "init", "shuffle"."""
    cell = cell_of(variant)
    data, judge, loss = prepared
    start = network.initial(params, cell, streams.rng("init"))
    cut = is_cut(params)

    fitted = gradient.fit(
        start,
        loss,
        data,
        Settings(
            epochs=params.epochs,
            batch=params.batch,
            learning_rate=learning_rate(params, variant),
            clip_norm=params.clip_norm,
            criterion="validation_accuracy",
            rates=network.rates(params, cell),
            segments=truncated.segments(params) if cut else 1,
        ),
        judge=judge,
        shuffle=streams.rng("shuffle"),
        progress=progress,
        constants={
            "penalty": penalty(params, variant),
            "adaptation": network.adaptation(params, cell),
        },
        start_state=truncated.start(params, cell) if cut else None,
        project=lambda arrays: network.within(params, arrays),
    )
    info = {
        **fitted.info,
        "cell": cell,
        "adaptation": network.adaptation(params, cell),
        "resets": network.resets(cell),
    }
    if cell in network.SPIKING:
        taus = {k: v for k, v in start.items() if k.startswith(network.TIME_CONSTANTS)}
        kept = {f"start_{name}": values for name, values in taus.items()}
        return Network({**fitted.arrays, **kept}, info, fitted.history)
    info["weights"] = [name for name in fitted.arrays if name.startswith("w_")]
    return Network(fitted.arrays, info, fitted.history)


def classes(
    params: Params,
    variant: str,
    training: Labelled | Callable[[int], Labelled],
    held_out: Labelled,
) -> Prepared:
    """Trials of one class each; a function gives those of an epoch."""
    cell, (shown, wanted) = cell_of(variant), held_out

    def named(trials: Labelled) -> Data:
        return {"x": trials[0], "labels": trials[1].astype(np.int32)}

    def judge(arrays: Arrays) -> dict[str, float]:
        told = network.outputs(params, cell, arrays, shown)
        return {"validation_accuracy": float((one_class.chosen(params, told) == wanted).mean())}

    data = (lambda epoch: named(training(epoch))) if callable(training) else named(training)
    loss = truncated.loss if is_cut(params) else network.class_loss
    return data, judge, loss(params, cell)


def outputs(params: Params, trained: Network, test: Task) -> NDArray:
    """Outputs in the engine of training, (trial, time, class)."""
    return network.outputs(params, trained.info["cell"], trained.arrays, raster(params, test))


def reference_counts(
    params: Params, variant: str, network: Network, task: Task
) -> Mapping[str, NDArray]:
    """Spikes of every neuron in the engine of training."""
    found = spikes(params, network.info["cell"], network.arrays, raster(params, task))
    return {brian_network.hidden(k): layer.sum(axis=1) for k, layer in enumerate(found)}
