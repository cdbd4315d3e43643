"""Training of all networks of this talk by back-propagation through time (README, section 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking import controls, gradient_training
from whyspiking.contract import Network, Outcome, Params, Progress, Split, Task
from whyspiking.gradient_training import Arrays, Loss, Settings
from whyspiking.randomness import Streams
from whyspiking.replications.bohte import digits, network, pixels, task

type Prepared = tuple[dict[str, NDArray], Callable[[Arrays], dict[str, float]], Loss]
"""Training data, what judges an epoch on validation data, the loss."""

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
COUNTS = "counts"
"""Linear classifier of spike counts, the negative control of the spoken digits."""


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
    if variant == COUNTS:
        return _count_classifier(params, streams, progress)
    gradient_training.keep_compiled(params.work_dir / "jax")
    cell = cell_of(variant)
    if params.experiment in task.CLASSIFIED:
        data, judge, loss = _classes(params, cell)
    else:
        data, judge, loss = _labels(params, cell, is_padded(params, variant), streams)
    start = network.initial(params, cell, streams.rng("init"))

    fitted = gradient_training.fit(
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


def _labels(params: Params, cell: str, padded: bool, streams: Streams) -> Prepared:
    training, held_out = (task.records(params, split, streams) for split in ("train", "validation"))
    assert training is not None
    assert held_out is not None
    wanted = task.scored(params, held_out.labels, padded=padded)

    def judge(arrays: Arrays) -> dict[str, float]:
        choices = network.outputs(params, cell, arrays, held_out.events).argmax(axis=2)
        return {"validation_accuracy": float((choices == wanted)[wanted >= 0].mean())}

    labels = task.scored(params, training.labels, padded=padded).astype(np.int8)
    return {"x": training.events, "labels": labels}, judge, network.label_loss(params, cell)


def _classes(params: Params, cell: str) -> Prepared:
    (x, labels), (shown, wanted) = (_shown(params, split) for split in ("train", "validation"))

    def judge(arrays: Arrays) -> dict[str, float]:
        outputs = network.outputs(params, cell, arrays, shown)
        choices = digits.chosen(params, outputs)
        return {"validation_accuracy": float((choices == wanted).mean())}

    return {"x": x, "labels": labels.astype(np.int32)}, judge, network.class_loss(params, cell)


def _shown(params: Params, split: Split) -> tuple[NDArray, NDArray]:
    """What is trained or validated on: (trial, time, channel), classes."""
    if params.experiment in pixels.EXPERIMENTS:
        return pixels.frames(params, split)
    part = digits.make_task(params, split)
    assert part is not None
    x = task.raster(params, part)
    return digits.shifted(x, part.targets, params.shifts) if split == "train" else (x, part.targets)


def _count_classifier(params: Params, streams: Streams, progress: Progress) -> Network:
    make = pixels.make_task if params.experiment in pixels.EXPERIMENTS else digits.make_task
    training, held_out = (make(params, split) for split in ("train", "validation"))
    assert training is not None
    assert training.features is not None
    assert held_out is not None
    assert held_out.features is not None
    return controls.train(
        [params.n_input, params.n_output],
        (training.features, training.targets),
        (held_out.features, held_out.targets),
        epochs=params.count_epochs,
        batch=params.batch,
        learning_rate=params.rate_linear,
        input_noise=0.0,
        streams=streams,
        progress=progress,
    )


def evaluate(params: Params, variant: str, trained: Network, test: Task) -> Outcome:
    """Label the records, or classify the utterances, of a task in the engine of training."""
    if variant == COUNTS:
        return controls.evaluate(trained, test)
    x = task.raster(params, test)
    outputs = network.outputs(params, trained.info["cell"], trained.arrays, x)
    if params.experiment in task.CLASSIFIED:
        return digits.outcome(params, outputs, test)
    return task.outcome(params, outputs, test)
