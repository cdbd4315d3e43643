"""Training of all networks of this talk by back-propagation through time (README, section 3)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from whyspiking import gradient_training
from whyspiking.contract import Labels, Network, Params, Progress, Task
from whyspiking.gradient_training import Arrays, Settings
from whyspiking.randomness import Streams
from whyspiking.replications.bohte import network, task

CELL = {
    "spiking": "alif",
    "alif_fixed": "alif_fixed",
    "lif": "lif",
    "lif_fixed": "lif_fixed",
    "masked": "alif",
    "gru": "gru",
    "rnn": "rnn",
    "linear": "linear",
}
"""Variant -> cell; those of the trade-off are `penalty_<index>`."""
SPARSE = "penalty_"
CONTROLS = ("gru", "rnn", "linear")


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


def is_padded(params: Params, variant: str) -> bool:
    """Whether unlabelled steps are trained as the first class, as in the published code."""
    return params.experiment == task.ORIGINAL and variant == "spiking"


def train(
    params: Params,
    variant: str,
    streams: Streams,
    parents: Mapping[str, Network],
    progress: Progress,
) -> Network:
    """Train one network, or hand on the one it starts from.

    Args:
        params: Parameters of the experiment.
        variant: A key of `CELL`, or "penalty_<index>".
        streams: Randomness: "init", "shuffle", and what `task.records` names.
        parents: The trained network that an experiment only compares others with.
        progress: Called after every epoch.
    """
    if parents:
        (parent,) = parents.values()
        progress(1.0, "the network of another experiment, as it is")
        costs = ("epochs", "epoch_seconds")
        info = {key: value for key, value in parent.info.items() if key not in costs}
        return Network(dict(parent.arrays), info)
    if params.experiment == task.ORIGINAL and (reason := task.missing_files(params)):
        return Network({}, {"engine": gradient_training.ENGINE, "unavailable": reason})
    gradient_training.keep_compiled(params.work_dir / "jax")
    cell, padded = cell_of(variant), is_padded(params, variant)
    training, held_out = (task.records(params, split, streams) for split in ("train", "validation"))
    assert training is not None
    assert held_out is not None
    start = network.initial(params, cell, streams.rng("init"))

    def judge(arrays: Arrays) -> dict[str, float]:
        choices = network.outputs(params, cell, arrays, held_out.events).argmax(axis=2)
        wanted = task.scored(params, held_out.labels, padded=padded)
        return {"validation_accuracy": float((choices == wanted)[wanted >= 0].mean())}

    data = {
        "x": training.events,
        "labels": task.scored(params, training.labels, padded=padded).astype(np.int8),
    }
    fitted = gradient_training.fit(
        start,
        network.label_loss(params, cell),
        data,
        Settings(
            epochs=params.epochs,
            batch=params.batch,
            learning_rate=learning_rate(params, variant),
            clip_norm=params.clip_norm,
            criterion="validation_accuracy",
            rates=network.rates(params, cell),
        ),
        judge=judge,
        shuffle=streams.rng("shuffle"),
        progress=progress,
        constants={
            "penalty": penalty(params, variant),
            "adaptation": network.adaptation(params, cell),
        },
        project=lambda arrays: network.within(params, arrays),
    )
    info = {**fitted.info, "cell": cell, "adaptation": network.adaptation(params, cell)}
    if cell in network.SPIKING:
        taus = {k: v for k, v in start.items() if k.startswith(network.TIME_CONSTANTS)}
        kept = {f"start_{name}": values for name, values in taus.items()}
        return Network({**fitted.arrays, **kept}, info, fitted.history)
    info["weights"] = [name for name in fitted.arrays if name.startswith("w_")]
    return Network(fitted.arrays, info, fitted.history)


def evaluate(params: Params, trained: Network, test: Task) -> Labels:
    """Label the records of a task in the engine of training."""
    x = task.raster(params, test)
    return task.outcome(
        params, network.outputs(params, trained.info["cell"], trained.arrays, x), test
    )
